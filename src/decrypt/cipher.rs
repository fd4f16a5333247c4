//! Encryption algorithms.
//!
//! AES-GCM is built here from AES-CTR and GHASH, because the crate `aes-gcm` does not
//! support checksums of 8 bytes.

use aes::cipher::{
    Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockSizeUser, KeyInit,
    KeyIvInit, StreamCipher,
};
use aes::{Aes128, Aes192, Aes256};
use camellia::{Camellia128, Camellia192, Camellia256};
use ccm::aead::AeadInOut;
use ccm::consts::{U11, U12, U16, U8};
use ccm::Ccm;
use chacha20poly1305::ChaCha20Poly1305;
use ctr::Ctr32BE;
use des::{Des, TdesEde3};
use ghash::universal_hash::UniversalHash;
use ghash::GHash;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::suite::Cipher;

/// A cipher cannot process its input. Key and vector lengths have been checked before. What
/// remains is a block cipher whose input is not a multiple of its block size.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidInput;

/// Decrypts in place. The integrity of the contents has to be verified before.
pub(super) fn decrypt(
    cipher: Cipher,
    key: &[u8],
    iv: &[u8],
    contents: &mut [u8],
) -> Result<(), InvalidInput> {
    match (cipher, key.len()) {
        (Cipher::Null, _) => Ok(()),
        (Cipher::DesCbc, _) => cbc::<Des>(key, iv, contents),
        (Cipher::TripleDesCbc, _) => cbc::<TdesEde3>(key, iv, contents),
        (Cipher::AesCbc, 16) => cbc::<Aes128>(key, iv, contents),
        (Cipher::AesCbc, 24) => cbc::<Aes192>(key, iv, contents),
        (Cipher::AesCbc, _) => cbc::<Aes256>(key, iv, contents),
        (Cipher::CamelliaCbc, 16) => cbc::<Camellia128>(key, iv, contents),
        (Cipher::CamelliaCbc, 24) => cbc::<Camellia192>(key, iv, contents),
        (Cipher::CamelliaCbc, _) => cbc::<Camellia256>(key, iv, contents),
        (Cipher::AesCtr, 20) => ctr_mode::<Aes128>(key, iv, contents),
        (Cipher::AesCtr, 28) => ctr_mode::<Aes192>(key, iv, contents),
        (Cipher::AesCtr, _) => ctr_mode::<Aes256>(key, iv, contents),
        (Cipher::AesGcm | Cipher::AesCcm | Cipher::ChaCha20Poly1305, _) => Err(InvalidInput),
    }
}

/// The input of an AEAD cipher, without the contents.
#[derive(Clone, Copy)]
pub(super) struct AeadParameters<'a> {
    /// The key, with the salt at its end.
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
    /// The associated data, which is protected but not encrypted.
    pub(super) aad: &'a [u8],
    pub(super) checksum: &'a [u8],
}

/// Decrypts in place. Returns whether the checksum is right. If it is not, the contents are
/// undefined.
pub(super) fn decrypt_aead(
    cipher: Cipher,
    parameters: AeadParameters<'_>,
    contents: &mut [u8],
) -> bool {
    match (cipher, parameters.key.len()) {
        (Cipher::AesGcm, 20) => gcm::<Aes128>(parameters, contents),
        (Cipher::AesGcm, 28) => gcm::<Aes192>(parameters, contents),
        (Cipher::AesGcm, _) => gcm::<Aes256>(parameters, contents),
        (Cipher::AesCcm, 19) => ccm_mode::<Aes128>(parameters, contents),
        (Cipher::AesCcm, 27) => ccm_mode::<Aes192>(parameters, contents),
        (Cipher::AesCcm, _) => ccm_mode::<Aes256>(parameters, contents),
        (Cipher::ChaCha20Poly1305, _) => aead::<ChaCha20Poly1305, 12>(parameters, 4, contents),
        _ => false,
    }
}

fn cbc<C>(key: &[u8], iv: &[u8], contents: &mut [u8]) -> Result<(), InvalidInput>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let mut mode = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| InvalidInput)?;
    let (blocks, rest) = Array::slice_as_chunks_mut(contents);
    mode.decrypt_blocks(blocks);
    if rest.is_empty() {
        Ok(())
    } else {
        Err(InvalidInput)
    }
}

/// AES-CTR as in RFC 3686, 4: the counter block is the nonce, the vector, and a counter
/// that starts at 1.
fn ctr_mode<C>(key: &[u8], iv: &[u8], contents: &mut [u8]) -> Result<(), InvalidInput>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let (key, nonce) = split_salt::<12>(key, 4, iv).ok_or(InvalidInput)?;
    let mode = Ctr32BE::<C>::new_from_slices(key, &counter_block(nonce, 1));
    mode.map_err(|_| InvalidInput)?.try_apply_keystream(contents).map_err(|_| InvalidInput)
}

/// Splits the salt from the end of a key. Returns the key without the salt, and the nonce,
/// which is the salt followed by the vector (RFC 5282, 3 and 4).
fn split_salt<'a, const NONCE: usize>(
    key: &'a [u8],
    salt: usize,
    iv: &[u8],
) -> Option<(&'a [u8], [u8; NONCE])> {
    let (key, salt) = key.split_at_checked(key.len().checked_sub(salt)?)?;
    let mut nonce = [0; NONCE];
    let (front, back) = nonce.split_at_mut_checked(salt.len())?;
    front.copy_from_slice(salt);
    (back.len() == iv.len()).then(|| back.copy_from_slice(iv))?;
    Some((key, nonce))
}

fn counter_block(nonce: [u8; 12], counter: u32) -> [u8; 16] {
    let mut block = [0; 16];
    block[..12].copy_from_slice(&nonce);
    block[12..].copy_from_slice(&counter.to_be_bytes());
    block
}

/// AES-GCM as in NIST SP 800-38D, 7.2. The computed checksum is truncated to the length of
/// the given one.
fn gcm<C>(parameters: AeadParameters<'_>, contents: &mut [u8]) -> bool
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let Some((key, nonce)) = split_salt(parameters.key, 4, parameters.iv) else { return false };
    let Ok(cipher) = C::new_from_slice(key) else { return false };
    let mut hash_key = Zeroizing::new(Array::from([0; 16]));
    cipher.encrypt_block(&mut hash_key);
    let mut hash = GHash::new(&hash_key);
    hash.update_padded(parameters.aad);
    hash.update_padded(contents);
    let bits = |bytes: &[u8]| (bytes.len() as u64 * 8).to_be_bytes();
    let mut lengths = [0; 16];
    lengths[..8].copy_from_slice(&bits(parameters.aad));
    lengths[8..].copy_from_slice(&bits(contents));
    hash.update(&[lengths.into()]);
    let mut mask = Array::from(counter_block(nonce, 1));
    cipher.encrypt_block(&mut mask);
    let mut full = hash.finalize();
    full.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    let is_right = full
        .get(..parameters.checksum.len())
        .is_some_and(|cut| !cut.is_empty() && cut.ct_eq(parameters.checksum).into());
    let mode = Ctr32BE::<C>::new_from_slices(key, &counter_block(nonce, 2));
    is_right && mode.is_ok_and(|mut mode| mode.try_apply_keystream(contents).is_ok())
}

fn ccm_mode<C>(parameters: AeadParameters<'_>, contents: &mut [u8]) -> bool
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    match parameters.checksum.len() {
        8 => aead::<Ccm<C, U8, U11>, 11>(parameters, 3, contents),
        12 => aead::<Ccm<C, U12, U11>, 11>(parameters, 3, contents),
        _ => aead::<Ccm<C, U16, U11>, 11>(parameters, 3, contents),
    }
}

fn aead<A: AeadInOut + KeyInit, const NONCE: usize>(
    parameters: AeadParameters<'_>,
    salt: usize,
    contents: &mut [u8],
) -> bool {
    let Some((key, nonce)) = split_salt::<NONCE>(parameters.key, salt, parameters.iv) else {
        return false;
    };
    let (Ok(nonce), Ok(checksum)) = (nonce[..].try_into(), parameters.checksum.try_into()) else {
        return false;
    };
    A::new_from_slice(key).is_ok_and(|cipher| {
        cipher.decrypt_inout_detached(nonce, parameters.aad, contents.into(), checksum).is_ok()
    })
}
