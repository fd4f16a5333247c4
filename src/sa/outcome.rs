//! How a handshake ended. With keys the messages say it.
//!
//! Without keys, two things can be seen of an encrypted message. The SK payload names the first
//! payload inside (RFC 7296, 3.14), and the algorithms chosen in IKE_SA_INIT give
//! the exact size that a single notify has when it is encrypted. A response of
//! IKE_AUTH that begins with a notify and has that size carries an error and
//! nothing else: authentication was refused (2.21.2). One that begins with the
//! responder's identity or authentication was not. An EAP-Success alone is as large
//! as a notify but begins with EAP.

use crate::wire::registry::{Encr, Integ, PayloadType};

use super::exchange::Protected;
use super::known::Known;
use super::step::Step;
use super::Reason;

/// What encryption adds to the size of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    iv: u8,
    /// To whose multiple contents, padding and pad length are filled up.
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

    /// What an encrypted message of this size contains, if it may be 8 bytes: a
    /// Notify without SPI and data (3.10), or a Delete of the IKE SA (3.11).
    ///
    /// A pad length of one byte is added, and both are filled up to a block. Ciphers
    /// without blocks need no filling, but some peers fill up to 4, 8 or 16 bytes.
    fn eight_bytes(self, length: u32) -> Option<Certainty> {
        let overhead = u32::from(self.iv) + u32::from(self.checksum);
        let padded = length.checked_sub(overhead)?;
        if padded % u32::from(self.block) != 0 {
            return None;
        }
        match padded {
            9 | 12 => Some(Certainty::Certain),
            // Up to 15 bytes.
            16 => Some(Certainty::Likely),
            _ => None,
        }
    }
}

/// RFC 7296, 3.3.2 and the RFCs of IANA's registry.
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

/// Whether the message carries one notify without data and nothing else. None when
/// the sizes are needed and not known.
pub(super) fn is_lone_notify(message: Protected, sizes: Option<Sizes>) -> Option<bool> {
    if let Some(known) = message.known {
        return Some(matches!(known, Known::Error(_)));
    }
    if message.inner != PayloadType::NOTIFY {
        return Some(false);
    }
    sizes.map(|sizes| sizes.eight_bytes(message.length).is_some())
}

/// What a response of IKE_AUTH says; none while that depends on algorithms that
/// were not seen.
///
/// A first response with EAP inside begins with the responder's identity like any
/// other. That it was not the last one shows when the initiator goes on.
pub(super) fn judge(response: Protected, sizes: Option<Sizes>) -> Option<Step> {
    if let Some(known) = response.known {
        return Some(match known {
            Known::Error(kind) => Step::Fail(Reason::Decrypted(kind)),
            Known::EapFailure => Step::Fail(Reason::EapFailure),
            Known::Eap => Step::AnotherRound,
            Known::Authenticated | Known::AuthenticatedOnce => Step::Authenticated,
            Known::Delete | Known::Synchronize | Known::Other | Known::Later => return None,
        });
    }
    if is_lone_notify(response, sizes)? {
        return Some(Step::Fail(Reason::RefusedByResponder));
    }
    match response.inner {
        PayloadType::EAP => Some(Step::AnotherRound),
        PayloadType::NONE => None,
        _ => Some(Step::Authenticated),
    }
}

/// How sure a conclusion from a size is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Nothing else has this size.
    Certain,
    /// Padding hides whether there are some bytes more: the SPI of a child.
    Likely,
}

/// Whether an exchange that was begun with a Delete, and `asked` bytes, deleted the
/// IKE SA.
///
/// The delete of the IKE SA is answered with nothing, that of a child with a Delete of
/// the answerer's half, unless that one is on its way already or gone (RFC 7296,
/// 1.4.1). Some peers never send that half.
pub(super) fn deletion(asked: u16, answer: Protected, sizes: Option<Sizes>) -> Option<Certainty> {
    if answer.inner != PayloadType::NONE {
        return None;
    }
    let asked = u32::from(asked);
    match sizes {
        Some(sizes) => sizes.eight_bytes(asked),
        // With the least padding, or padded to 8 or 16 bytes, a Delete of the IKE SA is
        // larger than nothing by this; that of a child seldom is.
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

    fn message(inner: PayloadType, length: u32) -> Protected {
        Protected { inner, length, part: FragmentPart::Whole, known: None }
    }

    fn sizes(encr: Encr, integ: Integ) -> Sizes {
        let integ = (integ != Integ::NONE).then_some(integ);
        Sizes::of(encr, integ).unwrap()
    }

    /// Message lengths of captures, less 28 bytes of header and 4 of SK's own: a
    /// refusal or a delete of the IKE SA, and an empty message.
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
            // A peer that fills up to 8 bytes what need not be.
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
    fn an_answer_is_judged_by_its_first_payload_and_size() {
        let sizes = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let judged = |inner, length, sizes| judge(message(inner, length), sizes);
        let refused = Some(Step::Fail(Reason::RefusedByResponder));
        assert_eq!(judged(PayloadType::NOTIFY, 33, sizes), refused);
        assert_eq!(judged(PayloadType::NOTIFY, 100, sizes), Some(Step::Authenticated));
        assert_eq!(judged(PayloadType::NOTIFY, 33, None), None);
        assert_eq!(judged(PayloadType::EAP, 33, sizes), Some(Step::AnotherRound));
        assert_eq!(judged(PayloadType::IDR, 33, None), Some(Step::Authenticated));
        assert_eq!(judged(PayloadType::NONE, 25, sizes), None);
    }

    #[test]
    fn what_is_known_counts_before_what_sizes_tell() {
        let sizes = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let refused = NotifyType::AUTHENTICATION_FAILED;
        for (known, step) in [
            (Known::Error(refused), Some(Step::Fail(Reason::Decrypted(refused)))),
            (Known::EapFailure, Some(Step::Fail(Reason::EapFailure))),
            (Known::Eap, Some(Step::AnotherRound)),
            (Known::Authenticated, Some(Step::Authenticated)),
            (Known::Later, None),
            (Known::Other, None),
        ] {
            let is_error = matches!(known, Known::Error(_));
            let known = Protected { known: Some(known), ..message(PayloadType::NOTIFY, 33) };
            assert_eq!(judge(known, sizes), step);
            assert_eq!(is_lone_notify(known, None), Some(is_error));
        }
    }

    #[test]
    fn only_an_empty_answer_ends_an_sa() {
        let answer = |inner, length| message(inner, length);
        let gcm = Some(sizes(Encr::ENCR_AES_GCM_16, Integ::NONE));
        let empty = answer(PayloadType::NONE, 25);
        assert_eq!(deletion(33, empty, gcm), Some(Certainty::Certain));
        assert_eq!(deletion(37, empty, gcm), None);
        assert_eq!(deletion(33, answer(PayloadType::DELETE, 37), gcm), None);
        assert_eq!(deletion(33, empty, None), Some(Certainty::Likely));
        assert_eq!(deletion(37, empty, None), None);
    }
}
