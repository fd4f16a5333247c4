//! Messages of IKEv1 (RFC 2408), which are for the built-in parser `ike`.

use crate::wire::datagram::NON_ESP_MARKER;
use crate::wire::Header;

/// The offset of the version in a header.
const VERSION: usize = 17;

/// The exchange types of RFC 2408 and RFC 2409, and Mode Config.
const EXCHANGES: [u8; 7] = [1, 2, 4, 5, 6, 32, 33];

/// The flags Encryption, Commit and Authentication Only (RFC 2408, 3.1).
const FLAGS: u8 = 0x07;

/// Whether a datagram on port 4500 has a non-ESP marker and a header with major version 1.
pub(super) fn is_marked_ikev1(data: &[u8]) -> bool {
    let message = data.strip_prefix(&NON_ESP_MARKER);
    let header = message.and_then(|message| Header::parse(message).ok());
    header.is_some_and(|header| header.version.major() == 1)
}

/// Whether a datagram on port 500 is a message of IKEv1.
pub(super) fn is_ikev1(data: &[u8]) -> bool {
    if data.get(VERSION).is_none_or(|version| version >> 4 != 1) {
        return false;
    }
    Header::parse(data).is_ok_and(|header| {
        EXCHANGES.contains(&header.exchange_type.0)
            && header.flags.0 & !FLAGS == 0
            && header.init_spi != [0; 8]
            && usize::try_from(header.length) == Ok(data.len())
    })
}

#[cfg(test)]
mod tests {
    use super::is_ikev1;

    #[test]
    fn only_sound_messages_are_ikev1() {
        let mut ikev1 = vec![7; 8];
        ikev1.extend([0; 8]);
        ikev1.extend([1, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 40]);
        ikev1.extend([0; 12]);
        assert!(is_ikev1(&ikev1));
        for (offset, value) in [(17, 0x20), (18, 34), (19, 0x08), (27, 41)] {
            let mut other = ikev1.clone();
            other[offset] = value;
            assert!(!is_ikev1(&other), "{offset}");
        }
        assert!(!is_ikev1(&ikev1[..39]) && !is_ikev1(&ikev1[..17]));
    }
}
