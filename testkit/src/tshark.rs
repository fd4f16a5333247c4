//! Decrypted messages, in the same words whether tshark's JSON or a record says what is in
//! them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// The most bytes of authentication data in a record.
const MAX_BYTES: usize = 256;

/// Messages by SPIs, exchange, Message ID and direction, each with its fields.
#[derive(Debug, Default)]
pub struct Messages(pub BTreeMap<String, Vec<String>>);

/// A field, what tshark says of it, and what a record says.
type Field = (&'static str, fn(&[Inner<'_>]) -> Vec<String>, fn(&Value) -> Vec<String>);

const FIELDS: &[Field] = &[
    ("payloads", payloads, |it| vec![words(each(&it["payloads"]), |it| text(&it["type"]))]),
    ("notify", notifies, |it| list(&it["notify"], |it| members(it, &["type", "spi"]))),
    ("proposal", proposals, |it| list(&it["proposals"], recorded_proposal)),
    ("key exchange", key_exchange, |it| list(&it["key_exchange"], |it| members(it, &["group"]))),
    ("nonce", nonce, |it| list(&it["nonce_length"], text)),
    ("initiator", |all| ids(all, 35), |it| list(&it["id_initiator"], recorded_id)),
    ("responder", |all| ids(all, 36), |it| list(&it["id_responder"], recorded_id)),
    ("auth", auth, |it| list(&it["auth"], |it| members(it, &["method", "data"]))),
    ("certificate", certificates, |it| list(&it["certificates"], recorded_certificate)),
    ("request", certificate_requests, |it| {
        list(&it["certificate_requests"], |it| members(it, &["encoding", "authorities"]))
    }),
    ("TSi", |all| selectors(all, 44), |it| list(&it["ts_initiator"], |it| text(&it["text"]))),
    ("TSr", |all| selectors(all, 45), |it| list(&it["ts_responder"], |it| text(&it["text"]))),
    ("configuration", configuration, |it| list(&it["cp"], recorded_configuration)),
    ("EAP", eap, |it| list(&it["eap"], |it| members(it, &["code", "type", "identity"]))),
    ("delete", deletes, |it| list(&it["delete"], recorded_delete)),
];

impl Messages {
    /// Those of Suricata's records that were opened.
    pub fn of_records(records: &[Value]) -> Self {
        let mut messages = Self::default();
        for ikev2 in records.iter().map(|record| &record["ikev2"]) {
            let inside = &ikev2["decrypted"];
            if inside.is_object() {
                let response = each(&ikev2["flags"]).any(|flag| flag == "response");
                let numbers = ["init_spi", "resp_spi", "exchange_type", "message_id"];
                let place = format!("{} {}", members(ikev2, &numbers), text(&ikev2["role"]));
                messages.insert(place, response, |(_, _, read)| read(inside));
            }
        }
        messages
    }

    /// Those of tshark's packets that it opened.
    pub fn of_packets(packets: &Value) -> Self {
        let mut messages = Self::default();
        for packet in each(packets) {
            for message in each(&packet["_source"]["layers"]["isakmp"]) {
                if let Some(inside) = opened(message) {
                    let flag = |name| message["isakmp.flags_tree"][name] == "1";
                    let role = if flag("isakmp.flag_i") { "initiator" } else { "responder" };
                    let spi = |name| hex(&message[name]);
                    let place = format!(
                        "{} {} {} {} {role}",
                        spi("isakmp.ispi"),
                        spi("isakmp.rspi"),
                        text(&message["isakmp.exchangetype"]),
                        number(&message["isakmp.messageid"])
                    );
                    messages.insert(place, flag("isakmp.flag_r"), |(_, read, _)| read(&inside));
                }
            }
        }
        messages
    }

    fn insert(&mut self, place: String, response: bool, read: impl Fn(&Field) -> Vec<String>) {
        let place = format!("{place} {}", if response { "response" } else { "request" });
        let of_field = |field: &Field| -> Vec<_> {
            read(field).into_iter().map(|value| format!("{} {value}", field.0)).collect()
        };
        let fields: Vec<_> = FIELDS.iter().flat_map(of_field).collect();
        let before = self.0.insert(place.clone(), fields);
        // A message that was sent again.
        assert!(before.is_none_or(|before| before == self.0[&place]), "{place} is there twice");
    }

    /// Adds those that are not there yet.
    pub fn merge(&mut self, others: Self) {
        for (place, fields) in others.0 {
            self.0.entry(place).or_insert(fields);
        }
    }

    /// Reads what [`Display`](fmt::Display) wrote.
    pub fn parse(text: &str) -> Self {
        let mut messages = Self::default();
        let mut place = String::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                None => {
                    place = line.to_owned();
                    messages.0.insert(place.clone(), Vec::new());
                }
                Some(field) => messages.0.entry(place.clone()).or_default().push(field.to_owned()),
            }
        }
        messages
    }
}

impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# What tshark finds inside encrypted messages: see tests/inside.rs.")?;
        for (place, fields) in &self.0 {
            writeln!(f, "{place}")?;
            fields.iter().try_for_each(|field| writeln!(f, "  {field}"))?;
        }
        Ok(())
    }
}

// What is said, in words.

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The members of an object that are there.
fn members(object: &Value, names: &[&str]) -> String {
    words(names.iter().map(|name| &object[*name]).filter(|value| !value.is_null()), text)
}

fn words<'a>(all: impl Iterator<Item = &'a Value>, word: impl Fn(&Value) -> String) -> String {
    all.map(word).collect::<Vec<_>>().join(" ")
}

fn list(values: &Value, word: impl Fn(&Value) -> String) -> Vec<String> {
    each(values).map(word).collect()
}

/// The elements of an array; of what is none, that alone.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let alone = if value.is_null() || value.is_array() { None } else { Some(value) };
    value.as_array().into_iter().flatten().chain(alone)
}

/// Hex digits, without what tshark puts between them.
fn hex(value: &Value) -> String {
    text(value).replace(':', "")
}

/// A number, which tshark may write in hexadecimal.
fn number(value: &Value) -> u32 {
    let text = text(value);
    let number = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.unwrap_or_else(|_| panic!("{text} is no number"))
}

// What tshark says.

/// A payload inside: its type, and what tshark says of it.
struct Inner<'a> {
    kind: u32,
    tree: &'a Value,
}

/// The payloads of a chain: an object with types beside trees.
fn chain(contents: &Value) -> Vec<Inner<'_>> {
    let kinds = each(&contents["isakmp.typepayload"]).map(number);
    let trees = each(&contents["isakmp.typepayload_tree"]);
    kinds.zip(trees).map(|(kind, tree)| Inner { kind, tree }).collect()
}

/// What is inside a message, if tshark opened it and its checksum is right. Of fragments,
/// the one with which the message is complete has the payloads beside its own contents.
fn opened(message: &Value) -> Option<Vec<Inner<'_>>> {
    let payload = chain(message).pop()?;
    let inside = payload.tree.get("isakmp.enc.decrypted")?;
    let is_wrong = payload.tree.get("isakmp.enc.icd_tree").is_some();
    match payload.kind {
        _ if is_wrong => None,
        46 => Some(chain(&inside["isakmp.enc.contained"])),
        _ => Some(chain(payload.tree)).filter(|chain| !chain.is_empty()),
    }
}

fn of_kind<'a>(all: &'a [Inner<'a>], kind: u32) -> impl Iterator<Item = &'a Value> {
    all.iter().filter(move |it| it.kind == kind).map(|it| it.tree)
}

fn payloads(all: &[Inner<'_>]) -> Vec<String> {
    vec![all.iter().map(|it| it.kind.to_string()).collect::<Vec<_>>().join(" ")]
}

fn notifies(all: &[Inner<'_>]) -> Vec<String> {
    let notify = |it: &Value| {
        let spi = it.get("isakmp.spi").map(|spi| format!(" {}", hex(spi)));
        format!("{}{}", text(&it["isakmp.notify.msgtype"]), spi.unwrap_or_default())
    };
    of_kind(all, 41).map(notify).collect()
}

const PROTOCOLS: [&str; 4] = ["", "IKE", "AH", "ESP"];

fn protocol(number: u32) -> &'static str {
    PROTOCOLS[number as usize]
}

fn proposals(all: &[Inner<'_>]) -> Vec<String> {
    let trees = of_kind(all, 33).flat_map(|it| each(&it["isakmp.typepayload_tree"]));
    trees.map(proposal).collect()
}

fn proposal(tree: &Value) -> String {
    let mut transforms: Vec<_> = each(&tree["isakmp.typepayload_tree"]).map(transform).collect();
    transforms.sort_by_key(|(kind, _)| *kind);
    let transforms = transforms.into_iter().map(|(kind, text)| format!(" {kind}:{text}"));
    let spi = tree.get("isakmp.spi").map(|spi| format!(" {}", hex(spi))).unwrap_or_default();
    format!(
        "{} {}{spi}{}",
        text(&tree["isakmp.prop.number"]),
        protocol(number(&tree["isakmp.prop.protoid"])),
        transforms.collect::<String>()
    )
}

/// A transform's type, and its ID with the length of the key.
fn transform(tree: &Value) -> (u32, String) {
    let is_id = |key: &str| key.starts_with("isakmp.tf.id");
    let id = tree.as_object().and_then(|all| all.iter().find(|(key, _)| is_id(key)));
    let id = id.map(|(_, id)| text(id)).expect("the ID of a transform");
    let length = tree["isakmp.ike2.attr"].get("isakmp.ike2.attr.key_length");
    let length = length.map(|length| format!("/{}", text(length))).unwrap_or_default();
    (number(&tree["isakmp.tf.type"]), format!("{id}{length}"))
}

fn key_exchange(all: &[Inner<'_>]) -> Vec<String> {
    of_kind(all, 34).map(|it| text(&it["isakmp.key_exchange.dh_group"])).collect()
}

fn nonce(all: &[Inner<'_>]) -> Vec<String> {
    of_kind(all, 40).map(|it| (hex(&it["isakmp.nonce"]).len() / 2).to_string()).collect()
}

fn ids(all: &[Inner<'_>], kind: u32) -> Vec<String> {
    let id = |it: &Value| {
        let data = it["isakmp.id.data"].as_object().and_then(|all| all.values().next());
        format!("{} {}", text(&it["isakmp.id.type"]), data.map(text).unwrap_or_default())
    };
    of_kind(all, kind).map(id).collect()
}

fn auth(all: &[Inner<'_>]) -> Vec<String> {
    let auth = |it: &Value| {
        let mut data = hex(&it["isakmp.auth.data"]);
        data.truncate(2 * MAX_BYTES);
        format!("{} {data}", text(&it["isakmp.auth.method"]))
    };
    of_kind(all, 39).map(auth).collect()
}

fn certificates(all: &[Inner<'_>]) -> Vec<String> {
    let certificate = |it: &Value| {
        let signed = &it["isakmp.cert.data"]["x509af.signedCertificate_element"];
        let name = |side: &str| distinguished_name(&signed[format!("x509af.{side}_tree").as_str()]);
        format!(
            "{} {} subject {} issuer {}",
            text(&it["isakmp.cert.encoding"]),
            hex(&signed["x509af.serialNumber"]).trim_start_matches("00"),
            name("subject"),
            name("issuer")
        )
    };
    of_kind(all, 37).map(certificate).collect()
}

const ATTRIBUTES: [(&str, &str); 4] =
    [("2.5.4.3", "CN"), ("2.5.4.6", "C"), ("2.5.4.10", "O"), ("2.5.4.11", "OU")];

fn distinguished_name(tree: &Value) -> String {
    let sequence = ["x509if.rdnSequence_tree", "x509af.rdnSequence_tree"];
    let sequence = sequence.into_iter().find_map(|name| tree.get(name)).expect("a name");
    let part = |tree: &Value| {
        let element = &tree["x509if.RelativeDistinguishedName_item_element"];
        let kind = text(&element["x509if.oid"]);
        let known = ATTRIBUTES.iter().find(|(oid, _)| *oid == kind).map(|(_, name)| *name);
        let string = element["x509sat.DirectoryString_tree"].as_object();
        let string = string.and_then(|all| all.values().next()).map(text);
        format!("{}={}", known.unwrap_or(&kind), string.unwrap_or_default())
    };
    list(&sequence["x509if.RDNSequence_item_tree"], part).join(", ")
}

fn certificate_requests(all: &[Inner<'_>]) -> Vec<String> {
    let request = |it: &Value| {
        let authorities = each(&it["isakmp.ike.certreq.authority"]).count();
        format!("{} {authorities}", text(&it["isakmp.certreq.type"]))
    };
    of_kind(all, 38).map(request).collect()
}

fn selectors(all: &[Inner<'_>], kind: u32) -> Vec<String> {
    let selector = |it: &Value| {
        let field = |name: &str| it.get(format!("isakmp.ts.{name}").as_str()).map(text);
        let address = |end: &str| {
            let either = field(&format!("{end}_ipv4")).or_else(|| field(&format!("{end}_ipv6")));
            either.expect("an address")
        };
        format!(
            "{}-{} proto {} ports {}-{}",
            address("start"),
            address("end"),
            field("protoid").unwrap_or_default(),
            field("start_port").unwrap_or_default(),
            field("end_port").unwrap_or_default()
        )
    };
    of_kind(all, kind).flat_map(|it| each(&it["isakmp.ts.data"])).map(selector).collect()
}

fn configuration(all: &[Inner<'_>]) -> Vec<String> {
    let attribute = |it: &Value| {
        let is_value = |key: &str| !["format", "length", "type", "value"].contains(&key);
        let name = |key: &str| key.rsplit('.').next().is_some_and(is_value);
        let value = it.as_object().and_then(|all| all.iter().find(|(key, _)| name(key)));
        let value = value.map(|(_, value)| text(value)).unwrap_or_default();
        format!(" {}={value}", text(&it["isakmp.cfg.attr.type"]))
    };
    let payload = |it: &Value| {
        let attributes = list(&it["isakmp.cfg.attr"], attribute).concat();
        format!("{}{attributes}", text(&it["isakmp.cfg.type"]))
    };
    of_kind(all, 47).map(payload).collect()
}

fn eap(all: &[Inner<'_>]) -> Vec<String> {
    // The identity that a request may show is none.
    let payload = |it: &Value| {
        let response = it["eap"]["eap.code"] == "2";
        let names = ["eap.code", "eap.type", "eap.identity"];
        members(&it["eap"], if response { &names } else { &names[..2] })
    };
    of_kind(all, 48).map(payload).collect()
}

fn deletes(all: &[Inner<'_>]) -> Vec<String> {
    let delete = |it: &Value| {
        let spis = each(&it["isakmp.delete.spi"]).map(|spi| format!(" {}", hex(spi)));
        let kind = protocol(number(&it["isakmp.delete.protoid"]));
        format!("{kind}{}", spis.collect::<String>())
    };
    of_kind(all, 42).map(delete).collect()
}

// What a record says.

fn recorded_id(id: &Value) -> String {
    members(id, &["type", "text"])
}

/// The names of transform types in records, with their numbers.
const TRANSFORMS: [(u32, &str); 6] =
    [(1, "encr"), (2, "prf"), (3, "integ"), (4, "dh"), (5, "esn"), (6, "addke1")];

fn recorded_proposal(proposal: &Value) -> String {
    let transforms = TRANSFORMS.iter().flat_map(|(kind, name)| {
        list(&proposal[*name], |it| {
            let length = it.get("key_length").map(|length| format!("/{}", text(length)));
            format!(" {kind}:{}{}", text(&it["id"]), length.unwrap_or_default())
        })
    });
    let front = members(proposal, &["number", "protocol", "spi"]);
    format!("{front}{}", transforms.collect::<String>())
}

fn recorded_certificate(certificate: &Value) -> String {
    format!(
        "{} subject {} issuer {}",
        members(certificate, &["encoding", "serial"]),
        text(&certificate["subject"]),
        text(&certificate["issuer"])
    )
}

fn recorded_configuration(payload: &Value) -> String {
    let attribute = |it: &Value| {
        let value = it.get("value").map(text).unwrap_or_default();
        format!(" {}={value}", text(&it["type"]))
    };
    format!("{}{}", text(&payload["type"]), list(&payload["attributes"], attribute).concat())
}

fn recorded_delete(delete: &Value) -> String {
    let spis = list(&delete["spis"], |spi| format!(" {}", text(spi))).concat();
    format!("{}{spis}", text(&delete["protocol"]))
}
