//! Messages for tests, which the testkit builds, and a walk that touches everything a parser
//! offers.

pub(crate) use testkit::message::{notify_body, MessageBuilder, INIT_SPI, RESP_SPI};
pub(crate) use testkit::proposal::{proposal, sa_body, transform};
pub(crate) use testkit::sample::{everything, sa_init, transforms};

use super::*;

/// Looks at everything in a message and returns the number of items met and of
/// faults among them.
pub(crate) fn walk(bytes: &[u8]) -> (usize, usize) {
    let mut tally = WalkTally::default();
    let Ok(message) = RawMessage::parse(bytes) else {
        return (1, 1);
    };
    tally.fault(message.version_error());
    tally.fault(message.length_error());
    for payload in message.payloads() {
        if let Some(payload) = tally.note(payload) {
            walk_body(&payload, &mut tally);
        }
    }
    (tally.items, tally.faults)
}

#[derive(Default)]
struct WalkTally {
    items: usize,
    faults: usize,
}

impl WalkTally {
    fn note<T>(&mut self, result: Result<T, ParseError>) -> Option<T> {
        self.items += 1;
        let value = result.inspect_err(|error| assert!(!error.to_string().is_empty()));
        self.faults += usize::from(value.is_err());
        value.ok()
    }

    fn all<T>(&mut self, items: impl Iterator<Item = Result<T, ParseError>>) {
        for item in items {
            self.note(item);
        }
    }

    fn fault(&mut self, error: Option<ParseError>) {
        self.faults += usize::from(error.is_some());
    }
}

fn walk_body(payload: &Payload<'_>, tally: &mut WalkTally) {
    let (body, at) = (payload.body, payload.body_offset());
    match payload.kind {
        PayloadType::SA => walk_proposals(Proposals::new(body, at), tally),
        PayloadType::KE => drop(tally.note(KeyExchange::parse(body, at))),
        PayloadType::NONCE => drop(tally.note(Nonce::parse(body, at))),
        PayloadType::VENDOR_ID => drop(tally.note(VendorId::parse(body, at))),
        PayloadType::CERT => drop(tally.note(Certificate::parse(body, at))),
        PayloadType::AUTH => {
            let auth = tally.note(Authentication::parse(body, at));
            tally.fault(auth.and_then(|auth| auth.fault(at)));
        }
        PayloadType::EAP => {
            let eap = tally.note(Eap::parse(body, at));
            tally.fault(eap.and_then(|eap| eap.fault));
        }
        PayloadType::PS => drop(tally.note(PuzzleSolution::parse(body, at))),
        PayloadType::SK => drop(tally.note(Encrypted::parse(payload))),
        PayloadType::NOTIFY => {
            if let Some(notify) = tally.note(Notify::parse(body, at)) {
                tally.note(notify.known());
            }
        }
        PayloadType::DELETE => {
            let delete = tally.note(Delete::parse(body, at));
            tally.items += delete.map_or(0, |delete| delete.spis().count());
        }
        PayloadType::IDI | PayloadType::IDR | PayloadType::IDG => {
            let id = tally.note(Identification::parse(body, at));
            tally.fault(id.and_then(|id| id.fault(at)));
        }
        PayloadType::CERTREQ => {
            let request = tally.note(CertificateRequest::parse(body, at));
            tally.items += request.map_or(0, |request| request.hashes().count());
            tally.fault(request.and_then(|request| request.fault(at)));
        }
        PayloadType::TSI | PayloadType::TSR => {
            if let Some(ts) = tally.note(TrafficSelectors::parse(body, at)) {
                tally.fault(ts.fault());
                tally.all(ts.selectors());
            }
        }
        PayloadType::CP => {
            if let Some(cp) = tally.note(Configuration::parse(body, at)) {
                tally.fault(cp.fault());
                tally.all(cp.attributes());
            }
        }
        PayloadType::SKF => {
            let fragment = tally.note(Fragment::parse(payload));
            tally.items += usize::from(fragment.is_some_and(|fragment| fragment.is_valid()));
        }
        _ => {}
    }
}

fn walk_proposals(proposals: Proposals<'_>, tally: &mut WalkTally) {
    for proposal in proposals {
        let Some(proposal) = tally.note(proposal) else {
            continue;
        };
        for transform in proposal.transforms() {
            if let Some(transform) = tally.note(transform) {
                tally.all(transform.attributes());
            }
        }
    }
}
