//! Detection: which flows are IKE's.
//!
//! Patterns and probing functions look at the first datagram of a flow in each direction;
//! [`super::late_detection`] sees to what comes later.

use core::ffi::CStr;
use core::slice;

use super::flow::Flow;
use super::guard::guard;
use super::protocol::{self, FAILED, TO_CLIENT, TO_SERVER, UDP};
use super::{late_detection, packet, tracking};
use crate::pipeline::{carrier_between, find_known, find_message, is_expected_between};
use crate::sys;
use crate::wire::datagram::NON_ESP_MARKER;
use crate::wire::{detect, Sighting, HEADER_LEN};

/// The IANA ports of IKE. Detection goes by content on every port; on these the
/// probing parser also sees what the patterns cannot.
pub(super) const PORTS: &CStr = c"[500,848,4500]";

/// Where the version byte of a bare message stands.
const VERSION_OFFSET: u16 = 17;

/// The version byte with major version 2, in the host's notation for bytes.
const VERSIONS: [&CStr; 16] = [
    c"|20|", c"|21|", c"|22|", c"|23|", c"|24|", c"|25|", c"|26|", c"|27|", c"|28|", c"|29|",
    c"|2a|", c"|2b|", c"|2c|", c"|2d|", c"|2e|", c"|2f|",
];

/// [`NON_ESP_MARKER`], likewise.
const MARKER: &CStr = c"|00 00 00 00|";

/// What other protocols over UDP have as patterns that are taken without a look at the rest:
/// methods of SIP, the beginning of its answers, and that of BitTorrent's DHT messages.
/// An attacker may choose an initiator's SPI that begins with one.
const FOREIGN: [&CStr; 17] = [
    c"ACK",
    c"BYE",
    c"CANCEL",
    c"INFO",
    c"INVITE",
    c"MESSAGE",
    c"NOTIFY",
    c"OPTIONS",
    c"PRACK",
    c"PUBLISH",
    c"REFER",
    c"REGISTER",
    c"SUBSCRIBE",
    c"UPDATE",
    c"SIP/2.0",
    c"d1:ad2:id20:",
    c"|04 00|",
];

/// Registers what finds the protocol `number`.
pub(super) fn register(number: sys::AppProto) {
    register_patterns(number);
    register_source_ports(number);
}

/// Patterns are tried before any probing parser, so they give IKEv2 to the
/// plugin on every port, port 500 included, and leave IKEv1 to the built-in.
/// They are the version byte of a bare message, with any minor version (RFC 7296,
/// 2.5: ignored), and the non-ESP marker; the probing function then decides.
///
/// A content may have one place only: most of the host's pattern matchers (all but
/// Hyperscan) keep a single place for each content, that of the pattern registered last.
///
/// The patterns of other protocols are registered once more, at their places. Of protocols
/// that share a content the host tries the one first that was registered last, which is ours,
/// and the first that matches has the flow; ours match only with a message.
fn register_patterns(number: sys::AppProto) {
    for content in FOREIGN {
        let length = if content.to_bytes().contains(&b'|') { 2 } else { content.count_bytes() };
        register_pattern(number, content, 0, length as u16);
    }
    for version in VERSIONS {
        register_pattern(number, version, VERSION_OFFSET, 1);
    }
    register_pattern(number, MARKER, 0, NON_ESP_MARKER.len() as u16);
}

fn register_pattern(number: sys::AppProto, content: &'static CStr, offset: u16, length: u16) {
    for direction in [TO_SERVER, TO_CLIENT] {
        // SAFETY: the content is static; the function has the host's form.
        unsafe {
            sys::SCAppLayerProtoDetectPMRegisterPatternCSwPP(
                UDP,
                number,
                content.as_ptr(),
                offset + length,
                offset,
                direction,
                Some(probe_content),
                HEADER_LEN as u16,
                0,
            );
        }
    }
}

/// The host's own registration covers IKE's ports as destination of a flow; a
/// flow that was first seen from the gateway's side has them as source.
fn register_source_ports(number: sys::AppProto) {
    // SAFETY: the port list is static; the function has the host's form.
    unsafe {
        sys::SCAppLayerProtoDetectPPRegister(
            UDP,
            PORTS.as_ptr(),
            number,
            0,
            0,
            TO_CLIENT,
            Some(probe_port),
            Some(probe_port),
        );
    }
}

/// Gives the bytes that the host passes.
///
/// # Safety
/// `data` is null or points to `length` bytes that live as long as the result is used.
unsafe fn bytes<'a>(data: *const u8, length: u32) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: see the function's contract.
    unsafe { slice::from_raw_parts(data, length as usize) }
}

/// Looks for an IKEv2 message by content; behind the patterns, on every port. On IKE's own
/// ports an odd one is taken too, before the built-in parser is asked, which would take some
/// of them for its own.
unsafe extern "C" fn probe_content(
    flow: *const sys::Flow,
    _flags: u8,
    data: *const u8,
    length: u32,
    direction: *mut u8,
) -> sys::AppProto {
    guard(FAILED, || {
        // SAFETY: the host passes a locked flow and the payload of its packet.
        let (flow, data) = unsafe { hand_over(flow, data, length) };
        // SAFETY: the host passes a place for the direction.
        find(flow, data).map_or(FAILED, |sighting| unsafe { take(flow, sighting, direction) })
    })
}

/// Looks, on IKE's ports and those of `detection-ports`, for a message and for what makes a
/// flow IKE's without one.
pub(super) unsafe extern "C" fn probe_port(
    flow: *const sys::Flow,
    _flags: u8,
    data: *const u8,
    length: u32,
    direction: *mut u8,
) -> sys::AppProto {
    guard(FAILED, || {
        // SAFETY: as in `probe_content`.
        let (flow, data) = unsafe { hand_over(flow, data, length) };
        match find_here(flow, data) {
            // SAFETY: as in `probe_content`.
            Some(sighting) => unsafe { take(flow, sighting, direction) },
            None if late_detection::is_esp_only(flow) => protocol::number(),
            None => FAILED,
        }
    })
}

/// A message of IKEv2 in any flow: one that proves itself, one that a peer may answer on a port
/// of IKE, or one of an SA that is known.
pub(super) fn find(flow: Flow, data: &[u8]) -> Option<Sighting> {
    // Which end is the client's does not matter here.
    let (first, last) = flow.ends();
    if is_expected_between(first, last) {
        return find_here(flow, data);
    }
    detect(data).or_else(|| find_known(data, tracking::table()?))
}

/// The same in a flow where IKE is expected, whatever its ports are.
pub(super) fn find_here(flow: Flow, data: &[u8]) -> Option<Sighting> {
    let (first, last) = flow.ends();
    find_message(carrier_between(first, last), data, tracking::table())
}

/// What the host passes to a probing function or to the parser.
///
/// # Safety
/// `flow` is the host's, locked, and `data` with `length` the payload of a packet of it.
pub(super) unsafe fn hand_over<'a>(
    flow: *const sys::Flow,
    data: *const u8,
    length: u32,
) -> (Flow, &'a [u8]) {
    // SAFETY: see the function's contract.
    unsafe {
        packet::compare(flow, data, length);
        (Flow::new(flow), bytes(data, length))
    }
}

/// Takes a flow for the plugin; a response seen first turns it round. The host also asks when
/// the other direction has the flow already: then it stays as it is, for either peer may send
/// requests.
///
/// # Safety
/// `direction` is null or valid for writing.
unsafe fn take(flow: Flow, sighting: Sighting, direction: *mut u8) -> sys::AppProto {
    // SAFETY: see the function's contract.
    let direction = unsafe { direction.as_mut() };
    if let Some(direction) = direction.filter(|_| late_detection::may_turn(flow)) {
        *direction = if sighting.response { TO_CLIENT } else { TO_SERVER };
    }
    protocol::number()
}
