//! What the data of notifies says, where it is more than a number.

use core::ffi::CStr;

use super::{bounded, named, Sink, MAX_ELEMENTS};
use crate::payload_text;
use crate::wire::notify::AnnouncedMethod;
use crate::wire::registry::{GatewayIdType, HashAlgorithm};
use crate::wire::NotifyData;

/// The most bytes of a gateway's name.
const MAX_NAME: usize = 256;

/// Writes the fields into the object of the notify.
pub(super) fn render(data: &NotifyData<'_>, sink: &mut impl Sink) {
    match data {
        NotifyData::Redirect { gateway, identity, .. } => {
            sink.open_object(c"gateway");
            named(sink, c"type", gateway.0, gateway.record());
            sink.string(c"text", bounded(&gateway_text(*gateway, identity), MAX_NAME));
            sink.close();
        }
        NotifyData::SignatureHashAlgorithms(hashes) => {
            list(sink, c"hash_algorithms", hashes.iter(), |hash: HashAlgorithm, sink| {
                named(sink, c"id", hash.0, hash.record());
            });
        }
        NotifyData::SupportedAuthMethods(methods) => {
            list(sink, c"auth_methods", methods.iter(), render_method);
        }
        _ => {}
    }
}

/// An address or a name; hex digits of what has no known form.
fn gateway_text(kind: GatewayIdType, identity: &[u8]) -> String {
    match kind {
        GatewayIdType::FQDN => payload_text::text_or_hex(identity),
        GatewayIdType::IPV4 | GatewayIdType::IPV6 => payload_text::address(identity)
            .map_or_else(|| payload_text::hex(identity), |address| address.to_string()),
        _ => payload_text::hex(identity),
    }
}

fn render_method<S: Sink>(announced: AnnouncedMethod<'_>, sink: &mut S) {
    named(sink, c"method", announced.method.0, announced.method.record());
    if let Some(link) = announced.cert_link.filter(|link| *link != 0) {
        sink.uint(c"cert_link", link.into());
    }
    if let Some(signature) = payload_text::auth::algorithm(announced.algorithm) {
        sink.string(c"signature", bounded(&signature, MAX_NAME));
    }
}

/// An array of objects, unless there are none.
fn list<T, S: Sink>(
    sink: &mut S,
    key: &CStr,
    all: impl Iterator<Item = T>,
    render: impl Fn(T, &mut S),
) {
    let mut all = all.take(MAX_ELEMENTS).peekable();
    if all.peek().is_none() {
        return;
    }
    sink.open_array(key);
    for one in all {
        sink.start_object();
        render(one, sink);
        sink.close();
    }
    sink.close();
}
