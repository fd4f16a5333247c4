//! The macro that defines the IANA registries.

/// Defines a registry as a number type. Every value is legal. The numbers that IANA has
/// assigned get a constant and a name.
///
/// An enum would need an error or an extra variant for unassigned numbers. For an
/// inspection engine these numbers are normal data. A number type also has exactly the size
/// of the field. A row is `CONSTANT = number,`, or `CONSTANT = number => "name",` if the
/// name differs from the constant.
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

            /// All assigned numbers, in ascending order.
            pub const ALL: &'static [Self] = &[$( Self::$constant ),*];

            /// The name of a number. `None` for reserved, unassigned and private numbers
            /// that have no row.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $number => Some(open_enum!(@name $constant $($name)?)), )*
                    _ => None,
                }
            }

            /// The number with this name. Upper and lower case are equal.
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

        impl From<$registry> for $raw {
            fn from(entry: $registry) -> Self {
                entry.0
            }
        }
    };
    (@name $constant:ident) => { stringify!($constant) };
    (@name $constant:ident $name:literal) => { $name };
}

pub(crate) use open_enum;
