//! The policy `custom`: lists of allowed algorithms from the configuration.

use super::names::suggestion;
use super::profile::{Refusal, TransformInProposal};
use super::table::{has_key_length, KEY_LENGTHS, TABLE};
use super::FindingKind;
use crate::proposal::Transform;
use crate::wire::registry::{Encr, Integ, KeyExchangeMethod, TransformType};

const NOT_LISTED: &str = "not in custom-policy";
const LENGTH_NOT_LISTED: &str = "key length not in custom-policy";

/// The kinds that can have a list: the finding, the transform type, and the noun for error
/// messages.
const KINDS: [(FindingKind, TransformType, &str); 5] = [
    (FindingKind::Encr, TransformType::ENCR, "a cipher"),
    (FindingKind::Prf, TransformType::PRF, "a pseudorandom function"),
    (FindingKind::Integ, TransformType::INTEG, "an integrity algorithm"),
    (FindingKind::Dh, TransformType::KE, "a key exchange method"),
    (FindingKind::Esn, TransformType::SN, "a kind of sequence numbers"),
];

/// An allowed algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AllowedAlgorithm {
    kind: FindingKind,
    id: u16,
    /// The only key length that is allowed, in bits. `None` allows every length.
    key_length: Option<u16>,
}

/// Lists of allowed algorithms, one for each kind. A kind without a list is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomPolicy {
    entries: Vec<AllowedAlgorithm>,
}

impl CustomPolicy {
    /// The kinds that [`Self::allow`] accepts.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(finding_kind, ..)| finding_kind.name())
    }

    /// Allows an algorithm of a kind. The kind is `encr`, `prf`, `integ`, `dh` or `esn`.
    /// The name is the registry's name in upper or lower case, or the algorithm's number.
    /// `_128`, `_192` or `_256` after the name allows only this key length.
    ///
    /// # Errors
    /// A text that describes what is wrong with the kind or the name, with the most similar
    /// valid one. It is written to follow the key of the configuration: `"AES" is not a
    /// cipher; …`.
    pub fn allow(&mut self, kind: &str, name: &str) -> Result<(), String> {
        let known =
            KINDS.iter().find(|(finding_kind, ..)| finding_kind.name().eq_ignore_ascii_case(kind));
        let Some((finding_kind, of, noun)) = known else {
            let kinds: Vec<_> = Self::kinds().collect();
            let hint = suggestion(kind, kinds.iter().copied());
            return Err(format!("\"{kind}\" is not one of {}{hint}", kinds.join(", ")));
        };
        let (id, key_length) = read(*of, noun, name.trim())?;
        self.entries.push(AllowedAlgorithm { kind: *finding_kind, id, key_length });
        Ok(())
    }

    /// Whether nothing is allowed. Then the policy checks nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn refusal(
        &self,
        offer: &TransformInProposal<'_>,
        finding_kind: FindingKind,
    ) -> Option<Refusal> {
        let Transform { kind, id, key_length } = *offer.transform;
        let none = match kind {
            TransformType::INTEG => Integ(id) == Integ::NONE,
            _ => kind.is_key_exchange() && KeyExchangeMethod(id) == KeyExchangeMethod::NONE,
        };
        let mut list = self.entries.iter().filter(|entry| entry.kind == finding_kind).peekable();
        if none || list.peek().is_none() {
            return None;
        }
        let mut same = list.filter(|entry| entry.id == id).peekable();
        if same.peek().is_none() {
            return Some((finding_kind, NOT_LISTED));
        }
        // A missing key length is another finding.
        let allowed = key_length.is_none()
            || same.any(|entry| entry.key_length.is_none() || entry.key_length == key_length);
        (!allowed).then_some((FindingKind::KeyLength, LENGTH_NOT_LISTED))
    }
}

/// The identifier, and the key length if the name ends with one.
fn read(kind: TransformType, noun: &str, name: &str) -> Result<(u16, Option<u16>), String> {
    if let Ok(id) = name.parse() {
        return Ok((id, None));
    }
    if let Some(id) = id_of(kind, name) {
        return Ok((id, None));
    }
    let with_length = name.rsplit_once('_').and_then(|(stem, bits)| {
        let id = id_of(kind, stem).filter(|_| kind == TransformType::ENCR)?;
        Some((Encr(id), bits.parse::<u16>().ok()?))
    });
    match with_length {
        Some((encr, _)) if !has_key_length(encr) => {
            Err(format!("\"{name}\" is not {noun}: {encr} has no choice of key lengths"))
        }
        Some((encr, bits)) if KEY_LENGTHS.contains(&bits) => Ok((encr.0, Some(bits))),
        Some((encr, _)) => {
            Err(format!("\"{name}\" is not {noun}: {encr} has keys of 128, 192 or 256 bits"))
        }
        None => {
            let names = spellings(kind);
            let hint = suggestion(name, names.iter().map(String::as_str));
            Err(format!("\"{name}\" is not {noun}{hint}"))
        }
    }
}

fn id_of(kind: TransformType, name: &str) -> Option<u16> {
    let mut rows = TABLE.iter().filter(|row| row.kind == kind);
    rows.find(|row| row.name().is_some_and(|known| known.eq_ignore_ascii_case(name)))
        .map(|row| row.id)
}

/// All spellings that are accepted. One of them is suggested after a mistake.
fn spellings(kind: TransformType) -> Vec<String> {
    let mut all = Vec::new();
    for row in TABLE.iter().filter(|row| row.kind == kind) {
        let Some(name) = row.name() else { continue };
        all.push(name.to_owned());
        if kind == TransformType::ENCR && has_key_length(Encr(row.id)) {
            all.extend(KEY_LENGTHS.iter().map(|bits| format!("{name}_{bits}")));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(kind: &str, name: &str) -> Result<(u16, Option<u16>), String> {
        let mut policy = CustomPolicy::default();
        policy.allow(kind, name)?;
        let entry = policy.entries[0];
        assert_eq!(entry.kind.name(), kind.to_ascii_lowercase());
        Ok((entry.id, entry.key_length))
    }

    #[test]
    fn names_are_those_of_the_registry_with_or_without_a_key_length() {
        assert_eq!(allowed("encr", "ENCR_AES_GCM_16"), Ok((20, None)));
        assert_eq!(allowed("encr", "encr_aes_gcm_16_256"), Ok((20, Some(256))));
        assert_eq!(allowed("encr", "ENCR_AES_CBC_192"), Ok((12, Some(192))));
        assert_eq!(allowed("encr", "ENCR_CHACHA20_POLY1305"), Ok((28, None)));
        assert_eq!(allowed("PRF", "PRF_HMAC_SHA2_256"), Ok((5, None)));
        assert_eq!(allowed("integ", " AUTH_HMAC_SHA2_256_128 "), Ok((12, None)));
        assert_eq!(allowed("dh", "ECP_256"), Ok((19, None)));
        assert_eq!(allowed("esn", "NO_ESN"), Ok((0, None)));
        assert_eq!(allowed("encr", "1026"), Ok((1026, None)));
    }

    #[test]
    fn every_spelling_is_understood() {
        for (finding_kind, kind, _) in KINDS {
            for name in spellings(kind) {
                assert!(allowed(finding_kind.name(), &name).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_the_nearest_name() {
        let error = |kind, name| allowed(kind, name).unwrap_err();
        assert_eq!(
            error("encr", "ENCR_AES_GCM16_256"),
            "\"ENCR_AES_GCM16_256\" is not a cipher; did you mean \"ENCR_AES_GCM_16_256\"?"
        );
        assert_eq!(
            error("encr", "ENCR_AES_CBC_512"),
            "\"ENCR_AES_CBC_512\" is not a cipher: ENCR_AES_CBC has keys of 128, 192 or 256 bits"
        );
        assert_eq!(
            error("encr", "ENCR_CHACHA20_POLY1305_256"),
            "\"ENCR_CHACHA20_POLY1305_256\" is not a cipher: ENCR_CHACHA20_POLY1305 has no choice \
             of key lengths"
        );
        assert_eq!(error("dh", "!"), "\"!\" is not a key exchange method");
        assert_eq!(
            error("prf", "HMAC_SHA2_256"),
            "\"HMAC_SHA2_256\" is not a pseudorandom function; did you mean \"PRF_HMAC_SHA2_256\"?"
        );
        assert_eq!(
            error("int", "NONE"),
            "\"int\" is not one of encr, prf, integ, dh, esn; did you mean \"integ\"?"
        );
    }
}
