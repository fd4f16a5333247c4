//! The canonical text of a proposal. The same set of alternatives has the same text, in any
//! order. `docs/proposals.md` has the grammar.

use lazy_static::lazy_static;

use crate::digits::{Digits, Short};
use crate::proposal::{Proposal, ProposalSet, Transform};
use crate::wire::registry::{transform_name, TransformType};

/// The text of a proposal, such as
/// `IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048`.
///
/// A transform needs 32 bytes at most. The proposals of one message together need 32 KiB at
/// most ([`MAX_TRANSFORMS`](crate::proposal::MAX_TRANSFORMS)). One proposal needs 8 KiB at
/// most, because the count of its transforms is a byte.
pub fn text(set: &ProposalSet, proposal: &Proposal) -> String {
    let mut keys: Vec<_> = set.transforms(proposal).iter().map(SortKey::of).collect();
    sort(&mut keys);
    keys.dedup();
    let mut text = Vec::with_capacity(USUAL_LENGTH * (keys.len() + 1));
    match proposal.protocol.name() {
        Some(name) => text.extend_from_slice(name.as_bytes()),
        None => text.decimal(proposal.protocol.0.into()),
    }
    text.push(b':');
    for (place, run) in keys.chunk_by(SortKey::is_of_kind).enumerate() {
        if place > 0 {
            text.push(b'/');
        }
        write_run(run, &mut text);
    }
    // Names and digits are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Sorts the keys. Transforms of one type usually follow each other, and short runs are sorted
/// quickly.
fn sort(keys: &mut [SortKey]) {
    keys.chunk_by_mut(SortKey::is_of_kind).for_each(<[_]>::sort_unstable);
    if !keys.is_sorted() {
        // The sort of the standard library merges runs that are in order.
        keys.sort();
    }
}

/// The usual number of bytes of a transform.
const USUAL_LENGTH: usize = 16;

/// A transform as a number. The order of the numbers is the order in the text: the position of
/// the type, the identifier, and the key length, where no key length comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SortKey(u64);

impl SortKey {
    fn of(transform: &Transform) -> Self {
        let length = transform.key_length.map_or(0, |bits| u64::from(bits) + 1);
        let kind = swap_integrity(transform.kind);
        Self(u64::from(kind.0) << 40 | u64::from(transform.id) << 20 | length)
    }

    fn is_of_kind(&self, other: &Self) -> bool {
        self.0 >> 40 == other.0 >> 40
    }

    fn transform(self) -> Transform {
        Transform {
            kind: swap_integrity(TransformType((self.0 >> 40) as u8)),
            id: (self.0 >> 20) as u16,
            key_length: (self.0 & 0x1_ffff).checked_sub(1).map(|bits| bits as u16),
        }
    }
}

/// Puts integrity before the pseudorandom function. Other types keep their order.
fn swap_integrity(kind: TransformType) -> TransformType {
    match kind {
        TransformType::INTEG => TransformType::PRF,
        TransformType::PRF => TransformType::INTEG,
        other => other,
    }
}

/// Writes the transforms of one type.
fn write_run(run: &[SortKey], text: &mut Vec<u8>) {
    let Some(kind) = run.first().map(|first| first.transform().kind) else { return };
    let names = names_of(kind);
    // What stands before the number of one without a name.
    let mut label = None;
    // With `_`, MODP_1024 with a key length of 160 would look like the name of another group.
    let length = if kind == TransformType::ENCR { b'_' } else { b'-' };
    for (place, transform) in run.iter().map(|key| key.transform()).enumerate() {
        if place > 0 {
            text.push(b',');
        }
        match names.get(usize::from(transform.id)).and_then(Option::as_ref) {
            Some(name) => text.extend_from_slice(name.as_bytes()),
            None => {
                write_label(kind, &mut label, text);
                text.decimal(transform.id.into());
            }
        }
        if let Some(bits) = transform.key_length {
            text.push(length);
            text.decimal(bits.into());
        }
    }
}

/// Transform types and identifiers below these limits have their names in a table.
const KINDS: u8 = 16;
const IDS: u16 = 64;

lazy_static! {
    /// The names by type and identifier. An offer has dozens of them.
    static ref NAMES: Vec<Option<Box<str>>> = {
        let all = (0..KINDS).flat_map(|kind| (0..IDS).map(move |id| (TransformType(kind), id)));
        let name = |(kind, id)| {
            let mut text = Vec::new();
            write_name(kind, transform_name(kind, id)?, &mut text);
            String::from_utf8(text).ok().map(String::into_boxed_str)
        };
        all.map(name).collect()
    };
}

/// The names of the transforms of a type as [`write_name`] writes them, by identifier. All
/// assigned identifiers are in the table.
fn names_of(kind: TransformType) -> &'static [Option<Box<str>>] {
    let first = usize::from(kind.0) * usize::from(IDS);
    NAMES.get(first..first + usize::from(IDS)).unwrap_or(&[])
}

/// Writes the name in the registry without its prefix, because the position already shows the
/// type. If several types have the same name, the type is written too.
fn write_name(kind: TransformType, name: &str, text: &mut Vec<u8>) {
    let of_own_type = matches!(kind, TransformType::INTEG | TransformType::KE);
    if (of_own_type && name == "NONE") || (kind != TransformType::KE && kind.is_key_exchange()) {
        text.extend_from_slice(kind.name().unwrap_or_default().as_bytes());
        text.push(b'_');
    }
    let prefix = match kind {
        TransformType::ENCR => "ENCR_",
        TransformType::INTEG => "AUTH_",
        _ => "",
    };
    text.extend_from_slice(name.strip_prefix(prefix).unwrap_or(name).as_bytes());
}

/// The type and a sign, taken from the text where they are written for the first time.
fn write_label(kind: TransformType, label: &mut Option<Short>, text: &mut Vec<u8>) {
    if let Some(label) = label {
        return label.write(text);
    }
    let start = text.len();
    match kind.name() {
        Some(kind) => text.extend_from_slice(kind.as_bytes()),
        None => {
            text.extend_from_slice(b"TYPE");
            text.decimal(kind.0.into());
        }
    }
    text.push(b'-');
    *label = text.get(start..).map(Short::of);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::wire::registry::{Encr, KeyExchangeMethod, Protocol, SequenceNumbers};
    use crate::wire::testing::{proposal, sa_body, transform, transforms};
    use crate::wire::Proposals;

    #[test]
    fn every_assigned_identifier_is_in_the_table() {
        for kind in (0..=u8::MAX).map(TransformType) {
            for id in 0..=u16::MAX {
                let is_there = names_of(kind).get(usize::from(id)).is_some_and(Option::is_some);
                assert_eq!(is_there, transform_name(kind, id).is_some(), "{kind} {id}");
            }
        }
    }

    const ENCR: TransformType = TransformType::ENCR;
    const PRF: TransformType = TransformType::PRF;
    const INTEG: TransformType = TransformType::INTEG;
    const KE: TransformType = TransformType::KE;
    const SN: TransformType = TransformType::SN;

    fn text_of(protocol: Protocol, transforms: &[Vec<u8>]) -> String {
        let body = sa_body(&[proposal(1, protocol, &[], transforms)]);
        let mut set = ProposalSet::default();
        set.add(Proposals::new(&body, 32), &mut |error| panic!("{error}"));
        super::text(&set, &set.proposals()[0])
    }

    fn text(transforms: &[(TransformType, u16, Option<u16>)]) -> String {
        let bytes: Vec<_> =
            transforms.iter().map(|&(kind, id, k)| transform(kind, id, k)).collect();
        text_of(Protocol::IKE, &bytes)
    }

    #[test]
    fn the_example_of_the_documentation() {
        assert_eq!(
            text_of(Protocol::IKE, &transforms(KeyExchangeMethod::MODP_2048)),
            "IKE:AES_CBC_256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/MODP_2048"
        );
    }

    #[test]
    fn alternatives_are_sorted_and_their_order_on_the_wire_does_not_matter() {
        let mut rows =
            [(KE, 31, None), (ENCR, 20, Some(256)), (ENCR, 20, Some(128)), (KE, 19, None)];
        let sorted = "IKE:AES_GCM_16_128,AES_GCM_16_256/ECP_256,CURVE25519";
        for _ in 0..rows.len() {
            rows.rotate_left(1);
            assert_eq!(text(&rows), sorted);
        }
    }

    #[test]
    fn an_alternative_said_twice_is_said_once() {
        assert_eq!(text(&[(PRF, 5, None), (PRF, 5, None)]), "IKE:PRF_HMAC_SHA2_256");
    }

    #[test]
    fn sequence_numbers_stand_behind_the_key_exchange() {
        let rows = [
            transform(SN, SequenceNumbers::NO_ESN.0, None),
            transform(KE, 14, None),
            transform(INTEG, 2, None),
            transform(ENCR, Encr::ENCR_3DES.0, None),
        ];
        assert_eq!(text_of(Protocol::ESP, &rows), "ESP:3DES/HMAC_SHA1_96/MODP_2048/NO_ESN");
        assert_eq!(text_of(Protocol::AH, &rows[..1]), "AH:NO_ESN");
    }

    #[test]
    fn additional_key_exchanges_say_which() {
        let rows = [(TransformType::ADDKE2, 0, None), (TransformType::ADDKE1, 36, None)];
        assert_eq!(text(&rows), "IKE:ADDKE1_ML_KEM_768/ADDKE2_NONE");
    }

    #[test]
    fn numbers_nobody_assigned_are_numbers() {
        let rows = [
            (ENCR, 1025, Some(256)),
            (PRF, 0, None),
            (KE, 65000, None),
            (TransformType::ADDKE7, 9, None),
            (TransformType(200), 5, Some(7)),
        ];
        assert_eq!(text(&rows), "IKE:ENCR-1025_256/PRF-0/KE-65000/ADDKE7-9/TYPE200-5-7");
        assert_eq!(text_of(Protocol(99), &[]), "99:");
    }

    #[test]
    fn none_says_of_what() {
        assert_eq!(text(&[(INTEG, 0, None)]), "IKE:INTEG_NONE");
        assert_eq!(text(&[(KE, 0, None)]), "IKE:KE_NONE");
    }

    /// Types and identifiers, assigned ones and others. Each has key lengths that could be
    /// confused with a part of a name.
    #[test]
    fn different_transforms_have_different_texts() {
        let lengths = [0, 8, 12, 16, 64, 96, 128, 160, 192, 224, 256, 384, 512, 1024, 65535];
        let lengths: Vec<_> = core::iter::once(None).chain(lengths.map(Some)).collect();
        let mut seen = HashMap::new();
        for kind in (0..=16).chain([200]).map(TransformType) {
            for id in (0..=48).chain([1024, 65535]) {
                for key_length in &lengths {
                    let row = (kind, id, *key_length);
                    let one = text(&[row]);
                    assert!(one.len() - "IKE:".len() < 32, "{one}");
                    assert!(!one.contains(['/', ',', ' ', ';', '"', '|', '\\']), "{one}");
                    assert_eq!(seen.insert(one, row), None, "{row:?}");
                }
            }
        }
    }

    #[test]
    fn different_sets_have_different_texts() {
        let pool = [
            (ENCR, 12, Some(128)),
            (ENCR, 12, Some(256)),
            (ENCR, 20, Some(256)),
            (PRF, 5, None),
            (INTEG, 0, None),
            (INTEG, 12, None),
            (KE, 0, None),
            (KE, 14, None),
            (SN, 0, None),
            (TransformType::ADDKE1, 36, None),
        ];
        let mut seen = HashMap::new();
        for mask in 0..1_u32 << pool.len() {
            let chosen = pool.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1);
            let rows: Vec<_> = chosen.map(|(_, row)| *row).collect();
            assert_eq!(seen.insert(text(&rows), mask), None, "{rows:?}");
        }
    }

    #[test]
    fn the_longest_proposal_stays_in_its_bound() {
        let rows: Vec<_> = (0..255).map(|id| (ENCR, 35 + id * 251, Some(65535))).collect();
        assert!(text(&rows).len() <= 255 * 32);
    }
}
