//! A quick test whether a message may contain a number.
//!
//! Most rules look for a number that a message does not have. A set of remainders shows this
//! in one step, for any number of transforms. Only if the set says "perhaps" are the values
//! compared.

use core::ops::RangeInclusive;

use crate::proposal::ProposalSet;
use crate::wire::registry::TransformType;

/// A set of numbers, stored as their remainders modulo 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remainders(u64);

impl Remainders {
    /// The set of all numbers.
    pub const ALL: Self = Self(u64::MAX);

    /// The set of the numbers in a range.
    pub fn of(numbers: RangeInclusive<u32>) -> Self {
        let (first, last) = numbers.into_inner();
        match last.checked_sub(first) {
            None => Self::default(),
            Some(63..) => Self::ALL,
            Some(_) => (first..=last).collect(),
        }
    }

    /// The union of both sets.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a number may be in both sets.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<u32> for Remainders {
    fn from_iter<T: IntoIterator<Item = u32>>(numbers: T) -> Self {
        Self(numbers.into_iter().fold(0, |bits, number| bits | 1 << (number % 64)))
    }
}

/// The transforms that the proposals of a message may contain.
#[derive(Clone, Debug, Default)]
pub struct Prefilter {
    /// The transform identifiers by transform type. The last entry is for type 15 and above.
    transforms: [Remainders; 16],
}

impl Prefilter {
    /// The prefilter of some proposals.
    pub fn of(proposals: &ProposalSet) -> Self {
        let mut prefilter = Self::default();
        for transform in proposals.all_transforms() {
            let place = Self::place(transform.kind);
            let own = Remainders::of(transform.id.into()..=transform.id.into());
            prefilter.transforms[place] = prefilter.transforms[place].and(own);
        }
        prefilter
    }

    /// The identifiers of transforms of these types.
    pub fn transforms(&self, kinds: RangeInclusive<TransformType>) -> Remainders {
        let of_kinds = Self::place(*kinds.start())..=Self::place(*kinds.end());
        let of_kinds = self.transforms.get(of_kinds).unwrap_or(&[]);
        of_kinds.iter().fold(Remainders::default(), |all, of_kind| all.and(*of_kind))
    }

    fn place(kind: TransformType) -> usize {
        usize::from(kind.0).min(15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::testing::decode;
    use crate::wire::testing::sa_init;

    #[test]
    fn a_range_meets_what_is_in_it() {
        for (range, number, meets) in [
            (7..=7, 7, true),
            (7..=7, 8, false),
            (7..=7, 71, true),
            (60..=70, 65, true),
            (60..=70, 8, false),
            (0..=u32::MAX, 8, true),
            (0..=62, 63, false),
            (0..=63, 63, true),
        ] {
            let found = Remainders::of(range.clone()).meets([number].into_iter().collect());
            assert_eq!(found, meets, "{range:?} {number}");
        }
    }

    #[test]
    fn every_transform_of_a_message_is_in_its_prefilter() {
        let message = decode(&sa_init().build());
        let prefilter = message.prefilter();
        let of = |number: u16| Remainders::of(number.into()..=number.into());
        assert!(!message.proposals.is_empty());
        for transform in message.proposals.all_transforms() {
            assert!(prefilter.transforms(transform.kind..=transform.kind).meets(of(transform.id)));
        }
        let (first, last) = (TransformType::ADDKE1, TransformType::ADDKE7);
        assert!(!prefilter.transforms(first..=last).meets(Remainders::ALL));
    }
}
