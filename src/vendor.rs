//! Vendor IDs and the products that send them.
//!
//! A vendor may choose any bytes for its vendor ID (RFC 7296, 3.12). Usually they are a digest
//! of a text, sometimes a text. Both may be followed by a version. Therefore an entry of the
//! table is either a whole ID or the beginning of one.

use core::num::NonZeroU16;

/// Creates the table from rows such as `exact hex "00ff" => "name",`. A row has `prefix`
/// instead of `exact` for the beginning of an ID, and `text` instead of `hex` for ASCII.
macro_rules! ids {
    ($($extent:ident $form:ident $bytes:literal => $name:literal,)*) => {
        /// In the ascending order of their bytes.
        pub(super) static IDS: &[VendorEntry] = &[$(
            VendorEntry {
                bytes: ids!(@bytes $form $bytes),
                extent: ids!(@extent $extent),
                name: $name,
            },
        )*];
    };
    (@bytes text $text:literal) => { $text.as_bytes() };
    (@bytes hex $hex:literal) => {{
        const BYTES: [u8; $hex.len() / 2] = super::unhex($hex.as_bytes());
        &BYTES
    }};
    (@extent exact) => { super::Extent::Exact };
    (@extent prefix) => { super::Extent::Prefix };
}

mod ids;

/// A known vendor ID.
struct VendorEntry {
    bytes: &'static [u8],
    extent: Extent,
    name: &'static str,
}

/// Whether an entry is a whole ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The whole ID.
    Exact,
    /// The beginning of an ID. A version or other data may follow.
    Prefix,
}

/// The product that sends this vendor ID. The longest matching entry counts.
///
/// Among the entries that are not above the ID, the greatest one shares the most bytes with
/// it. If this entry does not match, the search continues with only the shared bytes. Each
/// step is for a shorter part of the ID, and there are few steps.
pub fn product(id: &[u8]) -> Option<&'static str> {
    product_of(id).map(Product::name)
}

/// A product of the table, as a small number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product(NonZeroU16);

impl Product {
    /// The name of the product.
    pub fn name(self) -> &'static str {
        ids::IDS.get(usize::from(self.0.get()) - 1).map_or("", |entry| entry.name)
    }
}

/// The same as [`product`], without its name.
pub fn product_of(id: &[u8]) -> Option<Product> {
    #[cfg(test)]
    tests::LOOKED_UP.set(tests::LOOKED_UP.get() + 1);
    let mut part = id;
    loop {
        let below = ids::IDS.partition_point(|entry| entry.bytes <= part);
        let entry = ids::IDS.get(below.checked_sub(1)?)?;
        let shared = shared_length(entry.bytes, part);
        if shared < entry.bytes.len() {
            part = part.get(..shared)?;
        } else if entry.extent == Extent::Prefix || entry.bytes.len() == id.len() {
            return NonZeroU16::new(u16::try_from(below).ok()?).map(Product);
        } else {
            part = part.get(..shared.checked_sub(1)?)?;
        }
    }
}

fn shared_length(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Converts pairs of lower-case hex digits to bytes. Other characters do not compile.
const fn unhex<const N: usize>(digits: &[u8]) -> [u8; N] {
    assert!(digits.len() == 2 * N, "an odd number of digits");
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]);
        i += 1;
    }
    bytes
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("not a lower-case hex digit"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use core::cell::Cell;

    use super::ids::IDS;
    use super::*;

    thread_local! {
        /// The number of searches for a product.
        pub(crate) static LOOKED_UP: Cell<usize> = const { Cell::new(0) };
    }

    #[test]
    fn the_table_is_sorted_and_each_id_is_there_once() {
        assert!(IDS.len() > 500);
        for pair in IDS.windows(2) {
            assert!(pair[0].bytes < pair[1].bytes, "{} and {}", pair[0].name, pair[1].name);
        }
    }

    #[test]
    fn every_entry_finds_itself() {
        for entry in IDS {
            assert_eq!(product(entry.bytes), Some(entry.name));
        }
    }

    #[test]
    fn an_entry_says_more_than_the_shorter_one_around_it() {
        for entry in IDS {
            let without = linear(entry.bytes, |other| other.bytes.len() < entry.bytes.len());
            assert_ne!(without, Some(entry.name), "{:02x?}", entry.bytes);
        }
    }

    #[test]
    fn names_are_plain_text() {
        for entry in IDS {
            assert!(!entry.bytes.is_empty() && !entry.name.is_empty());
            let plain = |c: u8| matches!(c, b' '..=b'~') && !b"\"';\\|".contains(&c);
            assert!(entry.name.bytes().all(plain) && entry.name.trim() == entry.name);
        }
    }

    #[test]
    fn the_longest_match_counts() {
        assert_eq!(product(b"OE"), Some("Openswan or FreeS/WAN"));
        assert_eq!(product(b"OErlA\\nQukSR"), Some("Openswan or FreeS/WAN"));
        assert_eq!(product(b"OEN123456789"), Some("libreswan 3.0 to 3.5"));
        assert_eq!(product(b"OEN_RhPPH{d^"), Some("libreswan 3.5"));
        assert_eq!(product(b"OE-Libreswan-5.2"), Some("libreswan"));
        assert_eq!(product(b"OE-Libreswan"), Some("Openswan or FreeS/WAN"));
        assert_eq!(product(b"OECn`{woXH"), Some("Openswan or FreeS/WAN"));
    }

    #[test]
    fn a_version_may_follow_a_prefix() {
        let windows = unhex::<16>(b"1e2b516905991c7d7c96fcbfb587e461");
        assert_eq!(product(&[&windows[..], &[0, 0, 0, 9]].concat()), Some("Windows 8 or later"));
        assert_eq!(product(&[&windows[..], &[0, 0, 0, 99]].concat()), Some("Windows"));
        assert_eq!(product(&[&windows[..], &[0, 0, 0, 9, 0]].concat()), Some("Windows"));
        assert_eq!(product(&windows[..15]), None);
    }

    #[test]
    fn an_exact_entry_is_the_whole_id() {
        assert_eq!(product(b"CISCO-DELETE-REASON"), Some("Cisco Delete Reason"));
        assert_eq!(product(b"CISCO-DELETE-REASON2"), None);
        assert_eq!(product(b"CISCO-DELETE-REASO"), None);
        let strongswan = unhex::<16>(b"882fe56d6fd20dbc2251613b2ebe5beb");
        assert_eq!(product(&strongswan), Some("strongSwan"));
        assert_eq!(product(&[&strongswan[..], &[0]].concat()), None);
    }

    #[test]
    fn short_and_empty_ids_are_no_products() {
        assert_eq!(product(b""), None);
        for byte in 0..=u8::MAX {
            assert_eq!(product(&[byte]), None);
        }
    }

    /// The longest matching entry, found by comparing all entries.
    fn linear(id: &[u8], among: impl Fn(&VendorEntry) -> bool) -> Option<&'static str> {
        let matching = IDS.iter().filter(|entry| match entry.extent {
            Extent::Exact => id == entry.bytes,
            Extent::Prefix => id.starts_with(entry.bytes),
        });
        matching.filter(|entry| among(entry)).max_by_key(|entry| entry.bytes.len()).map(|e| e.name)
    }

    #[test]
    fn the_search_finds_what_a_walk_over_the_table_finds() {
        for entry in IDS {
            for cut in 0..=entry.bytes.len() {
                for tail in [&[][..], &[0], &[0xff], b"-1", &[0; 9]] {
                    let id = [&entry.bytes[..cut], tail].concat();
                    assert_eq!(product(&id), linear(&id, |_| true), "{id:02x?}");
                }
            }
        }
    }
}
