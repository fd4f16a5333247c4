//! Decryption of the Encrypted payload (RFC 7296, 3.14) and of the Encrypted Fragment
//! payload (RFC 7383, 2.5).

use core::ops::Range;
use std::sync::Arc;

use super::cipher::{decrypt, decrypt_aead, AeadParameters};
use super::key_table::SaKeys;
use super::mac;
use crate::wire::registry::PayloadType;
use crate::wire::{Encrypted, Fragment, Header, Payload, Role};

/// An encrypted payload, SK or SKF, and the message that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// The message up to the end of the payload.
    bytes: &'a [u8],
    /// The range from the initialization vector to the checksum.
    contents: Range<usize>,
    /// Whether the original initiator sent the message. This selects the keys.
    from_initiator: bool,
}

/// Why a message could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecryptError {
    /// There are no keys for the message's SPIs.
    NoKeys,
    /// The checksum is wrong: the message was modified, or the keys belong to other
    /// messages.
    Integrity,
    /// The checksum is right, but the plaintext does not have the form that the algorithm
    /// demands. The sender made a mistake.
    Malformed,
}

impl<'a> Sealed<'a> {
    /// The encrypted payload of a message. `None` if the payload is not of type SK or SKF,
    /// or is empty.
    pub fn of(message: &'a [u8], header: &Header, payload: &Payload<'_>) -> Option<Self> {
        let contents = match payload.kind {
            PayloadType::SK => Encrypted::parse(payload).ok()?.body.len(),
            PayloadType::SKF => Fragment::parse(payload).ok()?.body.len(),
            _ => return None,
        };
        let end = payload.body_offset() as usize + payload.body.len();
        Some(Self {
            bytes: message.get(..end)?,
            contents: end.checked_sub(contents)?..end,
            from_initiator: header.role() == Role::Initiator,
        })
    }

    /// Decrypts the payload with the first key set whose checksum is right. Returns the
    /// plaintext without its padding.
    ///
    /// # Errors
    /// [`DecryptError::NoKeys`] if `epochs` is empty, [`DecryptError::Integrity`] if the
    /// checksum is wrong with all of them, and [`DecryptError::Malformed`].
    pub fn decrypt(&self, epochs: &[Arc<SaKeys>]) -> Result<Vec<u8>, DecryptError> {
        let mut error = DecryptError::NoKeys;
        // The newest keys are the most likely ones.
        for keys in epochs.iter().rev() {
            match self.decrypt_with(keys) {
                Err(DecryptError::Integrity) => error = DecryptError::Integrity,
                result => return result,
            }
        }
        Err(error)
    }

    fn decrypt_with(&self, keys: &SaKeys) -> Result<Vec<u8>, DecryptError> {
        let (encryption, integrity) = (keys.encryption, keys.integrity);
        let sender = keys.of_sender(self.from_initiator);
        let checksum = encryption.checksum.max(integrity.checksum);
        let contents = self.bytes.get(self.contents.clone()).unwrap_or(&[]);
        // A payload that is too short for a checksum is treated as one with a wrong
        // checksum.
        let plaintext = contents.len().checked_sub(encryption.iv + checksum);
        let plaintext = plaintext.ok_or(DecryptError::Integrity)?;
        let (iv, rest) = contents.split_at(encryption.iv);
        let (plaintext, checksum) = rest.split_at(plaintext);
        if encryption.is_aead() {
            let aad = &self.bytes[..self.contents.start];
            let parameters = AeadParameters { key: sender.encryption, iv, aad, checksum };
            let mut plaintext = plaintext.to_vec();
            return match decrypt_aead(encryption.cipher, parameters, &mut plaintext) {
                true => unpadded(plaintext),
                false => Err(DecryptError::Integrity),
            };
        }
        let protected = &self.bytes[..self.bytes.len() - checksum.len()];
        if !mac::verify(integrity.mac, sender.integrity, protected, checksum) {
            return Err(DecryptError::Integrity);
        }
        let mut plaintext = plaintext.to_vec();
        decrypt(encryption.cipher, sender.encryption, iv, &mut plaintext)
            .map_err(|_| DecryptError::Malformed)?;
        unpadded(plaintext)
    }
}

/// Removes the padding and the Pad Length field, which is the last byte.
fn unpadded(mut plaintext: Vec<u8>) -> Result<Vec<u8>, DecryptError> {
    let padding = plaintext.pop().ok_or(DecryptError::Malformed)?;
    let end = plaintext.len().checked_sub(padding.into()).ok_or(DecryptError::Malformed)?;
    plaintext.truncate(end);
    Ok(plaintext)
}
