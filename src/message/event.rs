//! What is wrong with a message or with a sequence of messages, as rules match it.

use crate::named::{named, set_of};
use crate::wire::ErrorKind;

named! {
    /// What rules match with `app-layer-event:ikev2.NAME`.
    ///
    /// Numbers are the order here and appear in rules' compiled form only.
    pub enum Event: core::ffi::CStr {
        /// Anything malformed; always beside an event that says what.
        MalformedData = c"malformed_data",
        /// A proposal for AH, or for ESP with NULL or AES-GMAC: integrity without encryption.
        NoEncryption = c"no_encryption",
        /// An encryption algorithm that the policy calls weak.
        WeakCryptoEnc = c"weak_crypto_enc",
        /// A pseudorandom function that the policy calls weak.
        WeakCryptoPrf = c"weak_crypto_prf",
        /// A key exchange method that the policy calls weak.
        WeakCryptoDh = c"weak_crypto_dh",
        /// An integrity algorithm that the policy calls weak.
        WeakCryptoAuth = c"weak_crypto_auth",
        /// An IKE proposal without a key exchange method.
        WeakCryptoNoDh = c"weak_crypto_no_dh",
        /// Encryption without integrity: neither an AEAD nor an integrity algorithm.
        WeakCryptoNoAuth = c"weak_crypto_no_auth",
        /// A proposal with an algorithm that must not stand there.
        InvalidProposal = c"invalid_proposal",
        /// A proposal with a transform type or algorithm that no registry has.
        UnknownProposal = c"unknown_proposal",
        /// Bytes behind the end of a payload's or the message's contents.
        PayloadExtraData = c"payload_extra_data",
        /// A response with more than one proposal.
        MultipleServerProposal = c"multiple_server_proposal",
        /// The IKE header is short or its length is impossible.
        MalformedHeader = c"malformed_header",
        /// A payload cannot be read.
        MalformedPayload = c"malformed_payload",
        /// The header's length is more than the bytes there are.
        LengthMismatch = c"length_mismatch",
        /// Bytes behind the message or behind its last payload.
        TrailingData = c"trailing_data",
        /// A payload of unknown type with the critical bit.
        UnknownCriticalPayload = c"unknown_critical_payload",
        /// Bytes behind the encrypted payload, which is always the last.
        PayloadAfterSk = c"payload_after_sk",
        /// A transform whose length is impossible.
        BadTransformLength = c"bad_transform_length",
        /// Numbers or counts of proposals and transforms that do not fit.
        ProposalCountMismatch = c"proposal_count_mismatch",
        /// More payloads than are kept of a message.
        TooManyPayloads = c"too_many_payloads",
        /// More proposals than are kept of a payload.
        TooManyProposals = c"too_many_proposals",
        /// More transforms than are kept of a message.
        TooManyTransforms = c"too_many_transforms",
        /// More notifies than are kept of a message.
        TooManyNotifies = c"too_many_notifies",
        /// A message of IKEv1 among those of IKEv2.
        Ikev1Seen = c"ikev1_seen",
        /// A major version other than 1 and 2.
        UnsupportedVersion = c"unsupported_version",
        /// An IKE SA initiator's SPI of zero (RFC 7296, 3.1).
        InvalidSpiZero = c"invalid_spi_zero",
        /// A key exchange whose length is not its method's.
        KeLengthWrong = c"ke_length_wrong",
        /// A key exchange of zero bytes only.
        KeAllZero = c"ke_all_zero",
        /// A nonce shorter than 16 or longer than 256 bytes (RFC 7296, 3.9).
        NonceLength = c"nonce_length",
        /// An IKE_SA_INIT that lacks SA, KE or Nonce.
        MissingPayload = c"missing_payload",
        /// A payload type of IKEv1 in a message of IKEv2.
        Ikev1Payload = c"ikev1_payload",
        /// The fragment payload (132) that Cisco used before RFC 7383.
        LegacyCiscoFragment = c"legacy_cisco_fragment",
        /// A notify of an error in a request of IKE_SA_INIT.
        ErrorNotifyInRequest = c"error_notify_in_request",
        /// An IKE_SA_INIT whose Message ID is not zero (RFC 7296, 2.2).
        SaInitMessageId = c"sa_init_message_id",
        /// A request of IKE_SA_INIT whose responder SPI is not zero (RFC 7296, 2.6).
        SaInitResponderSpi = c"sa_init_responder_spi",
        /// Thirty or more payloads outside the encrypted one.
        ManyPayloads = c"many_payloads",
        /// A fragment numbered 0 or above its total, or a total of 0 (RFC 7383, 2.5).
        InvalidFragment = c"invalid_fragment",
        /// A message that was sent before, byte for byte.
        Retransmission = c"retransmission",
        /// A message with the Message ID of another one but other bytes (RFC 7296, 2.1).
        ReplayChanged = c"replay_changed",
        /// A response to a request that was not sent.
        ResponseWithoutRequest = c"response_without_request",
        /// A request whose Message ID leaves out others (RFC 7296, 2.2).
        MessageIdGap = c"message_id_gap",
        /// CREATE_CHILD_SA or INFORMATIONAL right after IKE_SA_INIT, before IKE_AUTH.
        OutOfOrderExchange = c"out_of_order_exchange",
        /// A further IKE_AUTH for an SA that is authenticated.
        AuthTwice = c"auth_twice",
        /// A message of an SA after its delete was answered.
        MessageAfterDelete = c"message_after_delete",
        /// Authentication was refused, as the size of the answer tells.
        AuthFailed = c"auth_failed",
        /// The handshake ended with an error in clear or without an answer.
        HandshakeFailed = c"handshake_failed",
        /// A choice that is none of those offered (RFC 7296, 2.7).
        ChosenNotOffered = c"chosen_not_offered",
        /// A choice of more than one proposal (RFC 7296, 2.7).
        MultipleChosen = c"multiple_chosen",
        /// A key exchange of a method that was not offered or not chosen.
        KeGroupNotOffered = c"ke_group_not_offered",
        /// INVALID_KE_PAYLOAD that asks for a weaker method than the initiator came with.
        DowngradeKe = c"downgrade_ke",
        /// A further request of IKE_SA_INIT that offers less than the first.
        DowngradeRetry = c"downgrade_retry",
        /// Peers that settle for less than they did the last time.
        DowngradePeers = c"downgrade_peers",
        /// Two fragments of the same number and message with other bytes.
        FragmentConflict = c"fragment_conflict",
        /// A fragment whose total is another than that of those before.
        FragmentTotalChanged = c"fragment_total_changed",
        /// The same message in one piece and in fragments.
        FragmentMixed = c"fragment_mixed",
        /// Fragments of a message that was not complete in time.
        FragmentTimeout = c"fragment_timeout",
        /// More fragments, or fragmented messages at once, than are followed.
        TooManyFragments = c"too_many_fragments",
        /// ESP in UDP of a size that no peer sends, since the SA's last message.
        AbnormalEspSize = c"abnormal_esp_size",
        /// More messages at once than `max-tx` allows; the oldest were given up.
        TooManyTransactions = c"too_many_transactions",
        /// The operator's keys for the IKE SA do not open the message: it was changed on the
        /// way, forged, or the keys are not its own.
        IntegrityFailed = c"integrity_failed",
        /// A message of the handshake whose Initiator flag is not that of its sender: set in
        /// a response, or not set in a request (RFC 7296, 3.1).
        InitiatorFlagWrong = c"initiator_flag_wrong",
        /// A key exchange whose value gives a secret that everybody knows (RFC 6989, 2.1).
        KeKnownSecret = c"ke_known_secret",
    }
}

impl Event {
    /// Whether it speaks of weak algorithms, which honest peers offer and choose.
    pub fn is_weakness(self) -> bool {
        matches!(
            self,
            Self::NoEncryption
                | Self::WeakCryptoEnc
                | Self::WeakCryptoPrf
                | Self::WeakCryptoDh
                | Self::WeakCryptoAuth
                | Self::WeakCryptoNoDh
                | Self::WeakCryptoNoAuth
                | Self::UnknownProposal
        )
    }

    /// The event of a parse error.
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
    /// A set of events: one bit each.
    pub struct EventSet(u128) of Event
}

/// What another event of the same message says more exactly, or many messages have.
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
    /// The events with the most telling one first: those of the list come last, in its order.
    pub fn most_telling(self) -> impl Iterator<Item = Event> {
        let first = self.iter().filter(|event| !LEAST_TELLING.contains(event));
        first.chain(LEAST_TELLING.into_iter().filter(move |event| self.contains(*event)))
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
    }
}
