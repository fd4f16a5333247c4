//! The form of every closed list of words: what rules match and records say.

/// Defines an enum of which every variant has a name: its variants in order as `ALL`, and
/// `name()` of the given type, which for an event is a text that ends with a zero.
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
            /// All there are.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The name in rules and records.
            pub const fn name(self) -> &'static $text {
                match self { $( Self::$variant => $name, )+ }
            }
        }
    };
}

/// Defines a set of what such an enum lists: one bit each.
macro_rules! set_of {
    ($(#[$meta:meta])* pub struct $set:ident($bits:ty) of $item:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set($bits);

        impl $set {
            /// Adds one.
            pub fn insert(&mut self, item: $item) {
                const { assert!($item::ALL.len() <= <$bits>::BITS as usize) };
                self.0 |= 1 << item as u8;
            }

            /// Adds those of another set.
            pub fn merge(&mut self, other: Self) {
                self.0 |= other.0;
            }

            /// A bit for each that is in the set, in the order of all there are.
            pub fn bits(self) -> $bits {
                self.0
            }

            /// Whether it is in the set.
            pub fn contains(self, item: $item) -> bool {
                self.0 & (1 << item as u8) != 0
            }

            /// Whether there is none.
            pub fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Those in the set, in their order.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |item| self.contains(*item))
            }
        }
    };
}

pub(crate) use {named, set_of};
