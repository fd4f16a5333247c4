//! The keywords over decrypted payloads. Each has one row.
//!
//! The keywords in [`super::table`] also look at decrypted payloads if the same payload may
//! occur in unencrypted messages.

use super::kind::{Integer, Keyword, Kind, Names, Values, Width};
use super::table::{integer, names};
use crate::payload_text;
use crate::payload_text::cert::X509Text;
use crate::tx::Transaction;
use crate::wire::registry::{
    AuthMethod, CertEncoding, CfgType, EapCode, EapMethod, IdType, PayloadType, Protocol,
};
use crate::wire::{Eap, Payload};

super::keywords! {
    DecryptedKeyword {
        name: c"ikev2.decrypted",
        summary: c"whether the encrypted payload was decrypted",
        details: "Decryption needs the operator's keys: see docs/decryption.md.",
        examples: &["ikev2.decrypted; ikev2.notify.type:<16384;", "ikev2.exchange_type:ike_auth; ikev2.decrypted:no;"],
        source: "RFC 7296, 3.14; RFC 7383, 2.6",
        kind: Kind::Presence(|tx| tx.message().decrypted.is_some()),
    }
    IdInitiatorKeyword {
        name: c"ikev2.id.initiator",
        summary: c"the initiator's identity as text",
        details: "The text is an address, a name, a DN with its parts in their order (`C=CH, O=Example, CN=gw`), or `null`. A key ID is shown as text if it is printable, else as hex digits.",
        examples: &["ikev2.id.initiator; content:\"@example.com\"; endswith;"],
        source: "RFC 7296, 3.5",
        kind: Kind::Buffer(|tx| tx.texts()?.ids[0].as_deref().map(str::as_bytes)),
    }
    IdResponderKeyword {
        name: c"ikev2.id.responder",
        summary: c"the responder's identity as text",
        details: "In a request this is the identity that the initiator wants to talk to.",
        examples: &["ikev2.role:responder; ikev2.id.responder; content:!\"gw.example.com\";"],
        source: "RFC 7296, 3.5",
        kind: Kind::Buffer(|tx| tx.texts()?.ids[1].as_deref().map(str::as_bytes)),
    }
    IdTypeKeyword {
        name: c"ikev2.id.type",
        summary: c"ID Type of any identity",
        details: "",
        examples: &["ikev2.id.type:id_null;"],
        source: "RFC 7296, 3.5; RFC 7619",
        kind: integer!(U8, names!(IdType), |tx, _, test| {
            let ids = [PayloadType::IDI, PayloadType::IDR, PayloadType::IDG];
            ids.into_iter().flat_map(|id| numbers(tx, id)).any(|kind| test(kind.into()))
        }),
    }
    AuthMethodKeyword {
        name: c"ikev2.auth_method",
        summary: c"Auth Method of the Authentication payload",
        details: "",
        examples: &["ikev2.auth_method:shared_key_mic;"],
        source: "RFC 7296, 3.8",
        kind: integer!(U8, names!(AuthMethod), |tx, _, test| {
            numbers(tx, PayloadType::AUTH).any(|method| test(method.into()))
        }),
    }
    AuthSignatureKeyword {
        name: c"ikev2.auth.signature",
        summary: c"signature algorithm of an authentication by digital signature",
        details: "The name is spelled as in its RFC, such as `ecdsa-with-SHA256` or `RSASSA-PSS/sha256`. An algorithm that the plugin has no name for is shown as its object identifier.",
        examples: &["ikev2.auth.signature; content:\"sha1\"; nocase;"],
        source: "RFC 7427, 3",
        kind: Kind::Buffer(|tx| tx.texts()?.signature.as_deref().map(str::as_bytes)),
    }
    CertSubjectKeyword {
        name: c"ikev2.cert.subject",
        summary: c"subjects of the certificates",
        details: "The parts of the DN are in their order: `C=CH, O=Example, CN=gw`.",
        examples: &["ikev2.cert.subject; content:\"CN=gw.example.com\";"],
        source: "RFC 5280, 4.1.2.6",
        kind: Kind::MultiBuffer(|tx, index| x509(tx, index).map(|it| it.subject.as_bytes())),
    }
    CertIssuerKeyword {
        name: c"ikev2.cert.issuer",
        summary: c"issuers of the certificates",
        details: "",
        examples: &["ikev2.cert.issuer; content:!\"O=Example\";"],
        source: "RFC 5280, 4.1.2.4",
        kind: Kind::MultiBuffer(|tx, index| x509(tx, index).map(|it| it.issuer.as_bytes())),
    }
    CertSerialKeyword {
        name: c"ikev2.cert.serial",
        summary: c"serial numbers of the certificates, in lower-case hex digits",
        details: "A leading zero byte that only marks the number as positive is left out.",
        examples: &["ikev2.cert.serial; content:\"1f2e\"; bsize:4;"],
        source: "RFC 5280, 4.1.2.2",
        kind: Kind::MultiBuffer(|tx, index| x509(tx, index).map(|it| it.serial.as_bytes())),
    }
    CertSanKeyword {
        name: c"ikev2.cert.san",
        summary: c"Subject Alternative Names of the certificates, each with its kind in front",
        details: "The forms are `DNS:gw.example`, `email:carol@example`, `IP:192.0.2.1`, `URI:…` and `DirName:…`.",
        examples: &["ikev2.cert.san; content:\"DNS:\"; startswith; content:\".example.com\"; endswith;"],
        source: "RFC 5280, 4.2.1.6",
        kind: Kind::MultiBuffer(|tx, index| {
            // A message has few certificates, but each may have many names.
            let mut number = index;
            for certificate in tx.texts()?.certificates.iter().filter_map(|it| it.x509.as_ref()) {
                match certificate.names.get(number) {
                    Some(name) => return Some(name.as_bytes()),
                    None => number -= certificate.names.len(),
                }
            }
            None
        }),
    }
    CertSignatureKeyword {
        name: c"ikev2.cert.signature",
        summary: c"signature algorithms of the certificates",
        details: "The names are those of `ikev2.auth.signature`.",
        examples: &["ikev2.cert.signature; content:\"sha1\"; nocase;"],
        source: "RFC 5280, 4.1.1.2",
        kind: Kind::MultiBuffer(|tx, index| x509(tx, index).map(|it| it.signature.as_bytes())),
    }
    CertSha256Keyword {
        name: c"ikev2.cert.sha256",
        summary: c"SHA-256 of each certificate's data, in lower-case hex digits",
        details: "Certificates of every encoding have one.",
        examples: &["ikev2.cert.sha256; content:\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\";"],
        source: "RFC 7296, 3.6",
        kind: Kind::MultiBuffer(|tx, index| {
            tx.texts()?.certificates.get(index).map(|it| it.sha256.as_bytes())
        }),
    }
    CertKeySizeKeyword {
        name: c"ikev2.cert.key_size",
        summary: c"size of any certificate's key in bits",
        details: "For RSA this is the size of the modulus. For elliptic curves it is the size of a coordinate.",
        examples: &["ikev2.cert.key_size:<2048;"],
        source: "RFC 5280, 4.1.2.7",
        kind: integer!(U16, None, |tx, _, test| {
            let certificates = tx.texts().into_iter().flat_map(|texts| &texts.certificates);
            let sizes = certificates.filter_map(|it| it.x509.as_ref()?.key_size);
            sizes.into_iter().any(|size| test(size.into()))
        }),
    }
    CertEncodingKeyword {
        name: c"ikev2.cert.encoding",
        summary: c"Cert Encoding of any Certificate payload",
        details: "",
        examples: &["ikev2.cert.encoding:hash_and_url_x509;"],
        source: "RFC 7296, 3.6",
        kind: integer!(U8, names!(CertEncoding), |tx, _, test| {
            numbers(tx, PayloadType::CERT).any(|encoding| test(encoding.into()))
        }),
    }
    CertUrlKeyword {
        name: c"ikev2.cert.url",
        summary: c"URLs of certificates that the receiver is to fetch",
        details: "Certificates with a Hash and URL encoding have one. A URL that is not printable text is shown as hex digits.",
        examples: &["ikev2.cert.url; content:!\"http|3a|//pki.example.com/\"; startswith;"],
        source: "RFC 7296, 3.6",
        kind: Kind::MultiBuffer(|tx, index| {
            let urls = tx.texts()?.certificates.iter().filter_map(|it| it.url.as_deref());
            urls.map(str::as_bytes).nth(index)
        }),
    }
    TsInitiatorKeyword {
        name: c"ikev2.ts.initiator",
        summary: c"the initiator's traffic selectors as text",
        details: "The form is `10.1.0.0-10.1.255.255 proto 0 ports 0-65535`. In a response these are the selectors that the responder accepted.",
        examples: &["ikev2.ts.initiator; content:\"0.0.0.0-255.255.255.255 proto 0\"; startswith;"],
        source: "RFC 7296, 3.13",
        kind: Kind::MultiBuffer(|tx, index| selector(tx, 0, index)),
    }
    TsResponderKeyword {
        name: c"ikev2.ts.responder",
        summary: c"the responder's traffic selectors as text",
        details: "",
        examples: &["ikev2.ts.responder; content:\"10.0.0.0-10.255.255.255\"; startswith;"],
        source: "RFC 7296, 3.13",
        kind: Kind::MultiBuffer(|tx, index| selector(tx, 1, index)),
    }
    TsWidthKeyword {
        name: c"ikev2.ts.width",
        summary: c"base-2 logarithm of the number of addresses in the widest traffic selector",
        details: "The value is rounded down. 0 is one address, 8 is an IPv4 /24 network, 32 is all of IPv4, and 128 is all of IPv6.",
        examples: &["ikev2.flags:response; ikev2.ts.width:>24;"],
        source: "RFC 7296, 3.13.1",
        kind: integer!(U8, None, |tx, _, test| {
            let selectors = tx.texts().into_iter().flat_map(|texts| texts.selectors.iter().flatten());
            selectors.filter_map(|it| it.width).max().is_some_and(|width| test(width.into()))
        }),
    }
    EapCodeKeyword {
        name: c"ikev2.eap.code",
        summary: c"Code of the EAP message",
        details: "",
        examples: &["ikev2.eap.code:failure;"],
        source: "RFC 3748, 4",
        kind: integer!(U8, names!(EapCode), |tx, _, test| {
            eaps(tx).any(|eap| test(eap.code.0.into()))
        }),
    }
    EapTypeKeyword {
        name: c"ikev2.eap.type",
        summary: c"Type of the EAP message: the EAP method",
        details: "Only EAP requests and responses have one.",
        examples: &["ikev2.role:responder; ikev2.eap.type:md5_challenge;"],
        source: "RFC 3748, 5",
        kind: integer!(U8, names!(EapMethod), |tx, _, test| {
            eaps(tx).filter_map(|eap| eap.method).any(|method| test(method.0.into()))
        }),
    }
    EapIdentityKeyword {
        name: c"ikev2.eap.identity",
        summary: c"identity in an EAP response of type Identity, EAP-AKA, EAP-AKA' or EAP-SIM",
        details: "The buffer has the raw bytes. For EAP-AKA, EAP-AKA' and EAP-SIM they are those of AT_IDENTITY.",
        examples: &["ikev2.eap.identity; content:\"@example.com\"; endswith;"],
        source: "RFC 3748, 5.1; RFC 4187, 10.5",
        kind: Kind::Buffer(|tx| eaps(tx).find_map(|eap| payload_text::eap::identity(&eap))),
    }
    CpTypeKeyword {
        name: c"ikev2.cp.type",
        summary: c"CFG Type of the Configuration payload",
        details: "",
        examples: &["ikev2.cp.type:cfg_request;"],
        source: "RFC 7296, 3.15",
        kind: integer!(U8, names!(CfgType), |tx, _, test| {
            numbers(tx, PayloadType::CP).any(|kind| test(kind.into()))
        }),
    }
    CpAddressKeyword {
        name: c"ikev2.cp.address",
        summary: c"addresses inside the tunnel that a peer requests or assigns, as text",
        details: "Examples are `10.3.0.1` and `2001:db8::1/64`.",
        examples: &["ikev2.flags:response; ikev2.cp.address; content:\"10.3.0.\"; startswith;"],
        source: "RFC 7296, 3.15.1",
        kind: Kind::MultiBuffer(|tx, index| {
            let attribute = tx.texts()?.attributes.get(*tx.positions().addresses.get(index)?)?;
            Some(attribute.value.as_bytes())
        }),
    }
    DeleteProtocolKeyword {
        name: c"ikev2.delete.protocol",
        summary: c"Protocol ID of any Delete payload: the kind of SA that is deleted",
        details: "",
        examples: &["ikev2.delete.protocol:ike;"],
        source: "RFC 7296, 3.11",
        kind: integer!(U8, names!(Protocol), |tx, _, test| {
            numbers(tx, PayloadType::DELETE).any(|protocol| test(protocol.into()))
        }),
    }
}

/// The decrypted payloads of a type.
fn decrypted_payloads(tx: &Transaction, kind: PayloadType) -> impl Iterator<Item = Payload<'_>> {
    let of_kind = tx.message().decrypted_payloads().iter().filter(move |entry| entry.kind == kind);
    of_kind.map(|entry| tx.message().payload(entry))
}

/// The first byte of each decrypted payload of a type. For these types it is the field that
/// the keyword is about.
fn numbers(tx: &Transaction, kind: PayloadType) -> impl Iterator<Item = u8> + '_ {
    decrypted_payloads(tx, kind).filter_map(|payload| payload.body.first().copied())
}

fn eaps(tx: &Transaction) -> impl Iterator<Item = Eap<'_>> {
    let eaps = decrypted_payloads(tx, PayloadType::EAP);
    eaps.filter_map(|payload| Eap::parse(payload.body, payload.body_offset()).ok())
}

/// The text of an X.509 certificate. `index` counts only the certificates that can be
/// parsed.
fn x509(tx: &Transaction, index: usize) -> Option<&X509Text> {
    tx.texts()?.certificates.get(*tx.positions().x509.get(index)?)?.x509.as_deref()
}

/// A traffic selector as text. `side` is 0 for the initiator and 1 for the responder.
fn selector(tx: &Transaction, side: usize, index: usize) -> Option<&[u8]> {
    tx.texts()?.selectors[side].get(index).map(|it| it.text.as_bytes())
}
