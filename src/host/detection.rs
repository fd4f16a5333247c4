//! Detection: which flows are IKE's.
//!
//! Patterns and probing functions look at the first datagram of a flow in each direction.
//! [`super::late_detection`] looks at all others.

use core::ffi::CStr;
use core::slice;

use super::flow::Flow;
use super::guard::guard;
use super::protocol::{self, FAILED, TO_CLIENT, TO_SERVER, UDP};
use super::{late_detection, packet, tracking};
use crate::pipeline::{self, carrier_between, is_expected_between};
use crate::sys;
use crate::wire::datagram::NON_ESP_MARKER;
use crate::wire::{detect, DetectedMessage, HEADER_LEN};

/// The IANA ports of IKE. Messages are detected by their content on every port. On these ports
/// the probing parser also finds what the patterns cannot find.
pub(super) const PORTS: &CStr = c"[500,848,4500]";

/// The offset of the version in a message without a non-ESP marker.
const VERSION_OFFSET: u16 = 17;

/// The version byte with major version 2, in Suricata's notation for bytes.
const VERSIONS: [&CStr; 16] = [
    c"|20|", c"|21|", c"|22|", c"|23|", c"|24|", c"|25|", c"|26|", c"|27|", c"|28|", c"|29|",
    c"|2a|", c"|2b|", c"|2c|", c"|2d|", c"|2e|", c"|2f|",
];

/// [`NON_ESP_MARKER`] in the same notation.
const MARKER: &CStr = c"|00 00 00 00|";

/// Patterns of other protocols over UDP: the methods of SIP, and the beginnings of SIP's answers,
/// of BitTorrent's DHT messages and of DCERPC. An attacker may choose an initiator SPI that begins
/// with one of them.
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

/// Registers the detection of the protocol `number`.
pub(super) fn register(number: sys::AppProto) {
    register_patterns(number);
    register_source_ports(number);
}

/// Registers patterns. Suricata tries patterns before probing parsers. So they give IKEv2 to the
/// plugin on every port, port 500 included, and leave IKEv1 to the built-in parser. The patterns
/// are the version byte of a message, with any minor version (RFC 7296, 2.5), and the non-ESP
/// marker. If one matches, the probing function decides.
///
/// Each content stands at one offset only, because most of Suricata's pattern matchers (all but
/// Hyperscan) keep one offset for each content: that of the pattern registered last.
///
/// The patterns of other protocols are registered too, at their offsets. If protocols share a
/// content, Suricata first tries the protocol that was registered last, which is `ikev2`, and the
/// first protocol that matches gets the flow. Those of `ikev2` match only with a message.
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
        // SAFETY: the content is static, and the function has the form that Suricata calls.
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

/// Registers IKE's ports as source ports: a flow whose first packet came from the gateway has them
/// as source. The registration of the parser covers them as destination ports.
fn register_source_ports(number: sys::AppProto) {
    // SAFETY: the port list is static, and the function has the form that Suricata calls.
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

/// The bytes that Suricata passes.
///
/// # Safety
/// `data` is null or points to `length` bytes that live as long as the result is used.
unsafe fn bytes<'a>(data: *const u8, length: u32) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: the function demands so many bytes, and null was excluded.
    unsafe { slice::from_raw_parts(data, length as usize) }
}

/// Suricata calls this when a pattern matches, on every port. It looks for a message of IKEv2. On
/// IKE's ports a message with an odd header is found too: the built-in parser, which Suricata asks
/// next, would take some of them.
unsafe extern "C" fn probe_content(
    flow: *const sys::Flow,
    _flags: u8,
    data: *const u8,
    length: u32,
    direction: *mut u8,
) -> sys::AppProto {
    guard(FAILED, || {
        // SAFETY: Suricata passes a locked flow and the payload of its packet.
        let (flow, data) = unsafe { flow_and_payload(flow, data, length) };
        let Some(sighting) = find_message(flow, data) else { return FAILED };
        // SAFETY: Suricata passes null or a place for the direction.
        unsafe { accept(flow, sighting, direction) }
    })
}

/// Suricata calls this on IKE's ports and those of `detection-ports`. It looks for a message of
/// IKEv2, and for a flow that is of `ikev2` because of its ESP.
pub(super) unsafe extern "C" fn probe_port(
    flow: *const sys::Flow,
    _flags: u8,
    data: *const u8,
    length: u32,
    direction: *mut u8,
) -> sys::AppProto {
    guard(FAILED, || {
        // SAFETY: Suricata passes a locked flow and the payload of its packet.
        let (flow, data) = unsafe { flow_and_payload(flow, data, length) };
        match find_expected_message(flow, data) {
            // SAFETY: Suricata passes null or a place for the direction.
            Some(sighting) => unsafe { accept(flow, sighting, direction) },
            None if late_detection::is_esp_only(flow) => protocol::number(),
            None => FAILED,
        }
    })
}

/// A message of IKEv2 in any flow: one with a plausible header, one of a known SA, and, on IKE's
/// ports, one with an odd header that a peer may answer.
pub(super) fn find_message(flow: Flow, data: &[u8]) -> Option<DetectedMessage> {
    let (first, last) = flow.unordered_ports();
    if is_expected_between(first, last) {
        return find_expected_message(flow, data);
    }
    detect(data).or_else(|| pipeline::find_known(data, tracking::table()?))
}

/// The same in a flow in which IKE is expected, whatever its ports are.
pub(super) fn find_expected_message(flow: Flow, data: &[u8]) -> Option<DetectedMessage> {
    let (first, last) = flow.unordered_ports();
    pipeline::find_message(carrier_between(first, last), data, tracking::table())
}

/// The flow and the payload that Suricata passes to a probing function or to the parser.
///
/// # Safety
/// `flow` is Suricata's and locked. `data` with `length` is the payload of a packet of it.
pub(super) unsafe fn flow_and_payload<'a>(
    flow: *const sys::Flow,
    data: *const u8,
    length: u32,
) -> (Flow, &'a [u8]) {
    // SAFETY: the function demands Suricata's locked flow and the payload of its packet, as both
    // calls do.
    unsafe {
        packet::compare(flow, data, length);
        (Flow::new(flow), bytes(data, length))
    }
}

/// Accepts a flow for `ikev2`. If the first message is a response, the flow is reversed. Suricata
/// also asks when the other direction is of `ikev2` already. Then the flow stays as it is, because
/// either peer may send requests.
///
/// # Safety
/// `direction` is null or valid for writing.
unsafe fn accept(flow: Flow, sighting: DetectedMessage, direction: *mut u8) -> sys::AppProto {
    // SAFETY: the function demands null or a place that is valid for writing.
    let direction = unsafe { direction.as_mut() };
    if let Some(direction) = direction.filter(|_| late_detection::may_reverse(flow)) {
        *direction = if sighting.response { TO_CLIENT } else { TO_SERVER };
    }
    protocol::number()
}
