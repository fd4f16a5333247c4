//! How a handshake ended. With keys, the messages say it.
//!
//! Without keys, two things of an encrypted message are visible. First, the SK payload has the
//! type of the first encrypted payload (RFC 7296, 3.14). Second, the algorithms chosen in
//! IKE_SA_INIT give the exact size of an encrypted message that has a single notify.
//!
//! A response of IKE_AUTH that begins with a notify and has that size is an error: the
//! authentication was refused (2.21.2). A response that begins with the responder's identity
//! or authentication is no refusal. An EAP-Success alone is as large as a notify, but it
//! begins with an EAP payload.

use crate::wire::registry::{Encr, Integ, PayloadType};

use super::decrypted_content::DecryptedContent;
use super::exchange::Protected;
use super::step::Step;
use super::Reason;

/// The bytes that encryption adds to the contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    iv: u8,
    /// Contents, padding and pad length are filled up to a multiple of this.
    block: u8,
    checksum: u8,
}

impl Sizes {
    /// None for algorithms that no IKE SA uses, or whose sizes are not known.
    pub(super) fn of(encr: Encr, integ: Option<Integ>) -> Option<Self> {
        let (iv, block, checksum) = match encr {
            Encr::ENCR_AES_CBC | Encr::ENCR_CAMELLIA_CBC => (16, 16, None),
            Encr::ENCR_DES
            | Encr::ENCR_DES_IV64
            | Encr::ENCR_3DES
            | Encr::ENCR_CAST
            | Encr::ENCR_IDEA
            | Encr::ENCR_BLOWFISH => (8, 8, None),
            // RFC 5930, 3; RFC 5529.
            Encr::ENCR_AES_CTR | Encr::ENCR_CAMELLIA_CTR => (8, 1, None),
            Encr::ENCR_NULL => (0, 1, None),
            // RFC 5282, 3 and 4; RFC 7634, 2.
            Encr::ENCR_AES_CCM_8 | Encr::ENCR_AES_GCM_8 | Encr::ENCR_CAMELLIA_CCM_8 => {
                (8, 1, Some(8))
            }
            Encr::ENCR_AES_CCM_12 | Encr::ENCR_AES_GCM_12 | Encr::ENCR_CAMELLIA_CCM_12 => {
                (8, 1, Some(12))
            }
            Encr::ENCR_AES_CCM_16
            | Encr::ENCR_AES_GCM_16
            | Encr::ENCR_CAMELLIA_CCM_16
            | Encr::ENCR_CHACHA20_POLY1305 => (8, 1, Some(16)),
            _ => return None,
        };
        let checksum = match checksum {
            Some(checksum) => checksum,
            None => checksum_length(integ?)?,
        };
        Some(Self { iv, block, checksum })
    }

    /// The size of an encrypted message with contents of this size, with the least padding.
    pub(super) fn encrypted(self, contents: usize) -> u32 {
        let block = usize::from(self.block).max(1);
        let padded = (contents + 1).div_ceil(block) * block;
        let size = usize::from(self.iv) + padded + usize::from(self.checksum);
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    /// Whether an encrypted message of this size may contain exactly 8 bytes. This is a Notify
    /// without SPI and data (3.10), or a Delete of the IKE SA (3.11).
    ///
    /// Encryption adds a pad length of one byte and fills both up to a block. Ciphers without
    /// blocks need no padding, but some peers fill up to 4, 8 or 16 bytes.
    fn eight_bytes(self, length: u32) -> Option<Certainty> {
        let overhead = u32::from(self.iv) + u32::from(self.checksum);
        let padded = length.checked_sub(overhead)?;
        if padded % u32::from(self.block) != 0 {
            return None;
        }
        match padded {
            9 | 12 => Some(Certainty::Certain),
            // Up to 15 bytes are possible.
            16 => Some(Certainty::Likely),
            _ => None,
        }
    }
}

/// The bytes of the checksum (RFC 7296, 3.3.2, and the RFCs in IANA's registry).
fn checksum_length(integ: Integ) -> Option<u8> {
    Some(match integ {
        Integ::AUTH_DES_MAC => 8,
        Integ::AUTH_HMAC_MD5_96
        | Integ::AUTH_HMAC_SHA1_96
        | Integ::AUTH_AES_XCBC_96
        | Integ::AUTH_AES_CMAC_96 => 12,
        Integ::AUTH_KPDK_MD5 | Integ::AUTH_HMAC_MD5_128 | Integ::AUTH_HMAC_SHA2_256_128 => 16,
        Integ::AUTH_HMAC_SHA1_160 => 20,
        Integ::AUTH_HMAC_SHA2_384_192 => 24,
        Integ::AUTH_HMAC_SHA2_512_256 => 32,
        _ => return None,
    })
}

/// Whether the message has one notify without data and nothing else. None if this depends on
/// algorithms that are not known.
pub(super) fn is_lone_notify(message: Protected, sizes: Option<Sizes>) -> Option<bool> {
    if let Some(content) = message.decrypted {
        return Some(matches!(content, DecryptedContent::Error(_)));
    }
    if message.first_payload != PayloadType::NOTIFY {
        return Some(false);
    }
    sizes.map(|sizes| sizes.eight_bytes(message.length).is_some())
}

/// The meaning of a response of IKE_AUTH. None if this depends on algorithms that are not
/// known.
///
/// A first response with EAP begins with the responder's identity like any other response. The
/// next request of the initiator then shows that it was not the last one.
pub(super) fn judge(response: Protected, sizes: Option<Sizes>) -> Option<Step> {
    if let Some(content) = response.decrypted {
        return Some(match content {
            DecryptedContent::Error(kind) => Step::Fail(Reason::Decrypted(kind)),
            DecryptedContent::EapFailure => Step::Fail(Reason::EapFailure),
            DecryptedContent::Eap => Step::AnotherRound,
            DecryptedContent::Authenticated | DecryptedContent::AuthenticatedOnce => {
                Step::Authenticated
            }
            DecryptedContent::Delete
            | DecryptedContent::Synchronize
            | DecryptedContent::Other
            | DecryptedContent::Partial => return None,
        });
    }
    if is_lone_notify(response, sizes)? {
        return Some(Step::Fail(Reason::RefusedByResponder));
    }
    match response.first_payload {
        PayloadType::EAP => Some(Step::AnotherRound),
        PayloadType::NONE => None,
        _ => Some(Step::Authenticated),
    }
}

/// How sure a conclusion from a size is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// No other contents have this size.
    Certain,
    /// Because of padding, the contents may have some more bytes, such as the SPI of a child
    /// SA.
    Likely,
}

/// Whether an exchange deleted the IKE SA. Its request began with a Delete and had `asked`
/// encrypted bytes.
///
/// The response to a delete of the IKE SA is empty. The response to a delete of a child SA has
/// a Delete for the other direction, unless that one was already deleted (RFC 7296, 1.4.1).
/// Some peers never send it.
pub(super) fn deletion(asked: u16, answer: Protected, sizes: Option<Sizes>) -> Option<Certainty> {
    if answer.first_payload != PayloadType::NONE {
        return None;
    }
    let asked = u32::from(asked);
    match sizes {
        Some(sizes) => sizes.eight_bytes(asked),
        // With the least padding, or padding to 8 or 16 bytes, a Delete of the IKE SA is
        // larger than an empty message by this number of bytes. A Delete of a child SA rarely
        // is.
        None => {
            matches!(asked.checked_sub(answer.length), Some(0 | 8)).then_some(Certainty::Likely)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::FragmentPart;
    use super::*;
    use crate::wire::registry::NotifyType;

    fn message(first_payload: PayloadType, length: u32) -> Protected {
        Protected { first_payload, length, part: FragmentPart::Whole, decrypted: None }
    }

    fn sizes(encr: Encr, integ: Integ) -> Sizes {
        let integ = (integ != Integ::NONE).then_some(integ);
        Sizes::of(encr, integ).unwrap()
    }

    /// Message lengths from captures: a refusal or a delete of the IKE SA, and an empty
    /// message. The header of 28 bytes and the 4 bytes of SK's own header are subtracted.
    #[test]
    fn sizes_are_those_of_captures() {
        for (encr, integ, lone, empty) in [
            (Encr::ENCR_AES_CBC, Integ::AUTH_HMAC_SHA1_96, 76, None),
            (Encr::ENCR_AES_CBC, Integ::AUTH_HMAC_SHA2_256_128, 80, None),
            (Encr::ENCR_AES_CBC, Integ::AUTH_HMAC_SHA2_512_256, 96, None),
            (Encr::ENCR_3DES, Integ::AUTH_HMAC_MD5_96, 68, Some(60)),
            (Encr::ENCR_3DES, Integ::AUTH_HMAC_SHA1_160, 76, Some(68)),
            (Encr::ENCR_DES, Integ::AUTH_HMAC_MD5_96, 68, Some(60)),
            (Encr::ENCR_AES_GCM_16, Integ::NONE, 65, Some(57)),
            (Encr::ENCR_AES_CCM_12, Integ::NONE, 61, Some(53)),
            (Encr::ENCR_CHACHA20_POLY1305, Integ::NONE, 65, Some(57)),
            // A peer that pads to 8 bytes although the cipher does not need it.
            (Encr::ENCR_AES_GCM_16, Integ::NONE, 72, Some(64)),
            (Encr::ENCR_AES_CTR, Integ::AUTH_HMAC_SHA2_256_128, 72, Some(64)),
        ] {
            let sizes = sizes(encr, integ);
            assert!(sizes.eight_bytes(lone - 32).is_some(), "{encr} {integ}");
            let empty = empty.map(|empty| sizes.eight_bytes(empty - 32));
            assert!(matches!(empty, None | Some(None)), "{encr} {integ}");
        }
    }

    #[test]
    fn every_checksum_counts() {
        for (encr, integ, overhead) in [
            (Encr::ENCR_AES_GCM_8, Integ::NONE, 16),
            (Encr::ENCR_AES_GCM_12, Integ::NONE, 20),
            (Encr::ENCR_AES_CCM_8, Integ::NONE, 16),
            (Encr::ENCR_AES_CCM_16, Integ::NONE, 24),
            (Encr::ENCR_CAMELLIA_CCM_8, Integ::NONE, 16),
            (Encr::ENCR_CAMELLIA_CTR, Integ::AUTH_AES_XCBC_96, 20),
            (Encr::ENCR_AES_CTR, Integ::AUTH_HMAC_SHA2_384_192, 32),
            (Encr::ENCR_NULL, Integ::AUTH_AES_CMAC_96, 12),
        ] {
            let sizes = sizes(encr, integ);
            assert_eq!(sizes.eight_bytes(overhead + 9), Some(Certainty::Certain), "{encr}");
            assert_eq!(sizes.eight_bytes(overhead + 13), None, "{encr}");
            assert_eq!(sizes.eight_bytes(overhead - 1), None, "{encr}");
        }
        let camellia = sizes(Encr::ENCR_CAMELLIA_CBC, Integ::AUTH_HMAC_SHA2_256_128);
        assert_eq!(camellia.eight_bytes(48), Some(Certainty::Likely));
        assert_eq!(camellia.eight_bytes(64), None);
    }

    #[test]
    fn unknown_algorithms_have_no_sizes() {
        for (encr, integ) in [
            (Encr(1024), Some(Integ::AUTH_HMAC_SHA1_96)),
            (Encr::ENCR_AES_CBC, Some(Integ(1024))),
            (Encr::ENCR_AES_CBC, None),
        ] {
            assert_eq!(Sizes::of(encr, integ), None);
        }
    }

    #[test]
    fn a_response_is_judged_by_its_first_payload_and_size() {
        let sizes = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let judged = |first_payload, length, sizes| judge(message(first_payload, length), sizes);
        let refused = Some(Step::Fail(Reason::RefusedByResponder));
        assert_eq!(judged(PayloadType::NOTIFY, 33, sizes), refused);
        assert_eq!(judged(PayloadType::NOTIFY, 100, sizes), Some(Step::Authenticated));
        assert_eq!(judged(PayloadType::NOTIFY, 33, None), None);
        assert_eq!(judged(PayloadType::EAP, 33, sizes), Some(Step::AnotherRound));
        assert_eq!(judged(PayloadType::IDR, 33, None), Some(Step::Authenticated));
        assert_eq!(judged(PayloadType::NONE, 25, sizes), None);
    }

    #[test]
    fn decrypted_contents_count_before_sizes() {
        let sizes = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let refused = NotifyType::AUTHENTICATION_FAILED;
        for (content, step) in [
            (DecryptedContent::Error(refused), Some(Step::Fail(Reason::Decrypted(refused)))),
            (DecryptedContent::EapFailure, Some(Step::Fail(Reason::EapFailure))),
            (DecryptedContent::Eap, Some(Step::AnotherRound)),
            (DecryptedContent::Authenticated, Some(Step::Authenticated)),
            (DecryptedContent::Partial, None),
            (DecryptedContent::Other, None),
        ] {
            let is_error = matches!(content, DecryptedContent::Error(_));
            let decrypted =
                Protected { decrypted: Some(content), ..message(PayloadType::NOTIFY, 33) };
            assert_eq!(judge(decrypted, sizes), step);
            assert_eq!(is_lone_notify(decrypted, None), Some(is_error));
        }
    }

    #[test]
    fn only_an_empty_response_ends_an_sa() {
        let answer = |first_payload, length| message(first_payload, length);
        let gcm = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let empty = answer(PayloadType::NONE, 25);
        assert_eq!(deletion(33, empty, gcm), Some(Certainty::Certain));
        assert_eq!(deletion(37, empty, gcm), None);
        assert_eq!(deletion(33, answer(PayloadType::DELETE, 37), gcm), None);
        assert_eq!(deletion(33, empty, None), Some(Certainty::Likely));
        assert_eq!(deletion(37, empty, None), None);
    }
}
