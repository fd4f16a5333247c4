//! The meaning of a notify's data, if it is more than a number.

use core::ffi::CStr;

use super::{bounded, named, JsonText, MAX_ELEMENTS};
use crate::payload_text;
use crate::wire::notify::AnnouncedMethod;
use crate::wire::registry::{GatewayIdType, HashAlgorithm};
use crate::wire::NotifyData;

/// The maximum number of bytes of a gateway's name.
const MAX_NAME: usize = 256;

/// Writes the fields into the object of the notify.
pub(super) fn render(data: &NotifyData<'_>, json: &mut JsonText) {
    match data {
        NotifyData::Redirect { gateway, identity, .. } => {
            json.open_object(c"gateway");
            named(json, c"type", gateway);
            json.string(c"text", bounded(&gateway_text(*gateway, identity), MAX_NAME));
            json.close();
        }
        NotifyData::SignatureHashAlgorithms(hashes) => {
            list(json, c"hash_algorithms", hashes.iter(), |hash: HashAlgorithm, json| {
                named(json, c"id", &hash);
            });
        }
        NotifyData::SupportedAuthMethods(methods) => {
            list(json, c"auth_methods", methods.iter(), render_method);
        }
        _ => {}
    }
}

/// An address or a name, or hex digits if the form is not known.
fn gateway_text(kind: GatewayIdType, identity: &[u8]) -> String {
    match kind {
        GatewayIdType::FQDN => payload_text::text_or_hex(identity),
        GatewayIdType::IPV4 | GatewayIdType::IPV6 => payload_text::address(identity)
            .map_or_else(|| payload_text::hex(identity), |address| address.to_string()),
        _ => payload_text::hex(identity),
    }
}

fn render_method(announced: AnnouncedMethod<'_>, json: &mut JsonText) {
    named(json, c"method", &announced.method);
    if let Some(link) = announced.cert_link.filter(|link| *link != 0) {
        json.uint(c"cert_link", link.into());
    }
    if let Some(signature) = payload_text::auth::algorithm(announced.algorithm) {
        json.string(c"signature", bounded(&signature, MAX_NAME));
    }
}

/// Writes an array of objects. Writes nothing if there are none.
fn list<T>(
    json: &mut JsonText,
    key: &CStr,
    all: impl Iterator<Item = T>,
    render: impl Fn(T, &mut JsonText),
) {
    let mut all = all.take(MAX_ELEMENTS).peekable();
    if all.peek().is_none() {
        return;
    }
    json.open_array(key);
    for one in all {
        json.start_object();
        render(one, json);
        json.close();
    }
    json.close();
}
