//! Encrypted messages, sealed with none of the plugin's code.
//!
//! The program `openssl` does the work, so that nothing is shared with the crates that the
//! plugin decrypts with. What it does not do, AEADs and AES-XCBC, is put together of what it
//! does.

mod cipher;
mod openssl;

pub use openssl::is_there as has_openssl;

use cipher::Cipher;

use crate::bytes::hex;
use crate::message::{MessageBuilder, PayloadBuilder, HEADER};
use crate::registry::{INFORMATIONAL, NOTIFY};

/// The generic header of a payload in bytes.
const GENERIC_HEADER: usize = 4;

/// What the initialization vector is, as far as it reaches.
const VECTOR: [u8; 16] = *b"initial vector..";

/// An encryption and an integrity algorithm by their names in key tables, such as
/// `AES-CBC-128 [RFC3602]` and `HMAC_SHA1_96 [RFC2404]`.
#[derive(Clone, Copy, Debug)]
pub struct Suite<'a> {
    /// The encryption algorithm.
    pub encryption: &'a str,
    /// The integrity algorithm: `NONE [RFC4306]` beside an AEAD.
    pub integrity: &'a str,
}

/// The keys of one direction.
#[derive(Clone, Debug)]
pub struct Keys {
    /// SK_ei or SK_er, with its salt.
    pub encryption: Vec<u8>,
    /// SK_ai or SK_ar.
    pub integrity: Vec<u8>,
}

impl Suite<'_> {
    /// Keys of the lengths that the algorithms take. Each byte is another one, from these on.
    pub fn keys(&self, encryption: u8, integrity: u8) -> Keys {
        let of = |first: u8, length| (first..).take(length).collect();
        Keys {
            encryption: of(encryption, Cipher::of(self.encryption).key),
            integrity: of(integrity, cipher::integrity_key_length(self.integrity)),
        }
    }

    /// The message with its payloads encrypted, in a payload SK.
    ///
    /// # Panics
    ///
    /// When the algorithms are not known here, or when `openssl` is missing. NULL with
    /// HMAC_SHA1_96 does without it.
    pub fn seal(&self, keys: &Keys, message: &MessageBuilder) -> Vec<u8> {
        let cipher = Cipher::of(self.encryption);
        let tag = cipher::tag_length(self.encryption, self.integrity);
        let vector = &VECTOR[..cipher.iv];
        let padded = padded(message.chain(), cipher.block);
        let length = vector.len() + padded.len() + tag;
        let mut sealed = front(message, length);
        let contents = cipher.encrypt(&keys.encryption, vector, &sealed, &padded, tag);
        sealed.extend(vector);
        sealed.extend(contents);
        if !keys.integrity.is_empty() {
            let checksum = cipher::checksum(self.integrity, &keys.integrity, &sealed);
            sealed.extend(&checksum[..tag]);
        }
        sealed
    }

    /// The line of a key table for the IKE SA with these SPIs; the initiator's keys are first.
    pub fn line(&self, spis: [[u8; 8]; 2], keys: [&Keys; 2]) -> String {
        let [init_spi, resp_spi] = spis.map(|spi| hex(&spi));
        let encryption = keys.map(|keys| hex(&keys.encryption)).join(",");
        let integrity = keys.map(|keys| hex(&keys.integrity)).join(",");
        let Self { encryption: cipher, integrity: checksum } = self;
        format!("{init_spi},{resp_spi},{encryption},\"{cipher}\",{integrity},\"{checksum}\"")
    }
}

/// The payloads with padding up to whole blocks, and its length.
fn padded(mut chain: Vec<u8>, block: usize) -> Vec<u8> {
    let fill = (block - (chain.len() + 1) % block) % block;
    chain.resize(chain.len() + fill, 0xee);
    chain.push(fill as u8);
    chain
}

/// The header of a message and that of its payload SK with contents of this length.
fn front(message: &MessageBuilder, length: usize) -> Vec<u8> {
    let first = message.payloads.first().map_or(0, |payload| payload.kind);
    let sk = PayloadBuilder::sk(first, vec![0; length]);
    let mut front = MessageBuilder { payloads: vec![sk], ..message.clone() }.build();
    front.truncate(HEADER + GENERIC_HEADER);
    front
}

/// A sealed message, its decrypted payloads, and the line of a key table that opens it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The line.
    pub line: String,
    /// The message.
    pub message: Vec<u8>,
    /// The payloads.
    pub decrypted: Vec<u8>,
}

/// Seals a request with algorithms of these names. Its Notify has 28 bytes, so that blocks
/// have to be filled up.
///
/// # Panics
///
/// As [`Suite::seal`].
pub fn sample(encryption: &str, integrity: &str) -> Sample {
    let suite = Suite { encryption, integrity };
    let [init_spi, resp_spi] =
        [[1, 2, 3, 4, 5, 6, 7, 8], [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]];
    let body: Vec<u8> = [0, 0, 0x40, 0].into_iter().chain(1..=20).collect();
    let message = MessageBuilder::request(INFORMATIONAL).payload(NOTIFY, body);
    let message = MessageBuilder { init_spi, resp_spi, message_id: 5, ..message };
    let keys = suite.keys(1, 101);
    let others = Keys {
        encryption: vec![0xff; keys.encryption.len()],
        integrity: vec![0xff; keys.integrity.len()],
    };
    Sample {
        line: suite.line([init_spi, resp_spi], [&keys, &others]),
        message: suite.seal(&keys, &message),
        decrypted: message.chain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_the_same_without_openssl() {
        if !has_openssl() {
            return;
        }
        for (key, data) in [(vec![7; 20], vec![1; 100]), (vec![0; 64], vec![])] {
            let ours = cipher::hmac_sha1(&key, &data);
            assert_eq!(cipher::checksum("HMAC_SHA1_96 [RFC2404]", &key, &data), ours);
        }
    }

    #[test]
    fn nothing_but_padding_and_a_checksum_is_added_without_encryption() {
        let suite = Suite { encryption: "NULL [RFC2410]", integrity: "HMAC_SHA1_96 [RFC2404]" };
        let message = MessageBuilder::request(INFORMATIONAL).payload(NOTIFY, [0; 4]);
        let sealed = suite.seal(&suite.keys(0, 9), &message);
        assert_eq!(sealed.len(), HEADER + GENERIC_HEADER + 8 + 1 + 12);
        assert_eq!(sealed[HEADER..][..13], [NOTIFY, 0, 0, 25, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
        assert_eq!(sealed[27], sealed.len() as u8);
    }
}
