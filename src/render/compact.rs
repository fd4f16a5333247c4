//! A message in an alert: which one it is, and what is wrong with it.
//!
//! The message's own record has the rest; `flow_id` and `tx_id` say which one that is. An
//! alert is written for each rule that matches, so it repeats no list.

use super::room::{array, render_left_out, text_array};
use super::{decrypted, name, Sink};
use crate::tx::Transaction;

/// The bytes of events and findings, and of identities where the message was decrypted.
const ROOM: usize = 180;
const ROOM_DECRYPTED: usize = 1024;

/// Writes the fields into the object that is open.
pub fn render_compact<S: Sink>(tx: &Transaction, sink: &mut S) {
    if let Some(header) = &tx.message().header {
        super::render_exchange(tx, header, sink);
        name(sink, c"role", tx.message().role().map(|role| role.name()));
    }
    sink.bool(c"nat_t", tx.message().nat_t());
    sink.word(c"transport", tx.message().transport.name());
    if let Some(proposal) = super::Layer::outer(tx).chosen() {
        super::render_algorithms(tx, proposal, sink);
    }
    let room = if tx.message().decrypted.is_some() { ROOM_DECRYPTED } else { ROOM };
    sink.set_room(sink.written().len() + room);
    super::halved(sink, |sink| {
        text_array(
            sink,
            c"events",
            tx.message().events.most_telling().map(|it| it.name().to_bytes()),
        );
    });
    array(sink, c"weak", tx.message().findings().iter(), |finding, sink: &mut S| {
        sink.word(c"what", finding.what.name());
        name(sink, c"name", finding.transform.and_then(|it| it.name()));
    });
    if let (Some(decrypted), Some(texts)) = (&tx.message().decrypted, tx.texts()) {
        sink.open_object(c"decrypted");
        sink.bool(c"late", decrypted.late);
        decrypted::render_ids(&super::Layer::decrypted(tx), texts, sink);
        sink.close();
    }
    render_left_out(sink);
}
