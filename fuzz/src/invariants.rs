//! What holds for every transaction, whatever the input.

use suricata_ikev2::fuzzing;
use suricata_ikev2::pipeline::MAX_NOTIFIES;
use suricata_ikev2::tx::{Event, Transaction, MAX_ERRORS};
use suricata_ikev2::wire::registry::PayloadType;
use suricata_ikev2::wire::{ErrorKind, HEADER_LEN, MAX_PAYLOADS};

use crate::record;

/// Checks a transaction, its record and all that keywords see of it.
pub fn check(tx: &Transaction) {
    assert_eq!(tx.header.is_some(), tx.message().len() >= HEADER_LEN);
    // What is inside is a message of its own.
    for payloads in [tx.outer_payloads(), tx.inner_payloads()] {
        let notifies = payloads.iter().filter(|it| it.kind == PayloadType::NOTIFY);
        assert!(payloads.len() <= MAX_PAYLOADS && notifies.count() <= MAX_NOTIFIES);
    }
    assert!(tx.errors.len() <= MAX_ERRORS);
    for entry in &tx.payloads {
        assert_eq!(tx.payload(entry).body.len(), entry.body_length as usize);
    }
    for error in &tx.errors {
        let is_malformed = error.kind != ErrorKind::UnsupportedVersion;
        assert!(!is_malformed || tx.events.contains(Event::MalformedData));
        assert!(tx.events.contains(Event::of_error(error.kind)));
        // Of what was decrypted they go on behind the message.
        let before = 0..error.offset as usize;
        assert_eq!(tx.range(before.clone()).len(), before.len(), "{error:?}");
    }
    record::check(tx);
    fuzzing::look(tx);
}
