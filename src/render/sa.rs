//! The object `sa` of a record: what is known of the message's IKE SA.

use core::ffi::CStr;

use super::{decrypted, render_chosen, timestamp, Sink};
use crate::sa::{Endpoint, SaView, Sent, State};

/// Writes the fields into the object that is open.
pub(super) fn render(sa: &SaView, sink: &mut impl Sink) {
    render_identity(sa, sink);
    render_times(sa, sink);
    if let Some(chosen) = &sa.chosen {
        let of_kind = |kind| chosen.transforms().find(|transform| transform.kind == kind);
        render_chosen(of_kind, sink);
    }
    sink.word(c"nat", sa.nat.name());
    if let Some(posture) = sa.full_transcript {
        sink.word(c"full_transcript_auth", posture.name());
    }
    render_fragments(sa, sink);
    render_failure(sa, sink);
    render_esp(sa, sink);
    if let Some(lineage) = &sa.lineage {
        decrypted::render_spis(&lineage.child_spis, sink);
    }
    sink.uint(c"half_open", sa.half_open.into());
    sink.uint(c"auth_failures", sa.auth_failures.into());
    sink.uint(c"init_rate", sa.init_rate.into());
}

fn render_identity(sa: &SaView, sink: &mut impl Sink) {
    sink.hex(c"id", &sa.id.to_be_bytes());
    if let Some((lineage, parent)) = sa.lineage.as_ref().and_then(|it| Some((it, it.parent?))) {
        sink.hex(c"parent", &parent.to_be_bytes());
        sink.bool(c"clone", lineage.is_clone);
    }
    sink.word(c"state", sa.state.name());
    if sa.state == State::Established {
        sink.bool(c"confirmed", sa.confirmed);
    }
    render_endpoint(sa.initiator, c"initiator", c"initiator_port", sink);
    render_endpoint(sa.responder, c"responder", c"responder_port", sink);
}

fn render_endpoint(end: Option<Endpoint>, key: &CStr, port: &CStr, sink: &mut impl Sink) {
    if let Some(end) = end {
        sink.address(key, end.address);
        sink.uint(port, end.port.into());
    }
}

fn render_times(sa: &SaView, sink: &mut impl Sink) {
    sink.word(c"started", &timestamp(sa.started));
    sink.uint(c"age", sa.age_s.into());
    sink.uint(c"messages", sa.messages.into());
    sink.uint(c"retransmissions", sa.retransmissions.into());
    sink.uint(c"duplicates", sa.duplicates.into());
    if let Some(microseconds) = sa.round_trip_us {
        sink.json(c"round_trip_ms", &milliseconds(microseconds));
    }
    if let Some(milliseconds) = sa.handshake_ms {
        sink.uint(c"handshake_ms", milliseconds.into());
    }
}

/// Microseconds as milliseconds: those of a local network are less than one. As other
/// writers of JSON do it, without zeros at the end but for one behind the point.
fn milliseconds(microseconds: u32) -> String {
    let mut text = itoa::Buffer::new().format(microseconds / 1000).to_owned();
    // A thousand more than the rest has the zeros that go before it.
    let mut rest = itoa::Buffer::new();
    let rest = rest.format(1000 + microseconds % 1000);
    text.push('.');
    text.push_str(match rest.trim_end_matches('0').get(1..) {
        None | Some("") => "0",
        Some(digits) => digits,
    });
    text
}

fn render_fragments(sa: &SaView, sink: &mut impl Sink) {
    let Some(fragments) = &sa.fragments else { return };
    sink.open_object(c"fragments");
    sink.uint(c"seen", fragments.seen.into());
    sink.uint(c"total", fragments.total.into());
    sink.open_array(c"status");
    for condition in fragments.conditions.iter() {
        sink.push_string(condition.name().as_bytes());
    }
    sink.close();
    sink.close();
}

fn render_failure(sa: &SaView, sink: &mut impl Sink) {
    let Some(failure) = sa.failure else { return };
    sink.open_object(c"failure");
    sink.string(c"reason", failure.reason.name().as_bytes());
    sink.bool(c"inferred", failure.inferred);
    sink.close();
}

fn render_esp(sa: &SaView, sink: &mut impl Sink) {
    if sa.esp.is_empty() {
        return;
    }
    sink.open_object(c"esp");
    render_sent(sa.esp.from_initiator(), c"from_initiator", sink);
    render_sent(sa.esp.from_responder(), c"from_responder", sink);
    sink.uint(c"abnormal", sa.esp.abnormal().into());
    sink.close();
}

fn render_sent(sent: Sent, key: &CStr, sink: &mut impl Sink) {
    sink.open_object(key);
    sink.uint(c"packets", sent.packets.into());
    sink.uint(c"bytes", sent.bytes);
    sink.close();
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
