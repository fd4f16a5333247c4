//! How much of a message a record shows.
//!
//! Who sends a datagram decides how much is written of it. So a record has a size, by that of
//! the message: together with Suricata's own records of it some ten bytes for each that was
//! sent. Where a message has no faults but weak algorithms, it has the whole size.

use core::ffi::CStr;

use super::{JsonText, MAX_ELEMENTS};
use crate::tx::Transaction;

/// The most bytes of a message's object in a record, unless the configuration says another
/// number.
pub const MAX_RECORD: usize = 8192;

/// What `omitted` takes, and the brackets behind a list.
const RESERVE: usize = 160;

/// The bytes of records for one byte of a message.
const RATIO: usize = 10;

/// What Suricata itself writes for a message with faults: its record's head, an alert, three
/// anomalies, the flow.
const OTHER_RECORDS: usize = 2700;

/// How many events a message has that is made to have many: one fault is two or three.
pub const MANY_EVENTS: usize = 6;

/// What a message has at least whatever its length: one with some faults, and one with many.
/// One without has the whole size, as honest offers are long in records and short in bytes.
const LEAST: usize = 3400;
const LEAST_OF_MANY: usize = 1000;

/// How many events honest peers may raise, by what they send or by what became of it.
const FEW_EVENTS: usize = 3;

/// How many bytes the object has for this message.
pub(super) fn of(tx: &Transaction, most: usize) -> usize {
    let faults =
        tx.message().events.iter().filter(|event| !event.is_weakness()).take(MANY_EVENTS).count();
    let least = match faults {
        0..=FEW_EVENTS => usize::MAX,
        MANY_EVENTS.. => LEAST_OF_MANY,
        _ => LEAST,
    };
    // Nobody without the keys makes a message that can be decrypted.
    let by_length = match tx.message().decrypted {
        Some(_) => usize::MAX,
        None => (RATIO * tx.message().datagram().len()).saturating_sub(OTHER_RECORDS).max(least),
    };
    by_length.min(most).saturating_sub(RESERVE)
}

/// Writes a list within half of the room that is left.
pub(super) fn halved<T>(json: &mut JsonText, write: impl FnOnce(&mut JsonText) -> T) -> T {
    let (end, now) = (json.room(), json.as_bytes().len());
    json.set_room(now + end.saturating_sub(now) / 2);
    let result = write(json);
    json.set_room(end);
    result
}

/// Writes a list within the room that is left but for so many bytes, and at least within
/// three quarters of it.
pub(super) fn reserving<T>(
    json: &mut JsonText,
    bytes: usize,
    write: impl FnOnce(&mut JsonText) -> T,
) -> T {
    let (end, now) = (json.room(), json.as_bytes().len());
    json.set_room(end - bytes.min(end.saturating_sub(now) / 4));
    let result = write(json);
    json.set_room(end);
    result
}

/// An array of objects, unless there are none, as far as there is room. Whether all are there.
pub(super) fn array<T>(
    json: &mut JsonText,
    key: &'static CStr,
    items: impl Iterator<Item = T>,
    render: impl FnMut(T, &mut JsonText),
) -> bool {
    array_of(json, key, key, items, render)
}

/// The same, with what is left out counted under another name.
pub(super) fn array_of<T>(
    json: &mut JsonText,
    key: &CStr,
    what: &'static CStr,
    items: impl Iterator<Item = T>,
    mut render: impl FnMut(T, &mut JsonText),
) -> bool {
    elements(json, key, what, items, |item, json| {
        json.start_object();
        render(item, json);
        json.close();
    })
}

/// An array of texts, unless there are none, as far as there is room.
pub(super) fn text_array<'a>(
    json: &mut JsonText,
    key: &'static CStr,
    texts: impl Iterator<Item = &'a [u8]>,
) {
    elements(json, key, key, texts, |text, json| json.push_string(text));
}

fn elements<T>(
    json: &mut JsonText,
    key: &CStr,
    what: &'static CStr,
    mut items: impl Iterator<Item = T>,
    mut push: impl FnMut(T, &mut JsonText),
) -> bool {
    let Some(first) = items.next() else { return true };
    let before = json.mark();
    json.open_array(key);
    let (mut written, mut next) = (0, Some(first));
    while let Some(item) = next {
        let place = json.mark();
        push(item, json);
        if written == MAX_ELEMENTS || json.as_bytes().len() > json.room() {
            json.take_back(place);
            json.leave_out(what, 1 + items.count() as u64);
            match written {
                0 => json.take_back(before),
                _ => json.close(),
            }
            return false;
        }
        written += 1;
        next = items.next();
    }
    json.close();
    true
}

/// Says what was left out, and how many of it.
pub(super) fn render_left_out(json: &mut JsonText) {
    let all = json.left_out();
    if all.is_empty() {
        return;
    }
    json.open_object(c"omitted");
    for (what, count) in all {
        json.uint(what, count);
    }
    json.close();
}
