//! The size of a record.
//!
//! The sender of a datagram determines how much is written about it. Therefore the maximum
//! size of a record depends on the size of the message. Together with Suricata's own records,
//! about ten bytes are written for each byte of the message. A message without faults, or with
//! weak algorithms only, has the whole size.

use core::ffi::CStr;

use super::{JsonText, MAX_ELEMENTS};
use crate::tx::Transaction;

/// The maximum number of bytes of a message's object in a record. The configuration may set
/// another number.
pub const MAX_RECORD: usize = 8192;

/// The bytes for `omitted` and for the brackets after a list.
const RESERVE: usize = 160;

/// The maximum number of bytes of records for each byte of a message.
const RATIO: usize = 10;

/// The bytes that Suricata itself writes for a message with faults: the head of the record, an
/// alert, three anomalies and the flow record.
const OTHER_RECORDS: usize = 2700;

/// A message with this number of events was made to have many. One fault causes two or three.
pub const MANY_EVENTS: usize = 6;

/// The minimum size for a message with some faults, and for one with many, whatever its
/// length. A message without faults has the whole size, because correct offers are short as
/// bytes and long in records.
const LEAST: usize = 3400;
const LEAST_OF_MANY: usize = 1000;

/// The number of events that correct peers may cause, with their messages or with the result.
const FEW_EVENTS: usize = 3;

/// The maximum number of bytes of the object for this message.
pub(super) fn bytes_for(tx: &Transaction, most: usize) -> usize {
    let faults = tx.message().events.faults().len();
    let least = match faults {
        0..=FEW_EVENTS => usize::MAX,
        MANY_EVENTS.. => LEAST_OF_MANY,
        _ => LEAST,
    };
    // Only somebody with the keys can create a message that can be decrypted.
    let by_length = match tx.message().decrypted {
        Some(_) => usize::MAX,
        None => (RATIO * tx.message().datagram().len()).saturating_sub(OTHER_RECORDS).max(least),
    };
    by_length.min(most).saturating_sub(RESERVE)
}

/// Writes a list in half of the remaining room.
pub(super) fn halved<T>(json: &mut JsonText, write: impl FnOnce(&mut JsonText) -> T) -> T {
    let (end, now) = (json.room(), json.as_bytes().len());
    json.set_room(now + end.saturating_sub(now) / 2);
    let result = write(json);
    json.set_room(end);
    result
}

/// Writes a list and leaves this number of bytes free, but at most a quarter of the room.
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

/// Writes an array of objects while there is room. Returns whether all were written. Writes
/// nothing if there are none.
pub(super) fn array<T>(
    json: &mut JsonText,
    key: &'static CStr,
    items: impl Iterator<Item = T>,
    render: impl FnMut(T, &mut JsonText),
) -> bool {
    array_of(json, key, key, items, render)
}

/// The same, but counts what is omitted under another name.
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

/// Writes an array of texts while there is room. Writes nothing if there are none.
pub(super) fn text_array<'a>(
    json: &mut JsonText,
    key: &'static CStr,
    texts: impl Iterator<Item = &'a [u8]>,
) {
    elements(json, key, key, texts, |text, json| json.push_string(text));
}

/// Writes the elements of an array while there is room.
#[inline]
pub(super) fn elements<T>(
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
            json.return_to(place);
            json.leave_out(what, 1 + items.count() as u64);
            match written {
                0 => json.return_to(before),
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

/// Writes what was omitted, and how many of each.
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
