//! The object `decrypted` of a record: what only an opened message shows.

use core::ffi::CStr;

use super::room::{array, halved, text_array};
use super::{
    bounded, bounded_hex, leave_out_bytes, name, named, string_of, timestamp, Layer, Sink,
    MAX_ELEMENTS,
};
use crate::payload_text::cert::X509Text;
use crate::payload_text::{eap, CertificateText, PayloadTexts, SelectorText};
use crate::wire::registry::{PayloadType, Protocol};
use crate::wire::{
    Authentication, CertificateRequest, Configuration, Delete, Eap, Identification, Payload,
};

/// The most bytes of a text of what is inside, in a record.
const MAX_TEXT: usize = 1024;

/// Writes the fields into the object that is open.
pub(super) fn render(layer: &Layer<'_>, texts: &PayloadTexts, sink: &mut impl Sink) {
    render_ids(layer, texts, sink);
    render_auth(layer, texts, sink);
    render_eap(layer, sink);
    render_child_spis(layer, sink);
    halved(sink, |sink| render_selectors(c"ts_initiator", &texts.selectors[0], sink));
    halved(sink, |sink| render_selectors(c"ts_responder", &texts.selectors[1], sink));
    halved(sink, |sink| render_configuration(layer, texts, sink));
    halved(sink, |sink| render_deletes(layer, sink));
    halved(sink, |sink| render_certificates(texts, sink));
    halved(sink, |sink| render_requests(layer, sink));
}

/// The SPIs of child SAs as numbers, which Suricata's flow records of ESP have too.
fn render_child_spis(layer: &Layer<'_>, sink: &mut impl Sink) {
    let children = layer.proposals.iter().filter(|it| it.protocol != Protocol::IKE);
    let spis = children
        .filter_map(|it| <[u8; 4]>::try_from(layer.tx.message().range(it.spi.clone())).ok());
    let mut spis: Vec<_> = spis.map(u32::from_be_bytes).take(MAX_ELEMENTS).collect();
    // All proposals of an offer mostly have the same.
    spis.dedup();
    render_spis(&spis, sink);
}

/// SPIs of child SAs, unless there are none.
pub(super) fn render_spis(spis: &[u32], sink: &mut impl Sink) {
    if spis.is_empty() {
        return;
    }
    sink.open_array(c"child_spis");
    spis.iter().for_each(|spi| sink.push_uint((*spi).into()));
    sink.close();
}

pub(super) fn render_ids(layer: &Layer<'_>, texts: &PayloadTexts, sink: &mut impl Sink) {
    let sides = [
        (PayloadType::IDI, c"id_initiator"),
        (PayloadType::IDR, c"id_responder"),
        (PayloadType::IDG, c"id_group"),
    ];
    for ((kind, key), text) in sides.into_iter().zip(&texts.ids) {
        let id = first(layer, kind, |it| Identification::parse(it.body, it.body_offset()).ok());
        if let (Some(id), Some(text)) = (id, text) {
            sink.open_object(key);
            named(sink, c"type", id.kind.0, id.kind.record());
            bounded_text(sink, c"text", text);
            sink.close();
        }
    }
}

fn render_auth(layer: &Layer<'_>, texts: &PayloadTexts, sink: &mut impl Sink) {
    let auth =
        first(layer, PayloadType::AUTH, |it| Authentication::parse(it.body, it.body_offset()).ok());
    if let Some(auth) = auth {
        sink.open_object(c"auth");
        named(sink, c"method", auth.method.0, auth.method.record());
        if let Some(signature) = &texts.signature {
            bounded_text(sink, c"signature", signature);
        }
        bounded_hex(sink, c"data", c"data_bytes", auth.data);
        sink.close();
    }
}

fn render_certificates(texts: &PayloadTexts, sink: &mut impl Sink) {
    objects(sink, c"certificates", &texts.certificates, |certificate, sink| {
        let CertificateText { encoding, sha256, url, x509 } = certificate;
        named(sink, c"encoding", encoding.0, encoding.record());
        sink.word(c"sha256", sha256);
        if let Some(url) = url {
            bounded_text(sink, c"url", url);
        }
        if let Some(x509) = x509 {
            render_x509(x509, sink);
        }
    });
}

fn render_x509(x509: &X509Text, sink: &mut impl Sink) {
    bounded_text(sink, c"subject", &x509.subject);
    bounded_text(sink, c"issuer", &x509.issuer);
    bounded_text(sink, c"serial", &x509.serial);
    for (key, seconds) in [(c"not_before", x509.not_before), (c"not_after", x509.not_after)] {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        sink.word(key, &timestamp(seconds.saturating_mul(1_000_000)));
    }
    texts_of(sink, c"san", x509.names.iter().map(String::as_str));
    bounded_text(sink, c"key_type", &x509.key_type);
    if let Some(size) = x509.key_size {
        sink.uint(c"key_size", size.into());
    }
    bounded_text(sink, c"signature", &x509.signature);
}

fn render_requests(layer: &Layer<'_>, sink: &mut impl Sink) {
    let requests: Vec<_> = layer
        .payloads_of(PayloadType::CERTREQ)
        .filter_map(|it| CertificateRequest::parse(it.body, it.body_offset()).ok())
        .collect();
    objects(sink, c"certificate_requests", &requests, |request, sink| {
        named(sink, c"encoding", request.encoding.0, request.encoding.record());
        sink.uint(c"authorities", request.hashes().count() as u64);
    });
}

fn render_selectors(key: &'static CStr, selectors: &[SelectorText], sink: &mut impl Sink) {
    objects(sink, key, selectors, |selector, sink| {
        bounded_text(sink, c"text", &selector.text);
        if let Some(width) = selector.width {
            sink.uint(c"width", width.into());
        }
    });
}

fn render_configuration(layer: &Layer<'_>, texts: &PayloadTexts, sink: &mut impl Sink) {
    let configuration =
        first(layer, PayloadType::CP, |it| Configuration::parse(it.body, it.body_offset()).ok());
    let Some(configuration) = configuration else { return };
    sink.open_object(c"cp");
    named(sink, c"type", configuration.kind.0, configuration.kind.record());
    objects(sink, c"attributes", &texts.attributes, |attribute, sink| {
        named(sink, c"type", attribute.kind.0, attribute.kind.record());
        if !attribute.value.is_empty() {
            bounded_text(sink, c"value", &attribute.value);
        }
    });
    sink.close();
}

fn render_eap(layer: &Layer<'_>, sink: &mut impl Sink) {
    let message = first(layer, PayloadType::EAP, |it| Eap::parse(it.body, it.body_offset()).ok());
    let Some(message) = message else { return };
    sink.open_object(c"eap");
    sink.uint(c"code", message.code.0.into());
    if let Some(name) = message.code.name() {
        sink.word(c"code_name", name);
    }
    if let Some(method) = message.method {
        sink.uint(c"type", method.0.into());
        if let Some(name) = method.name() {
            sink.word(c"type_name", name);
        }
    }
    if let Some((vendor, kind, _)) = message.expanded() {
        let (vendor_name, kind_name) = eap::expanded_names(vendor, kind);
        sink.uint(c"vendor", vendor.into());
        name(sink, c"vendor_name", vendor_name);
        sink.uint(c"vendor_type", kind.into());
        name(sink, c"vendor_type_name", kind_name);
    }
    if let Some(identity) = eap::identity(&message) {
        sink.string(c"identity", identity.get(..MAX_TEXT).unwrap_or(identity));
    }
    sink.close();
}

fn render_deletes(layer: &Layer<'_>, sink: &mut impl Sink) {
    let deletes: Vec<_> = layer
        .payloads_of(PayloadType::DELETE)
        .filter_map(|it| Delete::as_far_as_there(it.body, it.body_offset()).ok())
        .collect();
    objects(sink, c"delete", &deletes, |delete, sink| {
        string_of(sink, c"protocol", delete.protocol.name(), delete.protocol.0);
        let spis: Vec<_> = delete.spis().map(crate::payload_text::hex).collect();
        texts_of(sink, c"spis", spis.iter().map(String::as_str));
    });
}

fn first<'a, T>(
    layer: &Layer<'a>,
    kind: PayloadType,
    parse: impl Fn(Payload<'a>) -> Option<T>,
) -> Option<T> {
    layer.payloads_of(kind).find_map(parse)
}

/// An array of objects, unless there are none.
fn objects<T, S: Sink>(sink: &mut S, key: &'static CStr, all: &[T], render: impl Fn(&T, &mut S)) {
    array(sink, key, all.iter(), render);
}

/// An array of texts, unless there are none.
fn texts_of<'a>(sink: &mut impl Sink, key: &'static CStr, all: impl Iterator<Item = &'a str>) {
    text_array(sink, key, all.map(|text| bounded(text, MAX_TEXT)));
}

fn bounded_text(sink: &mut impl Sink, key: &CStr, text: &str) {
    let shown = bounded(text, MAX_TEXT);
    sink.string(key, shown);
    leave_out_bytes(sink, text.len() - shown.len());
}

#[cfg(test)]
mod tests;
