//! The object `decrypted` of a record: fields from decrypted payloads.

use core::ffi::CStr;

use super::room::{array, halved, text_array};
use super::{
    bounded, bounded_hex, leave_out_bytes, name, named, string_of, JsonText, Layer, MAX_ELEMENTS,
};
use crate::payload_text::cert::X509Text;
use crate::payload_text::{eap, CertificateText, PayloadTexts, SelectorText};
use crate::wire::registry::{PayloadType, Protocol};
use crate::wire::{
    Authentication, CertificateRequest, Configuration, Delete, Eap, Identification, Payload,
};

/// The maximum number of bytes of a text from decrypted payloads in a record.
const MAX_TEXT: usize = 1024;

/// Writes the fields into the open object.
pub(super) fn render(layer: &Layer<'_>, texts: &PayloadTexts, json: &mut JsonText) {
    render_ids(layer, texts, json);
    render_auth(layer, texts, json);
    render_eap(layer, json);
    render_child_spis(layer, json);
    halved(json, |json| render_selectors(c"ts_initiator", &texts.selectors[0], json));
    halved(json, |json| render_selectors(c"ts_responder", &texts.selectors[1], json));
    halved(json, |json| render_configuration(layer, texts, json));
    halved(json, |json| render_deletes(layer, json));
    halved(json, |json| render_certificates(texts, json));
    halved(json, |json| render_requests(layer, json));
}

/// Writes the SPIs of child SAs as numbers, as Suricata's flow records of ESP have them.
fn render_child_spis(layer: &Layer<'_>, json: &mut JsonText) {
    let children = layer.proposals.iter().filter(|it| it.protocol != Protocol::IKE);
    let spis = children
        .filter_map(|it| <[u8; 4]>::try_from(layer.tx.message().range(it.spi.clone())).ok());
    let mut spis: Vec<_> = spis.map(u32::from_be_bytes).take(MAX_ELEMENTS).collect();
    // All proposals of an offer usually have the same SPI.
    spis.dedup();
    render_spis(&spis, json);
}

/// Writes the SPIs of child SAs. Writes nothing if there are none.
pub(super) fn render_spis(spis: &[u32], json: &mut JsonText) {
    if spis.is_empty() {
        return;
    }
    json.open_array(c"child_spis");
    spis.iter().for_each(|spi| json.push_uint((*spi).into()));
    json.close();
}

pub(super) fn render_ids(layer: &Layer<'_>, texts: &PayloadTexts, json: &mut JsonText) {
    let sides = [
        (PayloadType::IDI, c"id_initiator"),
        (PayloadType::IDR, c"id_responder"),
        (PayloadType::IDG, c"id_group"),
    ];
    for ((kind, key), text) in sides.into_iter().zip(&texts.ids) {
        let id = first(layer, kind, |it| Identification::parse(it.body, it.body_offset()).ok());
        if let (Some(id), Some(text)) = (id, text) {
            json.open_object(key);
            named(json, c"type", &id.kind);
            bounded_text(json, c"text", text);
            json.close();
        }
    }
}

fn render_auth(layer: &Layer<'_>, texts: &PayloadTexts, json: &mut JsonText) {
    let auth =
        first(layer, PayloadType::AUTH, |it| Authentication::parse(it.body, it.body_offset()).ok());
    if let Some(auth) = auth {
        json.open_object(c"auth");
        named(json, c"method", &auth.method);
        if let Some(signature) = &texts.signature {
            bounded_text(json, c"signature", signature);
        }
        bounded_hex(json, c"data", c"data_bytes", auth.data);
        json.close();
    }
}

fn render_certificates(texts: &PayloadTexts, json: &mut JsonText) {
    objects(json, c"certificates", &texts.certificates, |certificate, json| {
        let CertificateText { encoding, sha256, url, x509 } = certificate;
        named(json, c"encoding", encoding);
        json.word(c"sha256", sha256);
        if let Some(url) = url {
            bounded_text(json, c"url", url);
        }
        if let Some(x509) = x509 {
            render_x509(x509, json);
        }
    });
}

fn render_x509(x509: &X509Text, json: &mut JsonText) {
    bounded_text(json, c"subject", &x509.subject);
    bounded_text(json, c"issuer", &x509.issuer);
    bounded_text(json, c"serial", &x509.serial);
    for (key, seconds) in [(c"not_before", x509.not_before), (c"not_after", x509.not_after)] {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        json.time(key, seconds.saturating_mul(1_000_000));
    }
    texts_of(json, c"san", x509.names.iter().map(String::as_str));
    bounded_text(json, c"key_type", &x509.key_type);
    if let Some(size) = x509.key_size {
        json.uint(c"key_size", size.into());
    }
    bounded_text(json, c"signature", &x509.signature);
}

fn render_requests(layer: &Layer<'_>, json: &mut JsonText) {
    let requests: Vec<_> = layer
        .payloads_of(PayloadType::CERTREQ)
        .filter_map(|it| CertificateRequest::parse(it.body, it.body_offset()).ok())
        .collect();
    objects(json, c"certificate_requests", &requests, |request, json| {
        named(json, c"encoding", &request.encoding);
        json.uint(c"authorities", request.hashes().count() as u64);
    });
}

fn render_selectors(key: &'static CStr, selectors: &[SelectorText], json: &mut JsonText) {
    objects(json, key, selectors, |selector, json| {
        bounded_text(json, c"text", &selector.text);
        if let Some(width) = selector.width {
            json.uint(c"width", width.into());
        }
    });
}

fn render_configuration(layer: &Layer<'_>, texts: &PayloadTexts, json: &mut JsonText) {
    let configuration =
        first(layer, PayloadType::CP, |it| Configuration::parse(it.body, it.body_offset()).ok());
    let Some(configuration) = configuration else { return };
    json.open_object(c"cp");
    named(json, c"type", &configuration.kind);
    objects(json, c"attributes", &texts.attributes, |attribute, json| {
        named(json, c"type", &attribute.kind);
        if !attribute.value.is_empty() {
            bounded_text(json, c"value", &attribute.value);
        }
    });
    json.close();
}

fn render_eap(layer: &Layer<'_>, json: &mut JsonText) {
    let message = first(layer, PayloadType::EAP, |it| Eap::parse(it.body, it.body_offset()).ok());
    let Some(message) = message else { return };
    json.open_object(c"eap");
    json.uint(c"code", message.code.0.into());
    if let Some(name) = message.code.name() {
        json.word(c"code_name", name);
    }
    if let Some(method) = message.method {
        json.uint(c"type", method.0.into());
        if let Some(name) = method.name() {
            json.word(c"type_name", name);
        }
    }
    if let Some((vendor, kind, _)) = message.expanded() {
        let (vendor_name, kind_name) = eap::expanded_names(vendor, kind);
        json.uint(c"vendor", vendor.into());
        name(json, c"vendor_name", vendor_name);
        json.uint(c"vendor_type", kind.into());
        name(json, c"vendor_type_name", kind_name);
    }
    if let Some(identity) = eap::identity(&message) {
        json.string(c"identity", identity.get(..MAX_TEXT).unwrap_or(identity));
    }
    json.close();
}

fn render_deletes(layer: &Layer<'_>, json: &mut JsonText) {
    let deletes: Vec<_> = layer
        .payloads_of(PayloadType::DELETE)
        .filter_map(|it| Delete::parse_lenient(it.body, it.body_offset()).ok())
        .collect();
    objects(json, c"delete", &deletes, |delete, json| {
        string_of(json, c"protocol", delete.protocol.name(), delete.protocol.0);
        let spis: Vec<_> = delete.spis().map(crate::payload_text::hex).collect();
        texts_of(json, c"spis", spis.iter().map(String::as_str));
    });
}

fn first<'a, T>(
    layer: &Layer<'a>,
    kind: PayloadType,
    parse: impl Fn(Payload<'a>) -> Option<T>,
) -> Option<T> {
    layer.payloads_of(kind).find_map(parse)
}

/// Writes an array of objects. Writes nothing if there are none.
fn objects<T>(
    json: &mut JsonText,
    key: &'static CStr,
    all: &[T],
    render: impl Fn(&T, &mut JsonText),
) {
    array(json, key, all.iter(), render);
}

/// Writes an array of texts. Writes nothing if there are none.
fn texts_of<'a>(json: &mut JsonText, key: &'static CStr, all: impl Iterator<Item = &'a str>) {
    text_array(json, key, all.map(|text| bounded(text, MAX_TEXT)));
}

fn bounded_text(json: &mut JsonText, key: &CStr, text: &str) {
    let shown = bounded(text, MAX_TEXT);
    json.string(key, shown);
    leave_out_bytes(json, text.len() - shown.len());
}

#[cfg(test)]
mod tests;
