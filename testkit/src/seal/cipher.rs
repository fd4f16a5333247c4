//! Encryption and checksums by the names of key tables.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::openssl::{encrypt, is_there, openssl};
use crate::bytes::hex;

/// A mode of encryption with its sizes in bytes.
pub(super) struct Cipher {
    mode: Mode,
    pub(super) key: usize,
    pub(super) iv: usize,
    pub(super) block: usize,
}

enum Mode {
    Null,
    /// With 3DES, which is DES if its three keys are the same: openssl leaves DES itself
    /// to a provider that is not always there.
    Des,
    /// A cipher of openssl.
    Cbc(String),
    Ctr(String),
    /// The name of the block cipher.
    Gcm(String),
    Ccm(String),
    ChaCha20Poly1305,
}

impl Cipher {
    /// The encryption algorithm of this name.
    pub(super) fn of(name: &str) -> Self {
        let bits = name.split(['-', ' ']).nth(2).and_then(|bits| bits.parse::<usize>().ok());
        let key = bits.unwrap_or(0) / 8;
        let of = |mode, key, iv, block| Self { mode, key, iv, block };
        let bits = key * 8;
        let family = name.split(' ').next().unwrap_or_default();
        match family.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-') {
            "NULL" => of(Mode::Null, 0, 0, 1),
            "DES" => of(Mode::Des, 8, 8, 8),
            "3DES" => of(Mode::Cbc("des-ede3-cbc".into()), 24, 8, 8),
            "AES-CBC" => of(Mode::Cbc(format!("aes-{bits}-cbc")), key, 16, 16),
            "CAMELLIA-CBC" => of(Mode::Cbc(format!("camellia-{bits}-cbc")), key, 16, 16),
            "AES-CTR" => of(Mode::Ctr(format!("aes-{bits}-ctr")), key + 4, 8, 1),
            "AES-GCM" => of(Mode::Gcm(format!("aes-{bits}")), key + 4, 8, 1),
            "AES-CCM" => of(Mode::Ccm(format!("aes-{bits}")), key + 3, 8, 1),
            "CHACHA20-POLY" => of(Mode::ChaCha20Poly1305, 36, 8, 1),
            _ => panic!("{name} cannot be sealed"),
        }
    }

    /// The text encrypted; behind it the checksum of an AEAD, which covers `aad` too.
    pub(super) fn encrypt(
        &self,
        key: &[u8],
        iv: &[u8],
        aad: &[u8],
        text: &[u8],
        tag: usize,
    ) -> Vec<u8> {
        match &self.mode {
            Mode::Null => text.to_vec(),
            Mode::Des => encrypt("des-ede3-cbc", &key.repeat(3), iv, text),
            Mode::Cbc(name) => encrypt(name, key, iv, text),
            Mode::Ctr(name) => {
                let (key, nonce) = key.split_at(key.len() - 4);
                encrypt(name, key, &[nonce, iv, &[0, 0, 0, 1]].concat(), text)
            }
            Mode::Gcm(name) => gcm(name, key, iv, aad, text, tag),
            Mode::Ccm(name) => ccm(name, key, iv, aad, text, tag),
            Mode::ChaCha20Poly1305 => chacha20_poly1305(key, iv, aad, text),
        }
    }
}

/// NIST SP 800-38D, 7.1, of openssl's ECB and CTR.
fn gcm(name: &str, key: &[u8], iv: &[u8], aad: &[u8], text: &[u8], tag: usize) -> Vec<u8> {
    let (key, salt) = key.split_at(key.len() - 4);
    let counter = |number: u32| [salt, iv, &number.to_be_bytes()].concat();
    let ctr = format!("{name}-ctr");
    let mut sealed = encrypt(&ctr, key, &counter(2), text);
    let subkey = openssl(&["enc", &format!("-{name}-ecb"), "-nopad", "-K", &hex(key)], &[0; 16]);
    let lengths = [aad.len() as u64 * 8, text.len() as u64 * 8].map(u64::to_be_bytes).concat();
    let hash = ghash(&subkey, &[&filled(aad), &filled(&sealed), &lengths[..]].concat());
    let mut full = encrypt(&ctr, key, &counter(1), &hash);
    full.truncate(tag);
    sealed.append(&mut full);
    sealed
}

/// NIST SP 800-38D, 6.3 and 6.4, bit by bit.
fn ghash(subkey: &[u8], blocks: &[u8]) -> [u8; 16] {
    let number = |bytes: &[u8]| u128::from_be_bytes(bytes.try_into().expect("a block"));
    let product = |one: u128, other: u128| {
        let (mut sum, mut factor) = (0, other);
        for bit in (0..128).rev() {
            sum ^= (one >> bit & 1) * factor;
            factor = (factor >> 1) ^ ((factor & 1) * (0xe1 << 120));
        }
        sum
    };
    let add = |sum, block: &[u8]| product(sum ^ number(block), number(subkey));
    blocks.chunks(16).fold(0, add).to_be_bytes()
}

/// RFC 7634, 2, and RFC 8439, 2.8, of openssl's ChaCha20 and Poly1305.
fn chacha20_poly1305(key: &[u8], iv: &[u8], aad: &[u8], text: &[u8]) -> Vec<u8> {
    let (key, salt) = key.split_at(key.len() - 4);
    let stream = |number: u32, text: &[u8]| {
        encrypt("chacha20", key, &[&number.to_le_bytes(), salt, iv].concat(), text)
    };
    let once = format!("hexkey:{}", hex(&stream(0, &[0; 32])));
    let mut sealed = stream(1, text);
    let lengths = [aad.len() as u64, text.len() as u64].map(u64::to_le_bytes).concat();
    let data = [&filled(aad), &filled(&sealed), &lengths[..]].concat();
    sealed.extend(openssl(&["mac", "-binary", "-macopt", &once, "Poly1305"], &data));
    sealed
}

/// Zero bytes up to whole blocks.
fn filled(bytes: &[u8]) -> Vec<u8> {
    let mut blocks = bytes.to_vec();
    blocks.resize(bytes.len().next_multiple_of(16), 0);
    blocks
}

/// RFC 3610, 2.2 and 2.3, of what openssl has: CBC, CTR.
fn ccm(name: &str, key: &[u8], iv: &[u8], aad: &[u8], text: &[u8], tag: usize) -> Vec<u8> {
    let (key, salt) = key.split_at(key.len() - 3);
    let nonce = [salt, iv].concat();
    let flags = 0x40 | ((tag as u8 - 2) / 2) << 3 | 3;
    let mut blocks = [&[flags], &nonce[..], &(text.len() as u32).to_be_bytes()].concat();
    blocks.extend((aad.len() as u16).to_be_bytes());
    blocks.extend(aad);
    let blocks = [filled(&blocks), filled(text)].concat();
    let chain = encrypt(&format!("{name}-cbc"), key, &[0; 16], &blocks);
    let counter = |number: u32| [&[3], &nonce[..], &number.to_be_bytes()].concat();
    let ctr = format!("{name}-ctr");
    let mask = encrypt(&ctr, key, &counter(0), &[0; 16]);
    let mut sealed = encrypt(&ctr, key, &counter(1), text);
    let mac = chain[chain.len() - 16..].iter().zip(mask).map(|(mac, mask)| mac ^ mask);
    sealed.extend(mac.take(tag));
    sealed
}

/// The bytes of an integrity key.
pub(super) fn integrity_key_length(name: &str) -> usize {
    match name.split(' ').next().unwrap_or_default() {
        "NONE" => 0,
        "HMAC_SHA1_96" | "HMAC_SHA1_160" => 20,
        "HMAC_SHA2_256_96" | "HMAC_SHA2_256_128" => 32,
        "HMAC_SHA2_384_192" => 48,
        "HMAC_SHA2_512_256" => 64,
        _ => 16,
    }
}

/// The bytes of the checksum, as the names say.
pub(super) fn tag_length(encryption: &str, integrity: &str) -> usize {
    let name = integrity.split(' ').next().unwrap_or_default();
    match name.rsplit('_').next().and_then(|bits| bits.parse::<usize>().ok()) {
        Some(bits) => bits / 8,
        // Of ChaCha20-Poly1305 it is always the whole.
        None => encryption.split(' ').nth(2).map_or(16, |octets| octets.parse().expect("octets")),
    }
}

/// The checksum by the integrity algorithm of this name, not cut yet.
pub(super) fn checksum(integrity: &str, key: &[u8], data: &[u8]) -> Vec<u8> {
    if integrity.starts_with("HMAC_SHA1_96") && !is_there() {
        return hmac_sha1(key, data);
    }
    let key = format!("hexkey:{}", hex(key));
    let name = integrity.split(' ').next().unwrap_or_default();
    let (kind, option) = match name.split('_').collect::<Vec<_>>()[..] {
        ["HMAC", "MD5", ..] => ("HMAC", "digest:MD5"),
        ["HMAC", "SHA1", ..] => ("HMAC", "digest:SHA1"),
        ["HMAC", "SHA2", "256", ..] => ("HMAC", "digest:SHA256"),
        ["HMAC", "SHA2", "384", ..] => ("HMAC", "digest:SHA384"),
        ["HMAC", "SHA2", "512", ..] => ("HMAC", "digest:SHA512"),
        ["AES", "CMAC", ..] => ("CMAC", "cipher:AES-128-CBC"),
        _ => return xcbc(&key[7..], data),
    };
    openssl(&["mac", "-binary", "-macopt", option, "-macopt", &key, kind], data)
}

/// RFC 3566, 4, of openssl's ECB and CBC.
fn xcbc(key: &str, data: &[u8]) -> Vec<u8> {
    let derive = |byte: u8| openssl(&["enc", "-aes-128-ecb", "-nopad", "-K", key], &[byte; 16]);
    let mut blocks = data.to_vec();
    let is_whole = data.len().is_multiple_of(16);
    if !is_whole {
        blocks.push(0x80);
        blocks.resize(blocks.len().next_multiple_of(16), 0);
    }
    let last = blocks.len() - 16;
    let whitening = derive(if is_whole { 2 } else { 3 });
    blocks[last..].iter_mut().zip(whitening).for_each(|(byte, key)| *byte ^= key);
    encrypt("aes-128-cbc", &derive(1), &[0; 16], &blocks).split_off(last)
}

/// So that what is not encrypted can be sealed on every machine.
pub(super) fn hmac_sha1(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes any key");
    mac.chain_update(data).finalize().into_bytes().to_vec()
}
