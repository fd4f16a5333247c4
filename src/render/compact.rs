//! A message in an alert: which one it is, and what is wrong with it.
//!
//! The message's own record has the rest; `flow_id` and `tx_id` say which one that is. An
//! alert is written for each rule that matches, so it repeats no list.

use super::room::{array, render_left_out, text_array};
use super::{decrypted, name, JsonText};
use crate::tx::Transaction;

/// The bytes of events and findings, and of identities where the message was decrypted.
const ROOM: usize = 180;
const ROOM_DECRYPTED: usize = 1024;

/// Writes the fields into the object that is open.
pub fn render_compact(tx: &Transaction, json: &mut JsonText) {
    if let Some(header) = &tx.message().header {
        super::render_exchange(tx, header, json);
        name(json, c"role", tx.message().role().map(|role| role.name()));
    }
    json.bool(c"nat_t", tx.message().nat_t());
    json.word(c"transport", tx.message().transport.name());
    if let Some(proposal) = super::Layer::outer(tx).chosen() {
        super::render_algorithms(tx, proposal, json);
    }
    let room = if tx.message().decrypted.is_some() { ROOM_DECRYPTED } else { ROOM };
    json.set_room(json.as_bytes().len() + room);
    super::halved(json, |json| {
        text_array(
            json,
            c"events",
            tx.message().events.most_telling().map(|it| it.name().to_bytes()),
        );
    });
    array(json, c"weak", tx.message().findings().iter(), |finding, json: &mut JsonText| {
        json.word(c"what", finding.what.name());
        name(json, c"name", finding.transform.and_then(|it| it.name()));
    });
    if let (Some(decrypted), Some(texts)) = (&tx.message().decrypted, tx.texts()) {
        json.open_object(c"decrypted");
        json.bool(c"late", decrypted.late);
        decrypted::render_ids(&super::Layer::decrypted(tx), texts, json);
        json.close();
    }
    render_left_out(json);
}
