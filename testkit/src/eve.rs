//! EVE records, and the JSON schema of what the plugin writes.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::project::project;

/// The records of the plugin in an `eve.json`: how many there are, and what is
/// wrong with them. Alerts count when they carry the plugin's object.
///
/// # Errors
///
/// When the file cannot be read or is not of JSON lines.
pub fn validate(file: &Path) -> Result<(usize, Vec<String>), String> {
    let (mut count, mut faults) = (0, Vec::new());
    for (line, record) in records(file)?.iter().enumerate() {
        if record["event_type"] == "ikev2" || record.get("ikev2").is_some() {
            count += 1;
            faults
                .extend(faults_of_sa(record).map(|fault| format!("record {}: {fault}", line + 1)));
            faults.extend(faults_of(record).map(|fault| format!("record {}: {fault}", line + 1)));
        }
    }
    Ok((count, faults))
}

/// The records of a file with a JSON object in each line.
///
/// # Errors
///
/// When the file cannot be read, or a line is not JSON.
pub fn records(file: &Path) -> Result<Vec<Value>, String> {
    let failed = |error: String| format!("{}: {error}", file.display());
    let text = String::from_utf8(read(file)?).map_err(|error| failed(error.to_string()))?;
    let parse = |line| serde_json::from_str(line).map_err(|error| failed(error.to_string()));
    text.lines().map(parse).collect()
}

/// The records of messages in a text that may still grow.
pub fn message_records(text: &str) -> Vec<Value> {
    let mut records = records_of_type(text, "ikev2");
    records.retain(is_message);
    records
}

/// Whether a record is about one message.
pub fn is_message(record: &Value) -> bool {
    record["event_type"] == "ikev2" && record["ikev2"]["type"] == "message"
}

/// The records of a type in a text that may still grow: of a line that is not whole there is
/// none.
pub fn records_of_type(text: &str, event_type: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str::<Value>(line).ok();
    text.lines().filter_map(parse).filter(|it| it["event_type"] == event_type).collect()
}

/// Events that only the order of messages makes, or that any of its messages may tell: they
/// may differ when threads come to the messages of an SA in another order.
pub const EVENTS_OF_ORDER: &[&str] = &[
    "auth_twice",
    "downgrade_peers",
    "message_id_gap",
    "out_of_order_exchange",
    "response_without_request",
    "retransmission",
];

/// The bytes of a file.
///
/// # Errors
///
/// When the file cannot be read; the error names it.
pub fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// The most bytes of the record of an SA, if there are no keys.
const MAX_SA_RECORD: usize = 2048;

/// What is wrong with the record of an SA that a schema cannot say: its size, and addresses that
/// are not spelled as Suricata spells them, so that nobody can join records by them.
fn faults_of_sa(record: &Value) -> impl Iterator<Item = String> {
    let (ikev2, sa) = (&record["ikev2"], &record["ikev2"]["sa"]);
    let mut faults = Vec::new();
    if ikev2["type"] == "sa" {
        let size = ikev2.to_string().len();
        if size > MAX_SA_RECORD
            && sa["peers"]["initiator"].get("id").is_none()
            && sa["peers"]["responder"].get("id").is_none()
        {
            faults.push(format!("{size} bytes"));
        }
        let ends = |of: &Value, keys: [&str; 2]| keys.map(|key| of[key].to_string());
        let (own, envelope) =
            (ends(sa, ["initiator", "responder"]), ends(record, ["src_ip", "dest_ip"]));
        let turned = [&own[1], &own[0]].map(String::clone);
        if ikev2["own_flow"] == true && own != envelope && turned != envelope {
            faults.push(format!("{own:?} is not spelled as {envelope:?}"));
        }
    }
    faults.into_iter()
}

fn faults_of(record: &Value) -> impl Iterator<Item = String> + '_ {
    schema().iter_errors(record).map(|error| format!("{}: {error}", error.instance_path()))
}

fn schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let file = project().join("suricata-config/ikev2-eve.schema.json");
        let text = fs::read_to_string(&file).expect("the schema is in suricata-config");
        let schema = serde_json::from_str(&text).expect("the schema is JSON");
        jsonschema::draft202012::meta::validate(&schema).expect("the schema is of draft 2020-12");
        jsonschema::validator_for(&schema).expect("the schema is valid")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Map};

    use super::*;

    fn record(ikev2: Value) -> Value {
        json!({ "event_type": "ikev2", "src_ip": "192.0.2.1", "ikev2": ikev2 })
    }

    fn is_valid(ikev2: Value) -> bool {
        faults_of(&record(ikev2)).next().is_none()
    }

    #[test]
    fn the_smallest_record_is_valid() {
        assert!(is_valid(json!({ "type": "message", "nat_t": false, "transport": "udp500" })));
        assert!(!is_valid(json!({ "type": "message", "transport": "udp500" })));
        assert!(!is_valid(json!({ "type": "message", "nat_t": false })));
    }

    #[test]
    fn what_the_schema_does_not_know_is_a_fault() {
        for (key, value) in [
            ("surprise", json!(1)),
            ("init_spi", json!("0123456789ABCDEF")),
            ("resp_spi", json!("00")),
            ("exchange_type", json!(256)),
            ("flags", json!(["reserved"])),
            ("role", json!("client")),
            ("transport", json!("sctp")),
            ("payloads", json!([{ "type": 33 }])),
            ("proposals", json!([{ "number": 1, "protocol": "IKE", "cipher": [] }])),
            ("chosen", json!({ "dh": [{ "id": 14 }] })),
            ("notify", json!([{ "type": 14, "data": "xyz" }])),
            ("vendor_ids", json!([{}])),
            ("weak", json!([{ "what": "rsa", "reason": "r", "scope": "offered" }])),
            ("fragment", json!({ "number": 1 })),
            ("errors", json!([{ "event": "malformed_header", "field": "Length" }])),
        ] {
            let proposals = json!([{ "number": 1, "protocol": "IKE" }]);
            let mut ikev2 = json!({ "type": "message", "nat_t": false, "transport": "udp500", "proposals": proposals });
            assert!(is_valid(ikev2.clone()));
            ikev2[key] = value;
            assert!(!is_valid(ikev2.clone()), "{ikev2}");
        }
    }

    /// What is known of an SA after its handshake failed, with every field there is.
    fn sa() -> Value {
        json!({
            "id": "0123456789abcdef", "state": "failed",
            "initiator": "192.0.2.1", "initiator_port": 4500,
            "responder": "2001:db8::1", "responder_port": 4500,
            "started": "2024-01-01T00:00:00.000000+0000", "age": 1,
            "messages": 4, "retransmissions": 0, "duplicates": 2, "round_trip_ms": 0.9, "handshake_ms": 3,
            "nat": "forced",
            "fragments": { "seen": 1, "total": 2, "status": ["incomplete", "duplicate"] },
            "failure": { "reason": "refused_by_responder", "inferred": true },
            "half_open": 0, "auth_failures": 1, "init_rate": 1,
        })
    }

    #[test]
    fn the_examples_of_the_documents_are_valid() {
        let text = fs::read_to_string(project().join("docs/sa-records.md")).expect("the document");
        let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        let mut outcomes: Vec<_> = blocks
            .map(|block| {
                let record: Value = serde_json::from_str(block).expect("JSON");
                let faults: Vec<_> = faults_of(&record).chain(faults_of_sa(&record)).collect();
                assert!(faults.is_empty(), "{faults:?} in {block}");
                record["ikev2"]["outcome"].as_str().unwrap_or("flow").to_owned()
            })
            .collect();
        outcomes.sort_unstable();
        outcomes.dedup();
        assert_eq!(outcomes, ["closed", "established", "expired", "failed", "flow", "rekeyed"]);
    }

    #[test]
    fn the_record_of_an_sa_is_small_and_can_be_joined() {
        let faults = |initiator: &str| {
            let ends = json!({ "initiator": initiator, "responder": "2001:0db8::1" });
            let ikev2 = json!({ "type": "sa", "own_flow": true, "sa": ends });
            let record =
                json!({ "src_ip": "2001:0db8::1", "dest_ip": "192.0.2.1", "ikev2": ikev2 });
            faults_of_sa(&record).count()
        };
        assert_eq!(
            (faults("192.0.2.1"), faults("192.0.2.2"), faults(&"1".repeat(2048))),
            (0, 1, 2)
        );
    }

    #[test]
    fn what_is_known_of_an_sa_is_described_value_by_value() {
        let with = |sa: Value| json!({ "type": "message", "nat_t": false, "transport": "udp500", "sa": sa });
        assert!(is_valid(with(sa())));
        for (key, value) in [
            ("surprise", json!(1)),
            ("id", json!("0123456789ABCDEF")),
            ("id", json!("1234")),
            ("state", json!("open")),
            ("initiator", json!(1)),
            ("initiator_port", json!(65536)),
            ("responder_port", json!(-1)),
            ("started", json!("2024-01-01")),
            ("age", json!(-1)),
            ("messages", json!(0)),
            ("retransmissions", json!("none")),
            ("duplicates", json!(-1)),
            ("clone", json!("no")),
            ("round_trip_ms", json!(-0.5)),
            ("handshake_ms", json!(-1)),
            ("nat", json!("yes")),
            ("fragments", json!({ "seen": 1, "total": 2, "status": ["overlap"] })),
            ("fragments", json!({ "seen": 1 })),
            ("failure", json!({ "reason": "no_answer" })),
            ("failure", json!({ "reason": "", "inferred": true })),
            ("half_open", json!(-1)),
            ("auth_failures", json!(true)),
            ("init_rate", json!(null)),
        ] {
            let mut sa = sa();
            sa[key] = value;
            assert!(!is_valid(with(sa.clone())), "{sa}");
        }
        for key in ["round_trip_ms", "handshake_ms", "fragments", "failure", "initiator"] {
            let mut sa = sa();
            sa.as_object_mut().expect("an object").remove(key);
            assert!(is_valid(with(sa)), "{key} may be absent");
        }
    }

    #[test]
    fn the_schema_describes_every_field_and_forbids_others() {
        let file = project().join("suricata-config/ikev2-eve.schema.json");
        let text = fs::read_to_string(file).expect("the schema");
        let schema: Value = serde_json::from_str(&text).expect("JSON");
        let mut fields = 0;
        inspect(&schema["properties"]["ikev2"], "ikev2", &mut fields);
        for (name, definition) in schema["$defs"].as_object().expect("definitions") {
            inspect(definition, name, &mut fields);
        }
        assert!(fields > 80, "only {fields} fields were found");
    }

    fn inspect(schema: &Value, path: &str, fields: &mut usize) {
        if let Some(items) = schema.get("items") {
            inspect(items, path, fields);
        }
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        assert_eq!(schema["additionalProperties"], json!(false), "{path} is open");
        for (name, field) in properties {
            *fields += 1;
            let path = format!("{path}.{name}");
            assert!(field["description"].is_string(), "{path} has no description");
            inspect(field, &path, fields);
        }
    }

    #[test]
    fn the_envelope_is_open_and_alerts_carry_the_object_too() {
        let mut alert = record(json!({ "type": "message", "nat_t": true, "transport": "udp4500" }));
        alert["event_type"] = json!("alert");
        alert["alert"] = Value::Object(Map::new());
        assert_eq!(faults_of(&alert).count(), 0);
        alert["ikev2"]["nat_t"] = json!(1);
        assert_eq!(faults_of(&alert).count(), 1);
    }
}
