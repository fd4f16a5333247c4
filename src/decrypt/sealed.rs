//! Decryption the Encrypted payload (RFC 7296, 3.14) and the Encrypted Fragment payload
//! (RFC 7383, 2.5).

use core::ops::Range;
use std::sync::Arc;

use super::cipher::{decrypt, decrypt_aead, Parameters};
use super::key_table::SaKeys;
use super::mac;
use crate::wire::registry::PayloadType;
use crate::wire::{Encrypted, Fragment, Header, Payload, Role};

/// An encrypted payload in its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// The message up to the payload's end.
    bytes: &'a [u8],
    /// Initialization vector to checksum.
    contents: Range<usize>,
    /// Whether the original initiator sent it, which tells whose keys it needs.
    from_initiator: bool,
}

/// Why a message was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecryptError {
    /// Nobody gave keys for its SPIs.
    NoKeys,
    /// It was changed, or the keys are not those of this message.
    Integrity,
    /// The checksum is right, but what it protects has not the form that the algorithm
    /// gives it: its sender is at fault.
    Form,
}

impl<'a> Sealed<'a> {
    /// The encrypted payload of a message, SK or SKF; none if it is no such payload or
    /// there is nothing in it.
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

    /// What is inside, without padding, with those of the keys that fit.
    ///
    /// # Errors
    /// That there are no keys, that none fit, or that what they fit to has no form.
    pub fn open(&self, epochs: &[Arc<SaKeys>]) -> Result<Vec<u8>, DecryptError> {
        let mut failure = DecryptError::NoKeys;
        // Mostly the newest keys are in use.
        for keys in epochs.iter().rev() {
            match self.decrypt_with(keys) {
                Err(DecryptError::Integrity) => failure = DecryptError::Integrity,
                result => return result,
            }
        }
        Err(failure)
    }

    fn decrypt_with(&self, keys: &SaKeys) -> Result<Vec<u8>, DecryptError> {
        let (encryption, integrity) = (keys.encryption, keys.integrity);
        let sender = keys.of_sender(self.from_initiator);
        let checksum = encryption.checksum.max(integrity.checksum);
        let contents = self.bytes.get(self.contents.clone()).unwrap_or(&[]);
        // Shorter contents have no checksum, which is as good as a wrong one.
        let inner = contents.len().checked_sub(encryption.iv + checksum);
        let inner = inner.ok_or(DecryptError::Integrity)?;
        let (iv, rest) = contents.split_at(encryption.iv);
        let (inner, checksum) = rest.split_at(inner);
        if encryption.is_aead() {
            let aad = &self.bytes[..self.contents.start];
            let with = Parameters { key: sender.encryption, iv, aad, checksum };
            let mut inner = inner.to_vec();
            return match decrypt_aead(encryption.cipher, with, &mut inner) {
                true => unpadded(inner),
                false => Err(DecryptError::Integrity),
            };
        }
        let protected = &self.bytes[..self.bytes.len() - checksum.len()];
        if !mac::verify(integrity.mac, sender.integrity, protected, checksum) {
            return Err(DecryptError::Integrity);
        }
        let mut inner = inner.to_vec();
        decrypt(encryption.cipher, sender.encryption, iv, &mut inner)
            .map_err(|_| DecryptError::Form)?;
        unpadded(inner)
    }
}

/// Cuts off the padding and its length, which is the last byte.
fn unpadded(mut inner: Vec<u8>) -> Result<Vec<u8>, DecryptError> {
    let padding = inner.pop().ok_or(DecryptError::Form)?;
    let end = inner.len().checked_sub(padding.into()).ok_or(DecryptError::Form)?;
    inner.truncate(end);
    Ok(inner)
}
