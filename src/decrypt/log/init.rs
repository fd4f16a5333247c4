//! The IKE_SA_INIT message that is part of the octets that AUTH covers (RFC 7296, 2.15).

use crate::canonical;
use crate::proposal::ProposalSet;
use crate::wire::registry::{ExchangeType, PayloadType, Protocol};
use crate::wire::{Proposals, RawMessage};

/// The fields of the IKE_SA_INIT message that describe its IKE SA.
pub(super) struct LoggedInit {
    pub(super) spi_i: [u8; 8],
    /// The responder's SPI. All zero in a request.
    pub(super) spi_r: [u8; 8],
    /// The text of the proposal, if the message has exactly one. A response has one.
    pub(super) proposal: Option<String>,
}

impl LoggedInit {
    /// Parses the message at the start of the signed octets.
    pub(super) fn parse(octets: &[u8]) -> Option<Self> {
        let length = RawMessage::parse(octets).ok()?.header.length;
        let message = RawMessage::parse(octets.get(..length.try_into().ok()?)?).ok()?;
        let header = message.header;
        if message.version_error().is_some() || header.exchange_type != ExchangeType::IKE_SA_INIT {
            return None;
        }
        Some(Self { spi_i: header.init_spi, spi_r: header.resp_spi, proposal: chosen(&message) })
    }
}

/// The text of the message's proposal for IKE, if it is the only proposal.
fn chosen(message: &RawMessage<'_>) -> Option<String> {
    let mut set = ProposalSet::default();
    for payload in message.payloads().flatten() {
        if payload.kind == PayloadType::SA {
            set.add(Proposals::new(payload.body, payload.body_offset()), &mut |_| {});
        }
    }
    let [proposal] = set.proposals() else { return None };
    if !proposal.whole || proposal.protocol != Protocol::IKE {
        return None;
    }
    canonical::text(&set, proposal).strip_prefix("IKE:").map(str::to_owned)
}
