//! The record of an SA.

use super::room::{array, render_left_out};
use super::{name, named, render_finding, sa, JsonText};
use crate::message::Scope;
use crate::policy::{self, Policy};
use crate::proposal::ProposalSet;
use crate::sa::{Outcome, PeerIdentity, PeerSummary, SaReport, Summary};

/// The maximum number of bytes of the object, without what only keys show.
pub const MAX_SA_RECORD: usize = 2048;

/// The maximum number of bytes with keys. Each text has at most 256 bytes.
const MAX_DECRYPTED_RECORD: usize = 4 * MAX_SA_RECORD;

/// The bytes for `omitted` and the brackets.
const RESERVE: usize = 120;

/// Writes the fields into the open object. `own_flow` says whether the record has the addresses
/// of a flow of the SA. The policy judges the chosen algorithms.
pub fn render_report(report: &SaReport, own_flow: bool, policy: &Policy, json: &mut JsonText) {
    let room = match report.summary.decrypted {
        Some(_) => MAX_DECRYPTED_RECORD,
        None => MAX_SA_RECORD,
    };
    json.set_room(json.as_bytes().len() + room - RESERVE);
    json.word(c"type", "sa");
    json.word(c"outcome", report.outcome.name());
    json.bool(c"final", report.outcome.is_final());
    json.bool(c"own_flow", own_flow);
    json.open_object(c"sa");
    sa::render_identity(&report.view, json);
    if let Some(successor) = report.summary.successor_id() {
        json.hex(c"successor", &successor.to_be_bytes());
    }
    render_times(report, json);
    render_algorithms(report, policy, json);
    sa::render_nat(&report.view, json);
    sa::render_failure(&report.view, json);
    render_counts(report, json);
    sa::render_esp(&report.view, json);
    sa::render_children(&report.view, json);
    render_peers(&report.summary, json);
    render_selectors(&report.summary, json);
    render_events(report, json);
    json.close();
    render_left_out(json);
}

fn render_times(report: &SaReport, json: &mut JsonText) {
    json.time(c"started", report.view.started);
    if report.outcome.is_final() {
        json.time(c"ended", report.last);
    }
    if report.outcome == Outcome::Expired {
        json.bool(c"evicted", report.evicted);
    }
    sa::render_message_counts(&report.view, json);
}

fn render_algorithms(report: &SaReport, policy: &Policy, json: &mut JsonText) {
    if let Some(chosen) = &report.view.chosen {
        sa::render_chosen(chosen, json);
        if let Some(bits) = chosen.security_bits() {
            json.uint(c"security_bits", bits.into());
        }
    }
    let offered = report.summary.offered_post_quantum;
    let chosen = report.summary.chosen_post_quantum;
    if offered.is_some() || chosen.is_some() {
        json.open_object(c"post_quantum");
        name(json, c"offered", offered.map(|it| it.name()));
        name(json, c"chosen", chosen.map(|it| it.name()));
        json.close();
    }
    if let Some(chosen) = &report.view.chosen {
        let set = ProposalSet::of_ike(chosen.transforms().collect());
        let findings = policy::assess(&set, policy);
        array(json, c"weak", findings.iter(), |it, json: &mut JsonText| {
            render_finding(it, Scope::Chosen, json);
        });
    }
}

fn render_counts(report: &SaReport, json: &mut JsonText) {
    let summary = &report.summary;
    if summary.fragments > 0 {
        json.open_object(c"fragmented");
        json.uint(c"messages", summary.fragmented_messages.into());
        json.uint(c"datagrams", summary.fragments.into());
        json.close();
    }
    json.open_object(c"rekeys");
    json.uint(c"ike", summary.ike_rekeys.into());
    json.uint(c"children", summary.child_rekeys.into());
    json.bool(c"inferred", summary.decrypted.is_none());
    json.close();
}

fn render_peers(summary: &Summary, json: &mut JsonText) {
    let sides = [0, 1].map(|side| {
        let identity = summary.decrypted.as_ref().map(|it| &it.peers[side]);
        (&summary.peers[side], identity.filter(|it| **it != PeerIdentity::default()))
    });
    let is_known = |(peer, identity): &(&PeerSummary, Option<&PeerIdentity>)| {
        !peer.is_empty() || identity.is_some()
    };
    if !sides.iter().any(is_known) {
        return;
    }
    json.open_object(c"peers");
    for (key, side) in [c"initiator", c"responder"].into_iter().zip(sides) {
        let (peer, identity) = side;
        if is_known(&side) {
            json.open_object(key);
            render_peer(peer, json);
            if let Some(identity) = identity {
                render_identity(identity, json);
            }
            json.close();
        }
    }
    json.close();
}

fn render_identity(identity: &PeerIdentity, json: &mut JsonText) {
    if let Some((kind, text)) = &identity.id {
        json.open_object(c"id");
        named(json, c"type", kind);
        json.string(c"text", text.as_bytes());
        json.close();
    }
    if let Some(method) = &identity.method {
        json.open_object(c"auth");
        named(json, c"method", method);
        json.bool(c"eap", identity.eap);
        json.close();
    }
    if !identity.certificates.is_empty() {
        json.open_array(c"certificates");
        for certificate in &identity.certificates {
            json.start_object();
            json.string(c"subject", certificate.subject.as_bytes());
            let seconds = u64::try_from(certificate.not_after).unwrap_or(0);
            json.time(c"not_after", seconds.saturating_mul(1_000_000));
            json.close();
        }
        json.close();
    }
}

fn render_selectors(summary: &Summary, json: &mut JsonText) {
    let Some(decrypted) = &summary.decrypted else { return };
    for (key, side) in [c"ts_initiator", c"ts_responder"].into_iter().zip(&decrypted.selectors) {
        if !side.is_empty() {
            json.open_array(key);
            side.iter().for_each(|text| json.push_string(text.as_bytes()));
            json.close();
        }
    }
}

fn render_peer(peer: &PeerSummary, json: &mut JsonText) {
    if let Some(hash) = &peer.fingerprint {
        json.hex(c"fingerprint", hash);
    }
    let mut products = peer.products().peekable();
    if products.peek().is_some() {
        json.open_array(c"vendors");
        products.for_each(|product| json.push_string(product.as_bytes()));
        json.close();
    }
    if peer.unknown_vendor_ids > 0 {
        json.uint(c"unknown_vendor_ids", peer.unknown_vendor_ids.into());
    }
    if !peer.capabilities.is_empty() {
        json.open_array(c"capabilities");
        peer.capabilities.iter().for_each(|it| json.push_string(it.name().as_bytes()));
        json.close();
    }
}

fn render_events(report: &SaReport, json: &mut JsonText) {
    array(json, c"events", report.summary.events.iter(), |(event, count), json| {
        json.string(c"name", event.name().to_bytes());
        json.uint(c"count", count.into());
    });
}
