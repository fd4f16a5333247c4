//! Late detection: IKE in flows that are not of `ikev2` yet, and other data in flows that are.
//!
//! Suricata tries to detect the protocol of a UDP flow once in each direction, and never again once
//! a parser has the flow. So one datagram of another protocol, which anybody may send, would hide
//! all messages behind it. And honest gateways speak IKEv1 and IKEv2 between the same two ports.
//!
//! Suricata calls [`on_packet`] for each packet, before detection. There the plugin acts on three
//! kinds of flows:
//!
//! - **Another parser has the flow, or none.** With a message of IKEv2, detection starts again with
//!   this packet. Suricata's own function frees the state of the other parser first.
//! - **No parser has the flow, and a port is 4500.** If two packets show that they are ESP, the flow
//!   becomes one of `ikev2`: see [`esp`]. A constant and a counter alone are no proof.
//! - **The flow is of `ikev2`.** It is released if a datagram belongs to another protocol: on port
//!   500 a message of IKEv1; on port 4500 a message of IKEv1 if only ESP was seen before; between
//!   other ports everything but IKE and ESP.
//!
//! The plugin needs the payload of the packet for this: see [`super::packet`]. Where Suricata keeps
//! the payload at an unknown place, a flow is detected by its first datagram only.

mod candidate;
mod esp;
mod ikev1;

use core::ffi::c_void;
use core::ptr;

use self::candidate::{candidate, candidate_or_new, register_storage, use_storage};
use self::esp::EspPacket;
use self::ikev1::{is_ikev1, is_marked_ikev1};
use super::bypass::{self, Bypass};
use super::flow::{self, Flow};
use super::guard::guard;
use super::packet::{self, CurrentPacket};
use super::settings::{self, EncryptionHandling};
use super::{detection, log, protocol};
use crate::sys;

/// Registers the flow storage and the callback. Without the callback late detection is off, and
/// everything else works. False if Suricata refuses the storage: then another copy of the plugin
/// is loaded.
pub(super) fn register() -> bool {
    packet::find_time();
    if settings::get().encryption_handling != EncryptionHandling::Full {
        packet::find_flags();
    }
    let knows_protocols = flow::find_protocols();
    let Some(storage) = register_storage() else { return false };
    if !knows_protocols {
        return true;
    }
    // SAFETY: the callback has the form that Suricata calls, and needs no user data.
    if unsafe { sys::SCFlowRegisterUpdateCallback(Some(on_packet), ptr::null_mut()) } {
        use_storage(storage);
    } else {
        log::warning(
            "Suricata did not accept a callback for packets: IKE is found only in flows that begin \
             with it",
        );
    }
    true
}

/// What is kept of a flow whose ESP packets may be bypassed.
pub(super) fn bypass<'a>(flow: Flow) -> Option<&'a mut Bypass> {
    candidate(flow)?.bypass.as_deref_mut()
}

/// The place where it is kept. None without a storage.
pub(super) fn bypass_slot<'a>(flow: Flow) -> Option<&'a mut Option<Box<Bypass>>> {
    Some(&mut candidate_or_new(flow)?.bypass)
}

/// Takes it, so that it is not kept any more.
pub(super) fn take_bypass(flow: Flow) -> Option<Box<Bypass>> {
    candidate(flow)?.bypass.take()
}

/// Whether the flow is of `ikev2` because of its ESP alone.
pub(super) fn is_esp_only(flow: Flow) -> bool {
    candidate(flow).is_some_and(|candidate| candidate.esp_only)
}

/// Whether a message may reverse the flow: no parser has the flow, or had it before.
pub(super) fn may_reverse(flow: Flow) -> bool {
    let is_free = flow.protocols().is_some_and(|all| !all.into_iter().any(protocol::has_parser));
    is_free && !candidate(flow).is_some_and(|candidate| candidate.taken_over)
}

/// The parser calls this with the first message of a flow, which is then not one of ESP alone.
pub(super) fn on_first_message(flow: Flow) {
    // Suricata calls the parser that the flow's protocol has.
    flow.check_protocol(protocol::number());
    if let Some(candidate) = candidate(flow) {
        candidate.esp_only = false;
    }
}

/// Suricata calls this for each packet of each flow, before detection. So it has to be short.
unsafe extern "C" fn on_packet(
    _thread: *mut sys::ThreadVars,
    flow: *mut sys::Flow,
    packet: *mut sys::Packet,
    _user: *mut c_void,
) {
    guard((), || {
        // SAFETY: Suricata passes a locked flow.
        let flow = unsafe { Flow::new(flow) };
        if !flow.is_udp() {
            return;
        }
        let current = CurrentPacket::new(flow.as_ptr(), packet);
        // SAFETY: Suricata calls for this packet, which it has decoded, with its locked flow.
        if bypass::is_on() && unsafe { bypass::skips(flow, current) } {
            return;
        }
        current.enter();
        let Some([number, ..]) = flow.protocols() else { return };
        // SAFETY: Suricata calls for this packet, which it has decoded.
        let Some(data) = (unsafe { current.payload() }) else { return };
        if number == protocol::number() {
            check_own_flow(flow, data);
        } else {
            check_other_flow(flow, number, data);
        }
    });
}

/// Looks at a datagram of a flow that is not of `ikev2`.
fn check_other_flow(flow: Flow, number: sys::AppProto, data: &[u8]) {
    if detection::find_message(flow, data).is_some() {
        // Suricata detects the protocol of a new flow anyway.
        if number != protocol::UNKNOWN {
            take_over(flow, number);
        }
    } else if !protocol::has_parser(number)
        && flow.has_port(4500)
        && candidate_or_new(flow).is_some_and(|candidate| candidate.is_esp_only_with(data))
    {
        restart_detection(flow);
    }
}

/// Starts detection again with the packet at hand, in a flow of no parser or of another one.
fn take_over(flow: Flow, number: sys::AppProto) {
    if protocol::has_parser(number) {
        if let Some(candidate) = candidate_or_new(flow) {
            candidate.taken_over = true;
        }
    }
    restart_detection(flow);
}

/// Looks at a datagram of a flow of `ikev2`, and releases the flow if it is of another protocol.
fn check_own_flow(flow: Flow, data: &[u8]) {
    if flow.has_port(4500) {
        // Most packets are ESP.
        if is_marked_ikev1(data) {
            release_to_ikev1(flow);
        }
    } else if flow.has_port(500) {
        // The next message of IKEv2 takes the flow over again.
        if is_ikev1(data) {
            restart_detection(flow);
        }
    } else if !may_be_ike(flow, data) {
        restart_detection(flow);
    }
}

/// Releases a flow of which only ESP was seen: with a message of IKEv1, the ESP belongs to IKEv1.
#[cold]
fn release_to_ikev1(flow: Flow) {
    if let Some(candidate) = candidate(flow).filter(|candidate| candidate.esp_only) {
        candidate.ikev1 = true;
        candidate.esp_only = false;
        restart_detection(flow);
    }
}

/// Whether a datagram may belong to a flow of IKE between ports that are not IKE's. It may be a
/// message, also a damaged one, a keepalive, or ESP.
fn may_be_ike(flow: Flow, data: &[u8]) -> bool {
    if data.len() <= 1 || detection::find_expected_message(flow, data).is_some() {
        return true;
    }
    let Some(packet) = EspPacket::parse(data) else { return false };
    candidate_or_new(flow).is_none_or(|candidate| candidate.belongs(packet))
}

/// Removes what Suricata knows of the flow's protocol, so that it detects the protocol again with
/// the packet at hand.
fn restart_detection(flow: Flow) {
    if let Some(bypass) = take_bypass(flow) {
        bypass.finish();
    }
    // SAFETY: Suricata passes a locked flow to the callback, before it parses and inspects the
    // application layer data of the packet, so nobody uses the state of the parser. Suricata's own
    // function frees the state, by the protocol that the flow still has, and clears the pointers.
    // Only then is the protocol removed. A flow of no parser has no state.
    unsafe {
        sys::FlowCleanupAppLayer(flow.as_ptr());
        sys::AppLayerProtoDetectReset(flow.as_ptr());
    }
}
