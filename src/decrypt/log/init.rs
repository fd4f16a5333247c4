//! The IKE_SA_INIT message that a peer's AUTH payload covers (RFC 7296, 2.15).

use crate::canonical;
use crate::proposal::ProposalSet;
use crate::wire::registry::{ExchangeType, PayloadType, Protocol};
use crate::wire::{Proposals, RawMessage};

/// What such a message tells about its IKE SA.
pub(super) struct LoggedInit {
    pub(super) spi_i: [u8; 8],
    /// All zero in a request.
    pub(super) spi_r: [u8; 8],
    /// The text of the one proposal that a response has.
    pub(super) proposal: Option<String>,
}

impl LoggedInit {
    /// Reads the message at the front of the octets that are signed.
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

/// The IKE proposal of a message that has one and no other.
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
