//! Messages sealed with no code of the project and none of its crates: by the program
//! `openssl`. What it does not do, AEADs and AES-XCBC, is put together of what it does.

use std::io::Write;
use std::process::{Command, Stdio};

/// A sealed message, what is inside, and the line of a key table that opens it.
pub(crate) struct Sample {
    pub(crate) line: String,
    pub(crate) message: Vec<u8>,
    pub(crate) inside: Vec<u8>,
}

/// Whether the program is there, in a version that makes every kind of checksum.
pub(crate) fn has_openssl() -> bool {
    let output = Command::new("openssl").arg("version").output();
    output.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3"))
}

/// A Notify of 28 bytes, so that blocks have to be filled up.
const INSIDE: [u8; 28] = [
    0, 0, 0, 28, 0, 0, 64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
];

/// What the vector is, as far as it reaches.
const VECTOR: [u8; 16] = *b"initial vector..";

/// Seals a request with algorithms of these names.
pub(crate) fn seal(encryption: &str, integrity: &str) -> Sample {
    let bits = encryption.split(['-', ' ']).nth(2).and_then(|bits| bits.parse::<usize>().ok());
    let cipher = Cipher::of(encryption, bits.unwrap_or(0) / 8);
    let tag = tag_length(encryption, integrity);
    let key: Vec<u8> = (1..=cipher.key as u8).collect();
    let integrity_key: Vec<u8> = (101..).take(integrity_key_length(integrity)).collect();
    let fill = (cipher.block - (INSIDE.len() + 1) % cipher.block) % cipher.block;
    let padded = [&INSIDE[..], &vec![0xee; fill], &[fill as u8]].concat();
    let vector = &VECTOR[..cipher.iv];
    let front = front(vector.len() + padded.len() + tag);
    let contents = cipher.encrypt(&key, vector, &front, &padded, tag);
    let mut message = [&front[..], vector, &contents].concat();
    if !integrity_key.is_empty() {
        let checksum = checksum(integrity, &integrity_key, &message);
        message.extend(&checksum[..tag]);
    }
    let line = format!(
        "0102030405060708,1112131415161718,{0},{1},\"{encryption}\",{2},{3},\"{integrity}\"",
        hex(&key),
        "ff".repeat(key.len()),
        hex(&integrity_key),
        "ff".repeat(integrity_key.len()),
    );
    Sample { line, message, inside: INSIDE.to_vec() }
}

/// The header of a request and that of its SK payload.
fn front(contents: usize) -> Vec<u8> {
    let total = 28 + 4 + contents;
    let mut front = vec![1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18];
    front.extend([46, 0x20, 37, 0x08, 0, 0, 0, 5]);
    front.extend((total as u32).to_be_bytes());
    front.extend([41, 0]);
    front.extend((4 + contents as u16).to_be_bytes());
    front
}

/// A mode of encryption with its sizes in bytes.
struct Cipher {
    mode: Mode,
    key: usize,
    iv: usize,
    block: usize,
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
    fn of(name: &str, key: usize) -> Self {
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

    fn encrypt(&self, key: &[u8], iv: &[u8], aad: &[u8], text: &[u8], tag: usize) -> Vec<u8> {
        match &self.mode {
            Mode::Null => text.to_vec(),
            Mode::Des => enc("des-ede3-cbc", &key.repeat(3), iv, text),
            Mode::Cbc(name) => enc(name, key, iv, text),
            Mode::Ctr(name) => {
                let (key, nonce) = key.split_at(key.len() - 4);
                enc(name, key, &[nonce, iv, &[0, 0, 0, 1]].concat(), text)
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
    let mut sealed = enc(&ctr, key, &counter(2), text);
    let subkey = openssl(&["enc", &format!("-{name}-ecb"), "-nopad", "-K", &hex(key)], &[0; 16]);
    let lengths = [aad.len() as u64 * 8, text.len() as u64 * 8].map(u64::to_be_bytes).concat();
    let hash = ghash(&subkey, &[&filled(aad), &filled(&sealed), &lengths[..]].concat());
    let mut full = enc(&ctr, key, &counter(1), &hash);
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
        enc("chacha20", key, &[&number.to_le_bytes(), salt, iv].concat(), text)
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
    let chain = enc(&format!("{name}-cbc"), key, &[0; 16], &blocks);
    let counter = |number: u32| [&[3], &nonce[..], &number.to_be_bytes()].concat();
    let ctr = format!("{name}-ctr");
    let mask = enc(&ctr, key, &counter(0), &[0; 16]);
    let mut sealed = enc(&ctr, key, &counter(1), text);
    let mac = chain[chain.len() - 16..].iter().zip(mask).map(|(mac, mask)| mac ^ mask);
    sealed.extend(mac.take(tag));
    sealed
}

fn enc(name: &str, key: &[u8], iv: &[u8], text: &[u8]) -> Vec<u8> {
    openssl(&["enc", &format!("-{name}"), "-nopad", "-K", &hex(key), "-iv", &hex(iv)], text)
}

fn integrity_key_length(name: &str) -> usize {
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
fn tag_length(encryption: &str, integrity: &str) -> usize {
    let name = integrity.split(' ').next().unwrap_or_default();
    match name.rsplit('_').next().and_then(|bits| bits.parse::<usize>().ok()) {
        Some(bits) => bits / 8,
        // Of ChaCha20-Poly1305 it is always the whole.
        None => encryption.split(' ').nth(2).map_or(16, |octets| octets.parse().expect("octets")),
    }
}

fn checksum(integrity: &str, key: &[u8], data: &[u8]) -> Vec<u8> {
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
    enc("aes-128-cbc", &derive(1), &[0; 16], &blocks).split_off(last)
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    child.stdin.take().expect("a pipe").write_all(input).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
