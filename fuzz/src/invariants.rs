//! What holds for every transaction, whatever the input.

use suricata_ikev2::fuzzing;
use suricata_ikev2::message::{Event, MAX_ERRORS, MAX_NOTIFIES};
use suricata_ikev2::tx::Transaction;
use suricata_ikev2::wire::registry::PayloadType;
use suricata_ikev2::wire::{ErrorKind, HEADER_LEN, MAX_PAYLOADS};

use crate::record;

/// Checks a transaction, its record and all that keywords see of it.
pub fn check(tx: &Transaction) {
    assert_eq!(tx.message().header.is_some(), tx.message().bytes().len() >= HEADER_LEN);
    // What is inside is a message of its own.
    for payloads in [tx.message().outer_payloads(), tx.message().decrypted_payloads()] {
        let notifies = payloads.iter().filter(|it| it.kind == PayloadType::NOTIFY);
        assert!(payloads.len() <= MAX_PAYLOADS && notifies.count() <= MAX_NOTIFIES);
    }
    assert!(tx.message().errors.len() <= MAX_ERRORS);
    for entry in &tx.message().payloads {
        assert_eq!(tx.message().payload(entry).body.len(), entry.body_length as usize);
    }
    for error in &tx.message().errors {
        let is_malformed = error.kind != ErrorKind::UnsupportedVersion;
        assert!(!is_malformed || tx.message().events.contains(Event::MalformedData));
        assert!(tx.message().events.contains(Event::of_error(error.kind)));
        // Of what was decrypted they go on behind the message.
        let before = 0..error.offset as usize;
        assert_eq!(tx.message().range(before.clone()).len(), before.len(), "{error:?}");
    }
    record::check(tx);
    fuzzing::look(tx);
}
