//! Checksums of integrity algorithms. AEAD ciphers make their own: see `cipher`.

use aes::cipher::{Array, BlockCipherEncrypt};
use aes::Aes128;
use cmac::Cmac;
use hmac::{Hmac, KeyInit, Mac as Authentication};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::suite::Mac;

/// Whether `checksum`, which may be truncated, is the checksum of `data`. False if the key
/// has a wrong length.
pub(super) fn verify(mac: Mac, key: &[u8], data: &[u8], checksum: &[u8]) -> bool {
    match mac {
        Mac::None => false,
        Mac::HmacMd5 => check::<Hmac<Md5>>(key, data, checksum),
        Mac::HmacSha1 => check::<Hmac<Sha1>>(key, data, checksum),
        Mac::HmacSha256 => check::<Hmac<Sha256>>(key, data, checksum),
        Mac::HmacSha384 => check::<Hmac<Sha384>>(key, data, checksum),
        Mac::HmacSha512 => check::<Hmac<Sha512>>(key, data, checksum),
        Mac::AesCmac => check::<Cmac<Aes128>>(key, data, checksum),
        Mac::AesXcbc => aes_xcbc(key, data).is_some_and(|full| {
            let cut = full.get(..checksum.len());
            cut.is_some_and(|cut| !cut.is_empty() && cut.ct_eq(checksum).into())
        }),
    }
}

fn check<M: Authentication + KeyInit>(key: &[u8], data: &[u8], checksum: &[u8]) -> bool {
    let mac = <M as KeyInit>::new_from_slice(key);
    mac.is_ok_and(|mac| mac.chain_update(data).verify_truncated_left(checksum).is_ok())
}

/// AES-XCBC-MAC (RFC 3566, 4). It is written here because no crate offers it.
fn aes_xcbc(key: &[u8], data: &[u8]) -> Option<[u8; 16]> {
    let cipher = Aes128::new_from_slice(key).ok()?;
    let subkey = |byte| {
        let mut block = Array::from([byte; 16]);
        cipher.encrypt_block(&mut block);
        Zeroizing::new(block.0)
    };
    let rounds = Aes128::new(&Array(*subkey(1)));
    let (head, last) = data.split_at(data.len().saturating_sub(1) / 16 * 16);
    let mut state = Array::from([0; 16]);
    for block in head.chunks_exact(16) {
        xor(&mut state.0, block);
        rounds.encrypt_block(&mut state);
    }
    xor(&mut state.0, last);
    if let Some(padding) = state.0.get_mut(last.len()) {
        *padding ^= 0x80;
        xor(&mut state.0, &*subkey(3));
    } else {
        xor(&mut state.0, &*subkey(2));
    }
    rounds.encrypt_block(&mut state);
    Some(state.0)
}

/// XORs `bytes` into the front of the state.
fn xor(state: &mut [u8; 16], bytes: &[u8]) {
    state.iter_mut().zip(bytes).for_each(|(state, byte)| *state ^= byte);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vectors of RFC 3566, 4.6.
    #[test]
    fn xcbc_matches_the_test_vectors_of_its_rfc() {
        let key: Vec<u8> = (0..16).collect();
        let message: Vec<u8> = (0..34).collect();
        for (length, mac) in [
            (0, 0x75f0_251d_528a_c01c_4573_dfd5_84d7_9f29_u128),
            (3, 0x5b37_6580_ae2f_19af_e721_9cee_f172_756f),
            (16, 0xd2a2_46fa_349b_68a7_9998_a439_4ff7_a263),
            (20, 0x47f5_1b45_6496_6215_b898_5c63_055e_d308),
            (32, 0xf54f_0ec8_d2b9_f3d3_6807_734b_d528_3fd4),
            (34, 0xbecb_b3bc_cdb5_18a3_0677_d548_1fb6_b4d8),
        ] {
            assert_eq!(aes_xcbc(&key, &message[..length]), Some(mac.to_be_bytes()), "{length}");
        }
        assert_eq!(aes_xcbc(&key[1..], &message), None);
    }

    #[test]
    fn an_empty_checksum_is_never_right() {
        for mac in [Mac::None, Mac::HmacSha1, Mac::AesXcbc, Mac::AesCmac] {
            assert!(!verify(mac, &[0; 16], b"data", b""), "{mac:?}");
        }
    }
}
