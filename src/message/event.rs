//! The events: what is wrong with a message or with a sequence of messages.

use crate::named::{named, set_of};
use crate::wire::ErrorKind;

named! {
    /// The events that rules match with `app-layer-event:ikev2.NAME`.
    ///
    /// The number of an event is its position here. It is only used in rules that Suricata has
    /// loaded.
    pub enum Event: core::ffi::CStr {
        /// Any malformed field. Another event says which one.
        MalformedData = c"malformed_data",
        /// A proposal for AH, or for ESP with NULL or AES-GMAC: integrity without encryption.
        NoEncryption = c"no_encryption",
        /// An encryption algorithm that the policy finds weak.
        WeakCryptoEnc = c"weak_crypto_enc",
        /// A pseudorandom function that the policy finds weak.
        WeakCryptoPrf = c"weak_crypto_prf",
        /// A key exchange method that the policy finds weak.
        WeakCryptoDh = c"weak_crypto_dh",
        /// An integrity algorithm that the policy finds weak.
        WeakCryptoAuth = c"weak_crypto_auth",
        /// An IKE proposal without a key exchange method.
        WeakCryptoNoDh = c"weak_crypto_no_dh",
        /// Encryption without integrity: neither an AEAD cipher nor an integrity algorithm.
        WeakCryptoNoAuth = c"weak_crypto_no_auth",
        /// A proposal with an algorithm that is not allowed in this place.
        InvalidProposal = c"invalid_proposal",
        /// A proposal with a transform type or algorithm that is in no registry.
        UnknownProposal = c"unknown_proposal",
        /// Bytes after the end of the contents of a payload or of the message.
        PayloadExtraData = c"payload_extra_data",
        /// A response with more than one proposal.
        MultipleServerProposal = c"multiple_server_proposal",
        /// The IKE header is too short, or its length is impossible.
        MalformedHeader = c"malformed_header",
        /// A payload cannot be decoded.
        MalformedPayload = c"malformed_payload",
        /// The length in the header is larger than the number of captured bytes.
        LengthMismatch = c"length_mismatch",
        /// Bytes after the message or after its last payload.
        TrailingData = c"trailing_data",
        /// A payload of unknown type with the critical bit.
        UnknownCriticalPayload = c"unknown_critical_payload",
        /// Bytes after the encrypted payload, which must be the last one.
        PayloadAfterSk = c"payload_after_sk",
        /// A transform with an impossible length.
        BadTransformLength = c"bad_transform_length",
        /// The numbers or counts of proposals and transforms do not match.
        ProposalCountMismatch = c"proposal_count_mismatch",
        /// More payloads than are kept of a message.
        TooManyPayloads = c"too_many_payloads",
        /// More proposals than are kept of a payload.
        TooManyProposals = c"too_many_proposals",
        /// More transforms than are kept of a message.
        TooManyTransforms = c"too_many_transforms",
        /// More notifies than are kept of a message.
        TooManyNotifies = c"too_many_notifies",
        /// A message of IKEv1 in a flow of IKEv2.
        Ikev1Seen = c"ikev1_seen",
        /// A major version other than 1 and 2.
        UnsupportedVersion = c"unsupported_version",
        /// The initiator's SPI of an IKE SA is zero (RFC 7296, 3.1).
        InvalidSpiZero = c"invalid_spi_zero",
        /// A KE payload whose length does not match its method.
        KeLengthWrong = c"ke_length_wrong",
        /// A KE payload with only zero bytes.
        KeAllZero = c"ke_all_zero",
        /// A nonce shorter than 16 or longer than 256 bytes (RFC 7296, 3.9).
        NonceLength = c"nonce_length",
        /// An IKE_SA_INIT message without SA, KE or Nonce.
        MissingPayload = c"missing_payload",
        /// A payload type of IKEv1 in a message of IKEv2.
        Ikev1Payload = c"ikev1_payload",
        /// The fragment payload (132) that Cisco used before RFC 7383.
        LegacyCiscoFragment = c"legacy_cisco_fragment",
        /// An error notify in a request of IKE_SA_INIT.
        ErrorNotifyInRequest = c"error_notify_in_request",
        /// An IKE_SA_INIT message whose Message ID is not zero (RFC 7296, 2.2).
        SaInitMessageId = c"sa_init_message_id",
        /// A request of IKE_SA_INIT whose responder SPI is not zero (RFC 7296, 2.6).
        SaInitResponderSpi = c"sa_init_responder_spi",
        /// Thirty or more unencrypted payloads.
        ManyPayloads = c"many_payloads",
        /// A fragment whose number is 0 or above its total, or a total of 0 (RFC 7383, 2.5).
        InvalidFragment = c"invalid_fragment",
        /// A message that is byte for byte the same as an earlier one.
        Retransmission = c"retransmission",
        /// A message with the Message ID of an earlier one but other bytes (RFC 7296, 2.1).
        ReplayChanged = c"replay_changed",
        /// A response to a request that was not sent.
        ResponseWithoutRequest = c"response_without_request",
        /// A request whose Message ID leaves a gap after earlier ones (RFC 7296, 2.2).
        MessageIdGap = c"message_id_gap",
        /// CREATE_CHILD_SA or INFORMATIONAL directly after IKE_SA_INIT, before IKE_AUTH.
        OutOfOrderExchange = c"out_of_order_exchange",
        /// Another IKE_AUTH exchange for an SA that is already authenticated.
        AuthTwice = c"auth_twice",
        /// A message of an SA after the response to its delete.
        MessageAfterDelete = c"message_after_delete",
        /// Authentication was refused. Without keys, this is inferred from the size of the
        /// response.
        AuthFailed = c"auth_failed",
        /// The handshake ended with an unencrypted error, or without a response.
        HandshakeFailed = c"handshake_failed",
        /// The choice was not offered (RFC 7296, 2.7).
        ChosenNotOffered = c"chosen_not_offered",
        /// A choice of more than one proposal (RFC 7296, 2.7).
        MultipleChosen = c"multiple_chosen",
        /// A KE payload with a method that was not offered or not chosen.
        KeGroupNotOffered = c"ke_group_not_offered",
        /// INVALID_KE_PAYLOAD asks for a weaker method than the initiator used.
        DowngradeKe = c"downgrade_ke",
        /// A later request of IKE_SA_INIT offers less than the first one.
        DowngradeRetry = c"downgrade_retry",
        /// The peers choose weaker algorithms than the last time.
        DowngradePeers = c"downgrade_peers",
        /// Two fragments of a message with the same number and other bytes.
        FragmentConflict = c"fragment_conflict",
        /// A fragment whose total differs from that of earlier fragments.
        FragmentTotalChanged = c"fragment_total_changed",
        /// The same message came unfragmented and in fragments.
        FragmentMixed = c"fragment_mixed",
        /// A fragmented message was not complete in time.
        FragmentTimeout = c"fragment_timeout",
        /// More fragments, or more fragmented messages at the same time, than are followed.
        TooManyFragments = c"too_many_fragments",
        /// ESP packets in UDP of an abnormal size came since the SA's last message.
        AbnormalEspSize = c"abnormal_esp_size",
        /// More messages at the same time than `max-tx` allows. The oldest were dropped.
        TooManyTransactions = c"too_many_transactions",
        /// The operator's keys for the IKE SA do not decrypt the message. It was changed on
        /// the path or forged, or the keys belong to another SA.
        IntegrityFailed = c"integrity_failed",
        /// The Initiator flag of a handshake message is wrong: set in a response, or not set
        /// in a request (RFC 7296, 3.1).
        InitiatorFlagWrong = c"initiator_flag_wrong",
        /// A KE payload whose value leads to a shared secret that everybody knows (RFC 6989,
        /// 2.1).
        KeKnownSecret = c"ke_known_secret",
    }
}

impl Event {
    /// The event for a parse error.
    pub fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::MalformedHeader => Self::MalformedHeader,
            ErrorKind::UnsupportedVersion => Self::UnsupportedVersion,
            ErrorKind::MalformedPayload => Self::MalformedPayload,
            ErrorKind::LengthMismatch => Self::LengthMismatch,
            ErrorKind::TrailingData => Self::TrailingData,
            ErrorKind::UnknownCriticalPayload => Self::UnknownCriticalPayload,
            ErrorKind::PayloadAfterEncrypted => Self::PayloadAfterSk,
            ErrorKind::BadTransformLength => Self::BadTransformLength,
            ErrorKind::ProposalCountMismatch => Self::ProposalCountMismatch,
            ErrorKind::TooManyPayloads => Self::TooManyPayloads,
            ErrorKind::TooManyProposals => Self::TooManyProposals,
            ErrorKind::TooManyTransforms => Self::TooManyTransforms,
        }
    }
}

set_of! {
    /// A set of events, one bit each.
    pub struct EventSet(u128) of Event
}

/// Events that say little: another event of the same message is more exact, or many messages
/// have them.
const LEAST_TELLING: [Event; 13] = [
    Event::InvalidProposal,
    Event::UnknownProposal,
    Event::NoEncryption,
    Event::WeakCryptoNoDh,
    Event::WeakCryptoNoAuth,
    Event::WeakCryptoEnc,
    Event::WeakCryptoDh,
    Event::WeakCryptoAuth,
    Event::WeakCryptoPrf,
    Event::ManyPayloads,
    Event::Retransmission,
    Event::PayloadExtraData,
    Event::MalformedData,
];

impl EventSet {
    /// The events about weak algorithms, which correct peers also offer and choose.
    const WEAKNESSES: Self = Self::of(&[
        Event::NoEncryption,
        Event::WeakCryptoEnc,
        Event::WeakCryptoPrf,
        Event::WeakCryptoDh,
        Event::WeakCryptoAuth,
        Event::WeakCryptoNoDh,
        Event::WeakCryptoNoAuth,
        Event::UnknownProposal,
    ]);

    /// The events that are not about weak algorithms.
    pub fn faults(self) -> Self {
        self.without(Self::WEAKNESSES)
    }

    /// The events, ordered by how much they say. Those of `LEAST_TELLING` come last, in its
    /// order.
    pub fn most_telling(self) -> impl Iterator<Item = Event> {
        const LEAST: EventSet = EventSet::of(&LEAST_TELLING);
        let last: &[Event] = match self.without(self.without(LEAST)).is_empty() {
            true => &[],
            false => &LEAST_TELLING,
        };
        let last = last.iter().copied().filter(move |event| self.contains(*event));
        self.without(LEAST).iter().chain(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_bit_and_a_name_of_its_own() {
        assert!(Event::ALL.len() <= 128);
        let mut names: Vec<_> = Event::ALL.iter().map(|event| event.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Event::ALL.len());
    }

    #[test]
    fn the_builtin_parsers_twelve_names_are_kept() {
        let ours: Vec<_> = Event::ALL.iter().map(|event| event.name().to_str()).collect();
        for name in [
            "malformed_data",
            "no_encryption",
            "weak_crypto_enc",
            "weak_crypto_prf",
            "weak_crypto_dh",
            "weak_crypto_auth",
            "weak_crypto_no_dh",
            "weak_crypto_no_auth",
            "invalid_proposal",
            "unknown_proposal",
            "payload_extra_data",
            "multiple_server_proposal",
        ] {
            assert!(ours.contains(&Ok(name)), "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_inserted_and_nothing_else() {
        let mut set = EventSet::default();
        set.insert(Event::TrailingData);
        set.insert(Event::MalformedData);
        assert_eq!(set.iter().collect::<Vec<_>>(), [Event::MalformedData, Event::TrailingData]);
        let all = EventSet::of(Event::ALL);
        assert_eq!(all.iter().collect::<Vec<_>>(), Event::ALL);
        assert_eq!((all.len(), all.without(all).len()), (Event::ALL.len(), 0));
    }

    #[test]
    fn the_most_telling_events_come_first_and_none_is_lost() {
        let all: Vec<_> = EventSet::of(Event::ALL).most_telling().collect();
        let (first, last) = all.split_at(all.len() - LEAST_TELLING.len());
        assert_eq!(last, LEAST_TELLING);
        let others = Event::ALL.iter().filter(|event| !LEAST_TELLING.contains(event));
        assert_eq!(first.iter().collect::<Vec<_>>(), others.collect::<Vec<_>>());
        assert_eq!(EventSet::default().most_telling().next(), None);
    }
}
