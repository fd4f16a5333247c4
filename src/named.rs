//! Macros for closed lists of names that rules and records use.

/// Defines an enum in which each variant has a name. `ALL` has the variants in order. `name()`
/// returns the given type, which is a text with a zero at its end for events.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $list:ident: $text:ty {
            $( $(#[$of:meta])+ $variant:ident = $name:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $list { $( $(#[$of])+ $variant, )+ }

        impl $list {
            /// All variants.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The name in rules and records.
            pub const fn name(self) -> &'static $text {
                match self { $( Self::$variant => $name, )+ }
            }
        }
    };
}

/// Defines a set of the variants of such an enum, one bit each.
macro_rules! set_of {
    ($(#[$meta:meta])* pub struct $set:ident($bits:ty) of $item:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set($bits);

        impl $set {
            /// Adds one element.
            pub fn insert(&mut self, item: $item) {
                const { assert!($item::ALL.len() <= <$bits>::BITS as usize) };
                self.0 |= 1 << item as u8;
            }

            /// The set of some elements.
            pub const fn of(items: &[$item]) -> Self {
                let (mut bits, mut place): ($bits, usize) = (0, 0);
                while place < items.len() {
                    bits |= 1 << items[place] as u8;
                    place += 1;
                }
                Self(bits)
            }

            /// Adds the elements of another set.
            pub fn merge(&mut self, other: Self) {
                self.0 |= other.0;
            }

            /// The elements that another set does not have.
            pub fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// The bits of the elements, in the order of `ALL`.
            pub fn bits(self) -> $bits {
                self.0
            }

            /// Whether the set has this element.
            pub fn contains(self, item: $item) -> bool {
                self.0 & (1 << item as u8) != 0
            }

            /// Whether the set has no element.
            pub fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The number of elements.
            pub fn len(self) -> usize {
                self.0.count_ones() as usize
            }

            /// The elements of the set, in their order. The time depends on the number of
            /// elements and not on the number of possible ones: most sets are empty.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                let mut rest = self.0;
                core::iter::from_fn(move || {
                    let item = $item::ALL.get(rest.trailing_zeros() as usize).copied()?;
                    rest &= rest - 1;
                    Some(item)
                })
            }
        }
    };
}

pub(crate) use {named, set_of};
