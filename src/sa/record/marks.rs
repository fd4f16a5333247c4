//! What is known of an IKE SA, one bit each.

use bitflags::bitflags;

bitflags! {
    /// What is known of an IKE SA.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Marks: u16 {
        /// The SA was seen from its first message.
        const FROM_START = 1 << 0;
        /// A message of the initiator was seen.
        const INITIATOR_SEEN = 1 << 1;
        /// A message of the responder was seen.
        const RESPONDER_SEEN = 1 << 2;
        /// Messages of both peers were seen.
        const BOTH_SEEN = Self::INITIATOR_SEEN.bits() | Self::RESPONDER_SEEN.bits();
        /// A message of IKE_AUTH was seen, or a later one.
        const AUTH_SEEN = 1 << 3;
        /// No further round of IKE_AUTH belongs to the handshake.
        const AUTH_OVER = 1 << 4;
        /// The responder accepts more than one authentication (RFC 4739).
        const MULTIPLE_AUTH = 1 << 5;
        /// The responder already asked for another key exchange method.
        const GROUP_ASKED = 1 << 6;
        /// The SA was certainly deleted.
        const SURELY_CLOSED = 1 << 7;
        /// A message of IKE_SA_INIT was seen, but perhaps not as the first message.
        const INIT_SEEN = 1 << 8;
        /// Messages after the handshake prove that it succeeded.
        const CONFIRMED = 1 << 9;
        /// ESP of abnormal size came after the last message.
        const ABNORMAL_ESP = 1 << 10;
        /// The SA is counted among the half-open SAs of its responder.
        const COUNTED = 1 << 11;
        /// The chosen algorithms were compared with those of the same peers before.
        const SETTLED = 1 << 12;
        /// The last exchange has probably created the SA that replaces this one.
        const REKEY_FITS = 1 << 13;
    }
}
