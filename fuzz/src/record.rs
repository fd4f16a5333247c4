//! Whether a record is JSON, and bounded.

use suricata_ikev2::render::JsonText;
use suricata_ikev2::render::{render, MAX_ELEMENTS, MAX_TEXT};
use suricata_ikev2::tx::Transaction;
use testkit::record::{self, Most};

/// Renders a transaction and checks the record.
pub fn check(tx: &Transaction) {
    let mut text = JsonText::default();
    render(tx, &mut text);
    record::check(text.as_bytes(), Most { elements: MAX_ELEMENTS, text: MAX_TEXT });
}
