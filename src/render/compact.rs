//! The message in an alert: its identity and its events.
//!
//! The record of the message has all other fields. `flow_id` and `tx_id` identify this record.
//! There is one alert for each rule that matches, so alerts do not repeat long lists.

use super::room::{array, render_left_out, text_array};
use super::{decrypted, name, JsonText};
use crate::tx::Transaction;

/// The bytes for events and findings. A decrypted message also has identities and needs more.
const ROOM: usize = 180;
const ROOM_DECRYPTED: usize = 1024;

/// Writes the fields into the open object.
pub fn render_compact(tx: &Transaction, json: &mut JsonText) {
    json.word(c"type", "message");
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
        json.word(c"what", finding.kind.name());
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
