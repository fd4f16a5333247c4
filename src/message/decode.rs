//! Decodes the bytes of a datagram, and decrypted contents, to payloads and proposals.

use super::{Direction, Event, Message, MessageProposals, PayloadEntry, Scope, Transport};
use crate::policy::Policy;
use crate::wire::registry::{ExchangeType, PayloadType};
use crate::wire::{
    auth, cert, certreq, cp, delete, eap, encrypted, id, ke, nonce, notify, ps, ts, vendor_id,
};
use crate::wire::{ParseError, Payload, Payloads, RawMessage};

/// The maximum number of Notify payloads that are kept of a message.
pub const MAX_NOTIFIES: usize = 128;

/// The usual number of payloads in IKE_SA_INIT.
const USUAL_PAYLOADS: usize = 12;

impl Message {
    /// Decodes the message of a datagram. The message begins at `start`: at 4 after a non-ESP
    /// marker (RFC 3948, 2.2), otherwise at 0. A malformed part becomes an event, and
    /// everything decoded before it is kept.
    pub fn decode(
        datagram: &[u8],
        start: usize,
        direction: Direction,
        transport: Transport,
        policy: &'static Policy,
    ) -> Self {
        let mut message = Self::new(datagram, start, direction, transport);
        message.decode_outer(datagram.get(start..).unwrap_or(&[]), policy);
        message
    }

    fn decode_outer(&mut self, bytes: &[u8], policy: &'static Policy) {
        let raw = match RawMessage::parse(bytes) {
            Ok(raw) => raw,
            Err(error) => return self.report(error),
        };
        self.set_header(raw.header);
        if let Some(error) = raw.version_error() {
            return match raw.header.version.major() {
                1 => self.events.insert(Event::Ikev1Seen),
                _ => self.report(error),
            };
        }
        if let Some(error) = raw.length_error() {
            self.report(error);
        }
        if raw.header.exchange_type == ExchangeType::IKE_SA_INIT {
            // Messages of other exchanges have one unencrypted payload: the encrypted payload
            // itself.
            self.payloads.reserve(USUAL_PAYLOADS);
        }
        self.decode_payloads(raw.payloads(), policy);
        self.judge(policy);
    }

    /// Adds the decrypted contents of the message. `first` is the type of the first decrypted
    /// payload. `late` says that the keys came after the message.
    pub fn add_decrypted(
        &mut self,
        first: PayloadType,
        plaintext: &[u8],
        late: bool,
        policy: &'static Policy,
    ) {
        let offset = u32::try_from(self.append(plaintext, late)).unwrap_or(u32::MAX);
        self.decode_payloads(Payloads::new(first, plaintext, offset), policy);
        self.judge(policy);
    }

    fn decode_payloads(&mut self, payloads: Payloads<'_>, policy: &'static Policy) {
        let mut notifies = 0;
        for payload in payloads {
            let payload = match payload {
                Ok(payload) => payload,
                Err(error) => {
                    self.report(error);
                    continue;
                }
            };
            if payload.kind == PayloadType::NOTIFY {
                notifies += 1;
                if notifies > MAX_NOTIFIES {
                    self.events.insert(Event::TooManyNotifies);
                    continue;
                }
            }
            self.payloads.push(PayloadEntry::from(&payload));
            if payload.kind == PayloadType::SA {
                self.decode_proposals(&payload, policy);
            } else if let Err(error) = check_body(&payload) {
                self.report(error);
            }
        }
    }

    /// Decodes an SA payload. The first one is the only one of a correct message.
    fn decode_proposals(&mut self, payload: &Payload<'_>, policy: &'static Policy) {
        let is_first = !self.payloads.iter().rev().skip(1).any(|it| it.kind == PayloadType::SA);
        if self.decrypted.is_some() || !is_first {
            let errors = self.proposals.add(payload);
            return errors.into_iter().for_each(|error| self.report(error));
        }
        // The judgement depends on the policy and on whether the proposals are offered or
        // chosen.
        let context = u64::from(policy.id()) << 1 | u64::from(self.scope() == Scope::Chosen);
        self.proposals = MessageProposals::of(payload, context);
        self.report_proposals();
    }

    /// Adds the parse errors of the first SA payload.
    fn report_proposals(&mut self) {
        let count = self.proposals.derived().errors.len();
        for place in 0..count {
            if let Some(error) = self.proposals.derived().errors.get(place).copied() {
                self.report(error);
            }
        }
    }
}

/// Checks the body of a payload that is otherwise decoded only when it is needed.
fn check_body(payload: &Payload<'_>) -> Result<(), ParseError> {
    let (body, offset) = (payload.body, payload.body_offset());
    match payload.kind {
        PayloadType::KE => ke::KeyExchange::parse(body, offset).map(drop),
        PayloadType::IDI | PayloadType::IDR | PayloadType::IDG => {
            id::Identification::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::CERT => cert::Certificate::parse(body, offset).map(drop),
        PayloadType::CERTREQ => {
            certreq::CertificateRequest::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::AUTH => {
            auth::Authentication::parse(body, offset).and_then(|it| sound(it.fault(offset)))
        }
        PayloadType::NONCE => nonce::Nonce::parse(body, offset).map(drop),
        PayloadType::NOTIFY => {
            notify::Notify::parse(body, offset).and_then(|notify| notify.known().map(drop))
        }
        PayloadType::DELETE => delete::Delete::parse(body, offset).map(drop),
        PayloadType::VENDOR_ID => vendor_id::VendorId::parse(body, offset).map(drop),
        PayloadType::TSI | PayloadType::TSR => {
            ts::TrafficSelectors::parse(body, offset).and_then(|it| sound(it.fault()))
        }
        PayloadType::CP => cp::Configuration::parse(body, offset).and_then(|it| sound(it.fault())),
        PayloadType::EAP => eap::Eap::parse(body, offset).and_then(|it| sound(it.fault)),
        PayloadType::SK => encrypted::Encrypted::parse(payload).map(drop),
        PayloadType::SKF => encrypted::Fragment::parse(payload).map(drop),
        PayloadType::PS => ps::PuzzleSolution::parse(body, offset).map(drop),
        _ => Ok(()),
    }
}

/// Turns a fault into an error. The decoded fields are kept anyway.
fn sound(fault: Option<ParseError>) -> Result<(), ParseError> {
    fault.map_or(Ok(()), Err)
}
