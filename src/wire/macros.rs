//! The form every IANA table has here.

/// Defines an open registry: a number of which any value is legal, with a
/// constant and a name for those that IANA has assigned.
///
/// An enum would have to turn unassigned numbers into an error or an extra
/// variant. To an inspector they are data, and a newtype is exactly as big as
/// the field on the wire. A row is `CONSTANT = number,`, or
/// `CONSTANT = number => "name",` where the name is not the constant's.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub struct $registry:ident($raw:ty) {
            $( $constant:ident = $number:literal $(=> $name:literal)? , )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $registry(pub $raw);

        impl $registry {
            $(
                #[doc = concat!("`", open_enum!(@name $constant $($name)?), "`, number ", $number, ".")]
                pub const $constant: Self = Self($number);
            )*

            /// Every assigned number, in ascending order.
            pub const ALL: &'static [Self] = &[$( Self::$constant ),*];

            /// The name of a number that the table has; `None` for reserved and unassigned
            /// numbers, and for private use without a row.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $number => Some(open_enum!(@name $constant $($name)?)), )*
                    _ => None,
                }
            }

            /// The number that has this name, in any mixture of upper and lower
            /// case.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entry| {
                    entry.name().is_some_and(|known| known.eq_ignore_ascii_case(name))
                })
            }
        }

        impl core::fmt::Display for $registry {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => write!(f, "unknown-{}", self.0),
                }
            }
        }

        impl core::fmt::Debug for $registry {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl From<$raw> for $registry {
            fn from(number: $raw) -> Self {
                Self(number)
            }
        }
    };
    (@name $constant:ident) => { stringify!($constant) };
    (@name $constant:ident $name:literal) => { $name };
}

pub(crate) use open_enum;
