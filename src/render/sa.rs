//! The object `sa` of a record: the state of the message's IKE SA.

use core::ffi::CStr;

use super::{decrypted, JsonText};
use crate::sa::{Chosen, Endpoint, SaView, SentEsp, State};

/// Writes the fields into the open object.
pub(super) fn render(sa: &SaView, json: &mut JsonText) {
    render_identity(sa, json);
    render_times(sa, json);
    if let Some(chosen) = &sa.chosen {
        render_chosen(chosen, json);
    }
    render_nat(sa, json);
    render_fragments(sa, json);
    render_failure(sa, json);
    render_esp(sa, json);
    render_children(sa, json);
    json.uint(c"half_open", sa.half_open.into());
    json.uint(c"auth_failures", sa.auth_failures.into());
    json.uint(c"init_rate", sa.init_rate.into());
}

/// Writes the chosen algorithms.
pub(super) fn render_chosen(chosen: &Chosen, json: &mut JsonText) {
    let of_kind = |kind| chosen.transforms().find(|transform| transform.kind == kind);
    super::render_chosen(of_kind, json);
}

/// Writes which peer is behind a NAT, and who announced that IKE_SA_INIT is authenticated.
pub(super) fn render_nat(sa: &SaView, json: &mut JsonText) {
    json.word(c"nat", sa.nat.name());
    if let Some(posture) = sa.full_transcript {
        json.word(c"full_transcript_auth", posture.name());
    }
}

/// Writes the SPIs of the child SAs.
pub(super) fn render_children(sa: &SaView, json: &mut JsonText) {
    if let Some(lineage) = &sa.lineage {
        decrypted::render_spis(&lineage.child_spis, json);
    }
}

/// Writes the id, the state and the addresses.
pub(super) fn render_identity(sa: &SaView, json: &mut JsonText) {
    json.hex(c"id", &sa.id.to_be_bytes());
    if let Some((lineage, parent)) = sa.lineage.as_ref().and_then(|it| Some((it, it.parent?))) {
        json.hex(c"parent", &parent.to_be_bytes());
        json.bool(c"clone", lineage.is_clone);
        json.bool(c"parent_inferred", lineage.inferred);
    }
    json.word(c"state", sa.state.name());
    if sa.state == State::Established {
        json.bool(c"confirmed", sa.confirmed);
    }
    render_ends(sa, json);
}

/// Writes the addresses and ports of both peers.
pub(super) fn render_ends(sa: &SaView, json: &mut JsonText) {
    render_endpoint(sa.initiator, c"initiator", c"initiator_port", json);
    render_endpoint(sa.responder, c"responder", c"responder_port", json);
}

fn render_endpoint(end: Option<Endpoint>, key: &CStr, port: &CStr, json: &mut JsonText) {
    if let Some(end) = end {
        json.address(key, end.address);
        json.uint(port, end.port.into());
    }
}

fn render_times(sa: &SaView, json: &mut JsonText) {
    json.time(c"started", sa.started);
    render_message_counts(sa, json);
}

/// Writes the age, the counts of messages and the times of exchanges.
pub(super) fn render_message_counts(sa: &SaView, json: &mut JsonText) {
    json.uint(c"age", sa.age_s.into());
    json.uint(c"messages", sa.messages.into());
    json.uint(c"retransmissions", sa.retransmissions.into());
    json.uint(c"duplicates", sa.duplicates.into());
    if let Some(microseconds) = sa.round_trip_us {
        json.raw(c"round_trip_ms", &milliseconds(microseconds));
    }
    if let Some(milliseconds) = sa.handshake_ms {
        json.uint(c"handshake_ms", milliseconds.into());
    }
}

/// Microseconds as milliseconds with a fraction, because a local network needs less than one
/// millisecond. Like other JSON writers, without zeros at the end except one after the point.
fn milliseconds(microseconds: u32) -> String {
    let mut text = itoa::Buffer::new().format(microseconds / 1000).to_owned();
    // Adding 1000 keeps the leading zeros of the remainder.
    let mut rest = itoa::Buffer::new();
    let rest = rest.format(1000 + microseconds % 1000);
    text.push('.');
    text.push_str(match rest.trim_end_matches('0').get(1..) {
        None | Some("") => "0",
        Some(digits) => digits,
    });
    text
}

fn render_fragments(sa: &SaView, json: &mut JsonText) {
    let Some(fragments) = &sa.fragments else { return };
    json.open_object(c"fragments");
    json.uint(c"seen", fragments.seen.into());
    json.uint(c"total", fragments.total.into());
    json.open_array(c"status");
    for condition in fragments.conditions.iter() {
        json.push_string(condition.name().as_bytes());
    }
    json.close();
    json.close();
}

/// Writes why the handshake failed.
pub(super) fn render_failure(sa: &SaView, json: &mut JsonText) {
    let Some(failure) = sa.failure else { return };
    json.open_object(c"failure");
    json.string(c"reason", failure.reason.name().as_bytes());
    json.bool(c"inferred", failure.inferred);
    json.close();
}

/// Writes the counts of ESP packets.
pub(super) fn render_esp(sa: &SaView, json: &mut JsonText) {
    if sa.esp.is_empty() {
        return;
    }
    json.open_object(c"esp");
    render_sent(sa.esp.from_initiator(), c"from_initiator", json);
    render_sent(sa.esp.from_responder(), c"from_responder", json);
    json.uint(c"abnormal", sa.esp.abnormal().into());
    json.close();
}

fn render_sent(sent: SentEsp, key: &CStr, json: &mut JsonText) {
    json.open_object(key);
    json.uint(c"packets", sent.packets.into());
    json.uint(c"bytes", sent.bytes);
    json.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_are_in_milliseconds() {
        assert_eq!(milliseconds(0), "0.0");
        assert_eq!(milliseconds(514), "0.514");
        assert_eq!(milliseconds(900), "0.9");
        assert_eq!(milliseconds(30_000), "30.0");
        assert_eq!(milliseconds(1_007), "1.007");
        assert_eq!(milliseconds(u32::MAX), "4294967.295");
    }
}
