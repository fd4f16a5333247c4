//! A transaction as the object `ikev2` of an EVE record.
//!
//! The record is written as [`JsonText`]. Arrays, data and the whole record have a maximum
//! size. Single fields come first, then the lists. Most lists may use half of the remaining
//! room, and the last one may use all of it. `omitted` counts what was left out.

use core::ffi::CStr;
use std::sync::OnceLock;

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
mod flow;
mod json;
mod names;
mod notify;
mod report;
mod room;
mod sa;

pub use compact::render_compact;
pub use flow::render_flow;
pub use json::JsonText;
use names::Registered;
pub use report::{render_report, MAX_SA_RECORD};
use room::{array, halved, reserving, text_array};
pub use room::{MANY_EVENTS, MAX_RECORD};

/// The maximum number of elements of an array in a record.
pub const MAX_ELEMENTS: usize = 64;

/// The maximum number of bytes of a field that a record shows as hex digits.
pub const MAX_HEX_BYTES: usize = 256;

/// The maximum number of bytes of the text of a proposal or fingerprint in a record.
pub const MAX_TEXT: usize = 4096;

/// Writes the fields of a transaction into the open object. The maximum size is
/// [`MAX_RECORD`].
pub fn render(tx: &Transaction, json: &mut JsonText) {
    render_within(tx, MAX_RECORD, json);
}

/// Writes the fields with a maximum size of `most` bytes. Single fields are always written.
pub fn render_within(tx: &Transaction, most: usize, json: &mut JsonText) {
    json.set_room(json.as_bytes().len() + room::bytes_for(tx, most));
    json.word(c"type", "message");
    if let Some(header) = &tx.message().header {
        render_header(tx, header, json);
    }
    json.bool(c"nat_t", tx.message().nat_t());
    json.word(c"transport", tx.message().transport.name());
    let outer = Layer::outer(tx);
    render_single(&outer, json);
    render_fingerprint(tx, json);
    render_strength(tx, json);
    render_encrypted(tx, json);
    if let Some(sa) = tx.sa() {
        json.open_object(c"sa");
        sa::render(sa, json);
        json.close();
    }
    render_events(tx, json);
    halved(json, |json| render_errors(tx, json));
    halved(json, |json| render_findings(tx, json));
    if let (Some(decrypted), Some(texts)) = (&tx.message().decrypted, tx.texts()) {
        json.open_object(c"decrypted");
        json.bool(c"late", decrypted.late);
        let layer = Layer::decrypted(tx);
        render_single(&layer, json);
        decrypted::render(&layer, texts, json);
        render_lists(&layer, json);
        json.close();
    }
    render_lists(&outer, json);
    room::render_left_out(json);
}

/// Writes the fields that identify the message and its SA.
fn render_exchange(tx: &Transaction, header: &Header, json: &mut JsonText) {
    if let (Some(init), Some(resp)) = (tx.message().init_spi_text(), tx.message().resp_spi_text()) {
        json.plain(c"init_spi", init);
        json.plain(c"resp_spi", resp);
    }
    json.uint(c"message_id", header.message_id.into());
    json.uint(c"exchange_type", header.exchange_type.0.into());
    name(json, c"exchange_type_name", header.exchange_type.name());
}

fn render_header(tx: &Transaction, header: &Header, json: &mut JsonText) {
    json.uint(c"version_major", header.version.major().into());
    json.uint(c"version_minor", header.version.minor().into());
    render_exchange(tx, header, json);
    json.open_array(c"flags");
    let flags = header.flags;
    for (set, text) in [
        (flags.initiator(), "initiator"),
        (flags.version(), "version"),
        (flags.response(), "response"),
    ] {
        if set {
            json.push_string(text.as_bytes());
        }
    }
    json.close();
    if flags.reserved() != 0 {
        json.uint(c"reserved_flags", flags.reserved().into());
    }
    if let Some(role) = tx.message().role() {
        json.word(c"role", role.name());
    }
    json.uint(c"length", header.length.into());
}

/// The unencrypted payloads of a message, or its decrypted payloads.
struct Layer<'a> {
    tx: &'a Transaction,
    decrypted: bool,
    payloads: &'a [PayloadEntry],
    proposals: &'a [Proposal],
    /// The index of the first proposal among all proposals of the message.
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

    /// The chosen proposal: the first one of a response.
    fn chosen(&self) -> Option<&'a Proposal> {
        self.proposals.first().filter(|_| self.tx.message().scope() == Scope::Chosen)
    }
}

/// Writes the fields that a layer has once.
fn render_single(layer: &Layer<'_>, json: &mut JsonText) {
    if let Some(proposal) = layer.chosen() {
        let stored = layer.tx.message().shared().map(|shared| &shared.chosen_json);
        cached(json, stored, c"chosen", |json| {
            render_chosen(|kind| chosen_transform(layer.tx, proposal, kind).copied(), json);
            if !layer.decrypted {
                render_algorithms(layer.tx, proposal, json);
            }
            true
        });
    }
    render_key_exchange(layer, json);
}

/// Writes the lists of a layer. Proposals are the longest, and the list of payloads says
/// least.
fn render_lists(layer: &Layer<'_>, json: &mut JsonText) {
    halved(json, |json| render_notifies(layer, json));
    halved(json, |json| render_vendor_ids(layer, json));
    if !layer.proposals.is_empty() {
        let stored = layer.tx.message().shared().map(|shared| &shared.proposals_json);
        let payloads = layer.payloads.len() * USUAL_PAYLOAD;
        reserving(json, payloads, |json: &mut JsonText| {
            cached(json, stored, c"proposals", |json| render_proposals(layer, json));
        });
    }
    render_payloads(layer, json);
}

/// The bytes of a payload in the list of payloads.
const USUAL_PAYLOAD: usize = 68;

/// Writes members, the first of them under `key`. If messages share the text and all of it has
/// been written, it is stored in `stored`, and the next call uses it. `write` returns whether
/// it wrote everything.
fn cached(
    json: &mut JsonText,
    stored: Option<&OnceLock<String>>,
    key: &CStr,
    write: impl FnOnce(&mut JsonText) -> bool,
) {
    let start = json.as_bytes().len();
    if let Some(text) = stored.and_then(OnceLock::get) {
        if start + key.count_bytes() + text.len() < json.room() {
            return json.raw(key, text);
        }
    }
    let whole = write(json);
    if let Some(stored) = stored.filter(|_| whole) {
        let text = core::str::from_utf8(json.as_bytes().get(start..).unwrap_or(&[]));
        // The text after the first key. The key contains no colon.
        if let Some((_, value)) = text.ok().and_then(|text| text.split_once(':')) {
            stored.get_or_init(|| value.to_owned());
        }
    }
}

fn render_payloads(layer: &Layer<'_>, json: &mut JsonText) {
    array(json, c"payloads", layer.payloads.iter(), |payload, json: &mut JsonText| {
        named(json, c"type", &payload.kind);
        json.uint(c"length", payload.length.into());
        json.bool(c"critical", payload.critical);
    });
}

/// The transform types with their keys in records.
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

/// Writes the proposals. Returns whether there was room for all of them.
fn render_proposals(layer: &Layer<'_>, json: &mut JsonText) -> bool {
    let tx = layer.tx;
    let proposals = layer.proposals.iter().enumerate();
    let mut whole = true;
    whole &= array(json, c"proposals", proposals, |(place, proposal), json: &mut JsonText| {
        json.uint(c"number", proposal.number.into());
        string_of(json, c"protocol", proposal.protocol.name(), proposal.protocol.0);
        let spi = tx.message().range(proposal.spi.clone());
        if !spi.is_empty() {
            json.hex(c"spi", spi);
        }
        let text = layer.text(place);
        whole &= reserving(json, text.len() + TEXT_KEY, |json| {
            render_transforms(tx.message().proposals.transforms(proposal), json)
        });
        if text.len() <= MAX_TEXT && json.as_bytes().len() + text.len() + TEXT_KEY < json.room() {
            json.word(c"text", text);
        } else {
            whole = false;
            json.leave_out(c"bytes", text.len() as u64);
        }
    });
    whole
}

/// The bytes of a proposal's text field without the text itself.
const TEXT_KEY: usize = 16;

/// Writes the transforms. Returns whether there was room for all of them.
fn render_transforms(transforms: &[Transform], json: &mut JsonText) -> bool {
    // The first and the last place of each type. Its transforms usually follow each other.
    let mut places = [(u16::MAX, 0); 16];
    for (place, transform) in (0..).zip(transforms) {
        let (first, last) = &mut places[usize::from(transform.kind.0.min(15))];
        (*first, *last) = (place.min(*first), place + 1);
    }
    let mut whole = true;
    for (kind, key) in TRANSFORM_KEYS {
        let (first, last) = places[usize::from(kind.0.min(15))];
        let of_kind = transforms.get(first.into()..last.into()).unwrap_or(&[]);
        let of_kind = of_kind.iter().filter(|transform| transform.kind == *kind);
        whole &= room::elements(json, key, c"transforms", of_kind, push_algorithm);
    }
    let unknown = transforms.iter().filter(|transform| transform.kind.name().is_none());
    whole
        & room::array_of(json, c"unknown", c"transforms", unknown, |transform, json| {
            json.uint(c"type", transform.kind.0.into());
            render_algorithm(transform, json);
        })
}

/// Writes a transform as an element of an array. As [`render_algorithm`], in fewer steps: there
/// are dozens in an offer.
fn push_algorithm(transform: &Transform, json: &mut JsonText) {
    match transform.json() {
        Some(text) => json.push_algorithm(text, transform.key_length),
        None => {
            json.start_object();
            render_algorithm(transform, json);
            json.close();
        }
    }
}

fn render_algorithm(transform: &Transform, json: &mut JsonText) {
    named(json, c"id", transform);
    if let Some(bits) = transform.key_length {
        json.uint(c"key_length", bits.into());
    }
}

/// Writes the chosen transforms, one of each type.
fn render_chosen(chosen: impl Fn(TransformType) -> Option<Transform>, json: &mut JsonText) {
    json.open_object(c"chosen");
    for (kind, key) in TRANSFORM_KEYS {
        if let Some(transform) = chosen(*kind) {
            json.open_object(key);
            render_algorithm(&transform, json);
            json.close();
        }
    }
    json.close();
}

/// Writes the chosen algorithms under the names that the built-in parser's records have.
fn render_algorithms(tx: &Transaction, proposal: &Proposal, json: &mut JsonText) {
    for (kind, key) in [
        (TransformType::ENCR, c"alg_enc"),
        (TransformType::INTEG, c"alg_auth"),
        (TransformType::PRF, c"alg_prf"),
        (TransformType::KE, c"alg_dh"),
        (TransformType::SN, c"alg_esn"),
    ] {
        if let Some(transform) = chosen_transform(tx, proposal, kind) {
            string_of(json, key, transform.name(), transform.id);
        }
    }
}

/// The chosen transform of a type: the first one in the proposal.
fn chosen_transform<'a>(
    tx: &'a Transaction,
    proposal: &Proposal,
    kind: TransformType,
) -> Option<&'a Transform> {
    tx.message().proposals.transforms(proposal).iter().find(|transform| transform.kind == kind)
}

fn render_key_exchange(layer: &Layer<'_>, json: &mut JsonText) {
    let exchange = layer
        .payloads_of(PayloadType::KE)
        .find_map(|payload| KeyExchange::parse(payload.body, payload.body_offset()).ok());
    if let Some(exchange) = exchange {
        json.open_object(c"key_exchange");
        named(json, c"group", &exchange.method);
        json.uint(c"length", exchange.data.len() as u64);
        json.close();
    }
    if let Some(nonce) = layer.payloads_of(PayloadType::NONCE).next() {
        json.uint(c"nonce_length", nonce.body.len() as u64);
    }
}

fn render_notifies(layer: &Layer<'_>, json: &mut JsonText) {
    let notifies = layer
        .payloads_of(PayloadType::NOTIFY)
        .filter_map(|payload| Notify::parse_lenient(payload.body, payload.body_offset()).ok())
        .map(|(notify, _)| notify);
    array(json, c"notify", notifies, |notify, json| render_notify(&notify, json));
}

fn render_notify(notify: &Notify<'_>, json: &mut JsonText) {
    named(json, c"type", &notify.kind);
    if notify.protocol != Protocol(0) {
        string_of(json, c"protocol", notify.protocol.name(), notify.protocol.0);
    }
    if !notify.spi.is_empty() {
        json.hex(c"spi", notify.spi);
    }
    if !notify.data.is_empty() {
        bounded_hex(json, c"data", c"data_bytes", notify.data);
    }
    if let Ok(data) = notify.known() {
        notify::render(&data, json);
    }
}

fn render_vendor_ids(layer: &Layer<'_>, json: &mut JsonText) {
    let ids = layer.payloads_of(PayloadType::VENDOR_ID);
    array(json, c"vendor_ids", ids, |id, json| {
        bounded_hex(json, c"hex", c"hex_bytes", id.body);
        name(json, c"name", vendor::product(id.body));
    });
}

fn render_fingerprint(tx: &Transaction, json: &mut JsonText) {
    if let Some(fingerprint) = tx.fingerprint() {
        json.open_object(c"fingerprint");
        json.plain(c"hash", &fingerprint.hash);
        // The text is ASCII and may use a quarter of the remaining room.
        let room = json.room().saturating_sub(json.as_bytes().len()) / 4;
        let shown = bounded(&fingerprint.string, room.min(MAX_TEXT));
        json.plain(c"string", shown);
        leave_out_bytes(json, fingerprint.string.len() - shown.len());
        json.close();
    }
}

fn render_strength(tx: &Transaction, json: &mut JsonText) {
    if let Some(bits) = tx.message().security_bits() {
        json.uint(c"security_bits", bits.into());
    }
    if let Some(post_quantum) = tx.message().post_quantum() {
        json.word(c"pq", post_quantum.name());
    }
}

fn render_findings(tx: &Transaction, json: &mut JsonText) {
    if tx.message().findings().is_empty() {
        return;
    }
    let stored = tx.message().shared().map(|shared| &shared.findings_json);
    cached(json, stored, c"weak", |json| {
        let findings = tx.message().findings().iter();
        array(json, c"weak", findings, |it, json: &mut JsonText| {
            render_finding(it, tx.message().scope(), json)
        })
    });
}

/// Writes all events. Those that say most come first.
fn render_events(tx: &Transaction, json: &mut JsonText) {
    let end = json.room();
    json.set_room(usize::MAX);
    let names = tx.message().events.most_telling().map(|event| event.name().to_bytes());
    text_array(json, c"events", names);
    json.set_room(end);
}

fn render_finding(finding: &Finding, scope: Scope, json: &mut JsonText) {
    json.word(c"what", finding.kind.name());
    if let Some(transform) = &finding.transform {
        render_algorithm(transform, json);
    }
    json.string(c"reason", finding.reason.as_bytes());
    json.string(c"policy", finding.policy.as_bytes());
    json.word(c"scope", scope.name());
}

fn render_encrypted(tx: &Transaction, json: &mut JsonText) {
    if let Some(fragment) = tx.message().fragment() {
        json.open_object(c"fragment");
        json.uint(c"number", fragment.number.into());
        json.uint(c"total", fragment.total.into());
        json.close();
    }
    if let Some(body) = tx.message().encrypted() {
        json.uint(c"encrypted_length", body.len() as u64);
    }
}

fn render_errors(tx: &Transaction, json: &mut JsonText) {
    array(json, c"errors", tx.message().errors.iter(), |error, json| render_error(tx, error, json));
}

fn render_error(tx: &Transaction, error: &ParseError, json: &mut JsonText) {
    json.string(c"event", Event::of_error(error.kind).name().to_bytes());
    json.string(c"field", error.field.as_bytes());
    let offset = (error.offset as usize).checked_sub(tx.message().bytes().len());
    match offset.filter(|_| tx.message().decrypted.is_some()) {
        Some(offset) => {
            json.uint(c"offset", offset as u64);
            json.bool(c"decrypted", true);
        }
        None => json.uint(c"offset", error.offset.into()),
    }
}

#[inline(always)]
fn name(json: &mut JsonText, key: &CStr, name: Option<&'static str>) {
    if let Some(name) = name {
        json.word(key, name);
    }
}

/// Writes a number and its name, if the registry has one.
#[inline(always)]
fn named(json: &mut JsonText, key: &CStr, entry: &impl Registered) {
    match entry.json() {
        Some(text) => json.raw(key, text),
        None => json.uint(key, entry.number()),
    }
}

/// Writes a name, or the number if the registry has no name.
fn string_of(json: &mut JsonText, key: &CStr, name: Option<&'static str>, number: impl Into<u64>) {
    match name {
        Some(name) => json.word(key, name),
        None => json.word(key, &number.into().to_string()),
    }
}

/// Writes the first bytes of a field. If these are not all, also writes the length of the
/// field.
fn bounded_hex(json: &mut JsonText, key: &CStr, all: &CStr, bytes: &[u8]) {
    let shown = bytes.get(..MAX_HEX_BYTES).unwrap_or(bytes);
    json.hex(key, shown);
    if shown.len() < bytes.len() {
        json.uint(all, bytes.len() as u64);
    }
    leave_out_bytes(json, bytes.len() - shown.len());
}

/// Counts the bytes of a field that were omitted.
fn leave_out_bytes(json: &mut JsonText, count: usize) {
    if count > 0 {
        json.leave_out(c"bytes", count as u64);
    }
}

/// The beginning of a text. A character is never cut.
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
}
