//! A transaction as the object `ikev2` of an EVE record.
//!
//! The record is written through [`Sink`], so that the host's builder and the
//! tests' one are the same to it. Arrays and data are bounded, and so is the whole: what
//! has a few fields comes first, then the lists, most of them with half of the room that is left
//! each and the last with all of it. What was left out is counted in `omitted`.

use core::ffi::CStr;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use crate::message::{Event, PayloadEntry, Scope};
use crate::policy::Finding;
use crate::proposal::{Proposal, Transform};
use crate::tx::Transaction;
use crate::vendor;
use crate::wire::notify::Notify;
use crate::wire::registry::{PayloadType, TransformType};
use crate::wire::{Header, KeyExchange, ParseError, Payload, Protocol};

mod compact;
mod decrypted;
mod notify;
mod room;
mod sa;

pub use compact::render_compact;
use room::{array, halved, reserving, text_array};
pub use room::{MANY_EVENTS, MAX_RECORD};

/// The most elements of an array in a record.
pub const MAX_ELEMENTS: usize = 64;

/// The most bytes of a field in a record, shown as hex.
pub const MAX_HEX_BYTES: usize = 256;

/// The most bytes of a proposal's text or a fingerprint's in a record.
pub const MAX_TEXT: usize = 4096;

/// Takes a record's fields. Keys end with a zero because the host wants it so.
pub trait Sink {
    /// A place in the text.
    type Mark: Copy;
    /// Begins an object under a key.
    fn open_object(&mut self, key: &CStr);
    /// Begins an object as an array's element.
    fn start_object(&mut self);
    /// Begins an array under a key.
    fn open_array(&mut self, key: &CStr);
    /// Ends the object or array begun last.
    fn close(&mut self);
    /// Sets a number.
    fn uint(&mut self, key: &CStr, value: u64);
    /// Sets a truth value.
    fn bool(&mut self, key: &CStr, value: bool);
    /// Sets a text.
    fn string(&mut self, key: &CStr, value: &[u8]);
    /// The JSON that was written so far.
    fn written(&self) -> &[u8];
    /// Where the text is now.
    fn mark(&self) -> Self::Mark;
    /// Takes back what was written since.
    fn take_back(&mut self, mark: Self::Mark);
    /// How many bytes may be written in all, before lists end.
    fn room(&self) -> usize;
    /// Sets that.
    fn set_room(&mut self, end: usize);
    /// Counts what is left out.
    fn leave_out(&mut self, what: &'static CStr, count: u64);
    /// Takes the counts.
    fn left_out(&mut self) -> Vec<(&'static CStr, u64)>;
    /// Sets what is JSON already, and may have members behind the value.
    fn json(&mut self, key: &CStr, value: &str);
    /// Sets a text of letters, digits and signs that JSON takes as they are.
    fn word(&mut self, key: &CStr, value: &str) {
        self.string(key, value.as_bytes());
    }
    /// Sets an address as text.
    fn address(&mut self, key: &CStr, value: IpAddr);
    /// Sets bytes as hex digits.
    fn hex(&mut self, key: &CStr, value: &[u8]);
    /// Adds a text to an array.
    fn push_string(&mut self, value: &[u8]);
    /// Adds a number to an array.
    fn push_uint(&mut self, value: u64);
}

/// Writes the fields of a transaction into the object that is open, within [`MAX_RECORD`].
pub fn render(tx: &Transaction, sink: &mut impl Sink) {
    render_within(tx, MAX_RECORD, sink);
}

/// The same within so many bytes. The fields that are no lists are always there.
pub fn render_within(tx: &Transaction, most: usize, sink: &mut impl Sink) {
    sink.set_room(sink.written().len() + room::of(tx, most));
    if let Some(header) = &tx.message().header {
        render_header(tx, header, sink);
    }
    sink.bool(c"nat_t", tx.message().nat_t());
    sink.word(c"transport", tx.message().transport.name());
    let outer = Layer::outer(tx);
    render_single(&outer, sink);
    render_fingerprint(tx, sink);
    render_strength(tx, sink);
    render_encrypted(tx, sink);
    if let Some(sa) = tx.sa() {
        sink.open_object(c"sa");
        sa::render(sa, sink);
        sink.close();
    }
    render_events(tx, sink);
    halved(sink, |sink| render_errors(tx, sink));
    halved(sink, |sink| render_findings(tx, sink));
    if let (Some(decrypted), Some(texts)) = (&tx.message().decrypted, tx.texts()) {
        sink.open_object(c"decrypted");
        sink.bool(c"late", decrypted.late);
        let layer = Layer::decrypted(tx);
        render_single(&layer, sink);
        decrypted::render(&layer, texts, sink);
        render_lists(&layer, sink);
        sink.close();
    }
    render_lists(&outer, sink);
    room::render_left_out(sink);
}

/// Which message of which SA it is.
fn render_exchange(tx: &Transaction, header: &Header, sink: &mut impl Sink) {
    if let (Some(init), Some(resp)) = (tx.message().init_spi_text(), tx.message().resp_spi_text()) {
        sink.string(c"init_spi", init);
        sink.string(c"resp_spi", resp);
    }
    sink.uint(c"message_id", header.message_id.into());
    sink.uint(c"exchange_type", header.exchange_type.0.into());
    name(sink, c"exchange_type_name", header.exchange_type.name());
}

fn render_header(tx: &Transaction, header: &Header, sink: &mut impl Sink) {
    sink.uint(c"version_major", header.version.major().into());
    sink.uint(c"version_minor", header.version.minor().into());
    render_exchange(tx, header, sink);
    sink.open_array(c"flags");
    let flags = header.flags;
    for (set, text) in [
        (flags.initiator(), "initiator"),
        (flags.version(), "version"),
        (flags.response(), "response"),
    ] {
        if set {
            sink.push_string(text.as_bytes());
        }
    }
    sink.close();
    if flags.reserved() != 0 {
        sink.uint(c"reserved_flags", flags.reserved().into());
    }
    if let Some(role) = tx.message().role() {
        sink.word(c"role", role.name());
    }
    sink.uint(c"length", header.length.into());
}

/// The payloads outside the encrypted one, or the decrypted ones.
struct Layer<'a> {
    tx: &'a Transaction,
    decrypted: bool,
    payloads: &'a [PayloadEntry],
    proposals: &'a [Proposal],
    /// The number of the first proposal among all of the message.
    first: usize,
}

impl<'a> Layer<'a> {
    fn outer(tx: &'a Transaction) -> Self {
        let count = tx.message().outer_proposals();
        Self {
            tx,
            decrypted: false,
            payloads: tx.message().outer_payloads(),
            proposals: tx.message().proposals.proposals().get(..count).unwrap_or(&[]),
            first: 0,
        }
    }

    fn decrypted(tx: &'a Transaction) -> Self {
        Self {
            tx,
            decrypted: true,
            payloads: tx.message().decrypted_payloads(),
            proposals: tx.message().decrypted_proposals(),
            first: tx.message().outer_proposals(),
        }
    }

    /// The canonical text of a proposal.
    fn text(&self, place: usize) -> &'a str {
        self.tx.message().proposal_texts().get(self.first + place).map_or("", String::as_str)
    }

    fn payloads_of(&self, kind: PayloadType) -> impl Iterator<Item = Payload<'a>> + use<'a> {
        let tx = self.tx;
        self.payloads.iter().filter(move |it| it.kind == kind).map(|it| tx.message().payload(it))
    }

    /// What the responder took: its first proposal.
    fn chosen(&self) -> Option<&'a Proposal> {
        self.proposals.first().filter(|_| self.tx.message().scope() == Scope::Chosen)
    }
}

/// What a layer has once.
fn render_single(layer: &Layer<'_>, sink: &mut impl Sink) {
    if let Some(proposal) = layer.chosen() {
        let known = layer.tx.message().shared().map(|shared| &shared.chosen_json);
        kept(sink, known, c"chosen", |sink| {
            render_chosen(|kind| chosen_transform(layer.tx, proposal, kind).copied(), sink);
            if !layer.decrypted {
                render_algorithms(layer.tx, proposal, sink);
            }
            true
        });
    }
    render_key_exchange(layer, sink);
}

/// What a layer may have many of. Proposals are the longest; the list of payloads says least.
fn render_lists<S: Sink>(layer: &Layer<'_>, sink: &mut S) {
    halved(sink, |sink| render_notifies(layer, sink));
    halved(sink, |sink| render_vendor_ids(layer, sink));
    if !layer.proposals.is_empty() {
        let known = layer.tx.message().shared().map(|shared| &shared.proposals_json);
        let payloads = layer.payloads.len() * USUAL_PAYLOAD;
        reserving(sink, payloads, |sink: &mut S| {
            kept(sink, known, c"proposals", |sink| render_proposals(layer, sink));
        });
    }
    render_payloads(layer, sink);
}

/// What a payload takes in the list of payloads.
const USUAL_PAYLOAD: usize = 68;

/// Writes members of which the first has this key, and keeps them where messages share
/// them and all of it has room; or sets those that were kept. `write` says whether it wrote
/// everything.
fn kept<S: Sink>(
    sink: &mut S,
    known: Option<&OnceLock<String>>,
    key: &CStr,
    write: impl FnOnce(&mut S) -> bool,
) {
    let start = sink.written().len();
    if let Some(text) = known.and_then(OnceLock::get) {
        if start + key.count_bytes() + text.len() < sink.room() {
            return sink.json(key, text);
        }
    }
    let whole = write(sink);
    if let Some(known) = known.filter(|_| whole) {
        let text = core::str::from_utf8(sink.written().get(start..).unwrap_or(&[]));
        // Behind the first key, which has no colon.
        if let Some((_, value)) = text.ok().and_then(|text| text.split_once(':')) {
            known.get_or_init(|| value.to_owned());
        }
    }
}

fn render_payloads(layer: &Layer<'_>, sink: &mut impl Sink) {
    array(sink, c"payloads", layer.payloads.iter(), |payload, sink| {
        named(sink, c"type", payload.kind.0, payload.kind.record());
        sink.uint(c"length", payload.length.into());
        sink.bool(c"critical", payload.critical);
    });
}

/// The transform types under the keys that records have for them.
const TRANSFORM_KEYS: &[(TransformType, &CStr)] = &[
    (TransformType::ENCR, c"encr"),
    (TransformType::PRF, c"prf"),
    (TransformType::INTEG, c"integ"),
    (TransformType::KE, c"dh"),
    (TransformType::SN, c"esn"),
    (TransformType::ADDKE1, c"addke1"),
    (TransformType::ADDKE2, c"addke2"),
    (TransformType::ADDKE3, c"addke3"),
    (TransformType::ADDKE4, c"addke4"),
    (TransformType::ADDKE5, c"addke5"),
    (TransformType::ADDKE6, c"addke6"),
    (TransformType::ADDKE7, c"addke7"),
    (TransformType::KWA, c"kwa"),
    (TransformType::GCAUTH, c"gcauth"),
];

/// Whether all of them had room.
fn render_proposals<S: Sink>(layer: &Layer<'_>, sink: &mut S) -> bool {
    let tx = layer.tx;
    let proposals = layer.proposals.iter().enumerate();
    let mut whole = true;
    whole &= array(sink, c"proposals", proposals, |(place, proposal), sink: &mut S| {
        sink.uint(c"number", proposal.number.into());
        string_of(sink, c"protocol", proposal.protocol.name(), proposal.protocol.0);
        let spi = tx.message().range(proposal.spi.clone());
        if !spi.is_empty() {
            sink.hex(c"spi", spi);
        }
        let text = layer.text(place);
        whole &= reserving(sink, text.len() + TEXT_KEY, |sink| {
            render_transforms(tx.message().proposals.transforms(proposal), sink)
        });
        if text.len() <= MAX_TEXT && sink.written().len() + text.len() + TEXT_KEY < sink.room() {
            sink.word(c"text", text);
        } else {
            whole = false;
            sink.leave_out(c"bytes", text.len() as u64);
        }
    });
    whole
}

/// What a proposal's text takes besides its characters.
const TEXT_KEY: usize = 16;

/// Whether all of them had room.
fn render_transforms<S: Sink>(transforms: &[Transform], sink: &mut S) -> bool {
    let bit = |kind: TransformType| 1_u16 << kind.0.min(15);
    let present = transforms.iter().fold(0, |kinds, transform| kinds | bit(transform.kind));
    let mut whole = true;
    for (kind, key) in TRANSFORM_KEYS {
        if present & bit(*kind) != 0 {
            let of_kind = transforms.iter().filter(|transform| transform.kind == *kind);
            whole &= room::array_of(sink, key, c"transforms", of_kind, render_algorithm);
        }
    }
    let unknown = transforms.iter().filter(|transform| transform.kind.name().is_none());
    whole
        & room::array_of(sink, c"unknown", c"transforms", unknown, |transform, sink| {
            sink.uint(c"type", transform.kind.0.into());
            render_algorithm(transform, sink);
        })
}

fn render_algorithm<S: Sink>(transform: &Transform, sink: &mut S) {
    named(sink, c"id", transform.id, transform.record());
    if let Some(bits) = transform.key_length {
        sink.uint(c"key_length", bits.into());
    }
}

/// What was chosen: a transform of each type that there is.
fn render_chosen(chosen: impl Fn(TransformType) -> Option<Transform>, sink: &mut impl Sink) {
    sink.open_object(c"chosen");
    for (kind, key) in TRANSFORM_KEYS {
        if let Some(transform) = chosen(*kind) {
            sink.open_object(key);
            render_algorithm(&transform, sink);
            sink.close();
        }
    }
    sink.close();
}

/// The names that records of the built-in parser have.
fn render_algorithms(tx: &Transaction, proposal: &Proposal, sink: &mut impl Sink) {
    for (kind, key) in [
        (TransformType::ENCR, c"alg_enc"),
        (TransformType::INTEG, c"alg_auth"),
        (TransformType::PRF, c"alg_prf"),
        (TransformType::KE, c"alg_dh"),
        (TransformType::SN, c"alg_esn"),
    ] {
        if let Some(transform) = chosen_transform(tx, proposal, kind) {
            string_of(sink, key, transform.name(), transform.id);
        }
    }
}

/// What the responder took: the first transform of a type.
fn chosen_transform<'a>(
    tx: &'a Transaction,
    proposal: &Proposal,
    kind: TransformType,
) -> Option<&'a Transform> {
    tx.message().proposals.transforms(proposal).iter().find(|transform| transform.kind == kind)
}

fn render_key_exchange(layer: &Layer<'_>, sink: &mut impl Sink) {
    let exchange = layer
        .payloads_of(PayloadType::KE)
        .find_map(|payload| KeyExchange::parse(payload.body, payload.body_offset()).ok());
    if let Some(exchange) = exchange {
        sink.open_object(c"key_exchange");
        named(sink, c"group", exchange.method.0, exchange.method.record());
        sink.uint(c"length", exchange.data.len() as u64);
        sink.close();
    }
    if let Some(nonce) = layer.payloads_of(PayloadType::NONCE).next() {
        sink.uint(c"nonce_length", nonce.body.len() as u64);
    }
}

fn render_notifies(layer: &Layer<'_>, sink: &mut impl Sink) {
    let notifies = layer
        .payloads_of(PayloadType::NOTIFY)
        .filter_map(|payload| Notify::as_far_as_there(payload.body, payload.body_offset()).ok())
        .map(|(notify, _)| notify);
    array(sink, c"notify", notifies, |notify, sink| render_notify(&notify, sink));
}

fn render_notify(notify: &Notify<'_>, sink: &mut impl Sink) {
    named(sink, c"type", notify.kind.0, notify.kind.record());
    if notify.protocol != Protocol(0) {
        string_of(sink, c"protocol", notify.protocol.name(), notify.protocol.0);
    }
    if !notify.spi.is_empty() {
        sink.hex(c"spi", notify.spi);
    }
    if !notify.data.is_empty() {
        bounded_hex(sink, c"data", c"data_bytes", notify.data);
    }
    if let Ok(data) = notify.known() {
        notify::render(&data, sink);
    }
}

fn render_vendor_ids(layer: &Layer<'_>, sink: &mut impl Sink) {
    let ids = layer.payloads_of(PayloadType::VENDOR_ID);
    array(sink, c"vendor_ids", ids, |id, sink| {
        bounded_hex(sink, c"hex", c"hex_bytes", id.body);
        name(sink, c"name", vendor::product(id.body));
    });
}

fn render_fingerprint(tx: &Transaction, sink: &mut impl Sink) {
    if let Some(fingerprint) = tx.fingerprint() {
        sink.open_object(c"fingerprint");
        sink.string(c"hash", &fingerprint.hash);
        // Only ASCII; a quarter of the record at most.
        let room = sink.room().saturating_sub(sink.written().len()) / 4;
        let shown = bounded(&fingerprint.string, room.min(MAX_TEXT));
        sink.string(c"string", shown);
        leave_out_bytes(sink, fingerprint.string.len() - shown.len());
        sink.close();
    }
}

fn render_strength(tx: &Transaction, sink: &mut impl Sink) {
    if let Some(bits) = tx.message().security_bits() {
        sink.uint(c"security_bits", bits.into());
    }
    if let Some(post_quantum) = tx.message().post_quantum() {
        sink.word(c"pq", post_quantum.name());
    }
}

fn render_findings<S: Sink>(tx: &Transaction, sink: &mut S) {
    if tx.message().findings().is_empty() {
        return;
    }
    let known = tx.message().shared().map(|shared| &shared.findings_json);
    kept(sink, known, c"weak", |sink| {
        let findings = tx.message().findings().iter();
        array(sink, c"weak", findings, |it, sink: &mut S| {
            render_finding(it, tx.message().scope(), sink)
        })
    });
}

/// All events, the most telling ones first.
fn render_events(tx: &Transaction, sink: &mut impl Sink) {
    let end = sink.room();
    sink.set_room(usize::MAX);
    let names = tx.message().events.most_telling().map(|event| event.name().to_bytes());
    text_array(sink, c"events", names);
    sink.set_room(end);
}

fn render_finding(finding: &Finding, scope: Scope, sink: &mut impl Sink) {
    sink.word(c"what", finding.what.name());
    if let Some(transform) = &finding.transform {
        render_algorithm(transform, sink);
    }
    sink.string(c"reason", finding.reason.as_bytes());
    sink.string(c"policy", finding.policy.as_bytes());
    sink.word(c"scope", scope.name());
}

fn render_encrypted(tx: &Transaction, sink: &mut impl Sink) {
    if let Some(fragment) = tx.message().fragment() {
        sink.open_object(c"fragment");
        sink.uint(c"number", fragment.number.into());
        sink.uint(c"total", fragment.total.into());
        sink.close();
    }
    if let Some(body) = tx.message().encrypted() {
        sink.uint(c"encrypted_length", body.len() as u64);
    }
}

/// The last microsecond that `humantime` can write, of the year 9999.
const LAST_TIME: u64 = 253_402_300_799_999_999;

/// A packet's time as Suricata writes it, in UTC. What a broken capture has for a
/// time may lie behind all that has four digits for the year.
fn timestamp(microseconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_micros(microseconds.min(LAST_TIME));
    let mut text = humantime::format_rfc3339_micros(time).to_string();
    text.truncate(text.len() - "Z".len());
    text + "+0000"
}

fn render_errors(tx: &Transaction, sink: &mut impl Sink) {
    array(sink, c"errors", tx.message().errors.iter(), |error, sink| render_error(tx, error, sink));
}

fn render_error(tx: &Transaction, error: &ParseError, sink: &mut impl Sink) {
    sink.string(c"event", Event::of_error(error.kind).name().to_bytes());
    sink.string(c"field", error.field.as_bytes());
    let inside = (error.offset as usize).checked_sub(tx.message().bytes().len());
    match inside.filter(|_| tx.message().decrypted.is_some()) {
        Some(offset) => {
            sink.uint(c"offset", offset as u64);
            sink.bool(c"decrypted", true);
        }
        None => sink.uint(c"offset", error.offset.into()),
    }
}

fn name(sink: &mut impl Sink, key: &CStr, name: Option<&'static str>) {
    if let Some(name) = name {
        sink.word(key, name);
    }
}

/// A number and its name, if the registry has one.
fn named(sink: &mut impl Sink, key: &CStr, number: impl Into<u64>, record: Option<&'static str>) {
    match record {
        Some(record) => sink.json(key, record),
        None => sink.uint(key, number.into()),
    }
}

/// A name, or the number where the registry has none.
fn string_of(sink: &mut impl Sink, key: &CStr, name: Option<&'static str>, number: impl Into<u64>) {
    match name {
        Some(name) => sink.word(key, name),
        None => sink.word(key, &number.into().to_string()),
    }
}

/// The front of a field; where that is not all, also how many bytes the field has.
fn bounded_hex(sink: &mut impl Sink, key: &CStr, all: &CStr, bytes: &[u8]) {
    let shown = bytes.get(..MAX_HEX_BYTES).unwrap_or(bytes);
    sink.hex(key, shown);
    if shown.len() < bytes.len() {
        sink.uint(all, bytes.len() as u64);
    }
    leave_out_bytes(sink, bytes.len() - shown.len());
}

/// Counts the bytes of a field that is longer than what is shown of it.
fn leave_out_bytes(sink: &mut impl Sink, count: usize) {
    if count > 0 {
        sink.leave_out(c"bytes", count as u64);
    }
}

/// The front of a text, cut between characters.
fn bounded(text: &str, most: usize) -> &[u8] {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(bounded("peer", 4), b"peer");
        assert_eq!(bounded("peer", 3), b"pee");
        assert_eq!(bounded("p\u{e9}er", 2), b"p");
        assert_eq!(bounded("\u{e9}", 0), b"");
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(timestamp(951_782_400_000_042), "2000-02-29T00:00:00.000042+0000");
        assert_eq!(timestamp(u64::MAX), "9999-12-31T23:59:59.999999+0000");
    }
}
