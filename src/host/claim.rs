//! Flows on IKE's ports whose first datagram is no IKE message.
//!
//! A gateway's NAT traversal flow may be first seen with ESP or a keepalive, and
//! Suricata offers a UDP flow for detection once in each direction. A keepalive
//! on port 4500 is certain. Two ESP packets are: the same SPI, and a sequence
//! number that has grown a little. So a flow whose first datagram could be ESP
//! gets a few more attempts: the update callback, which runs before detection,
//! lets the host start over. Nothing is claimed on one packet's looks.

use core::ffi::{c_uint, c_void};
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::guard::guard;
use super::{log, TO_SERVER};
use crate::sys;

/// NAT traversal's port (RFC 3948).
const NAT_T_PORT: u16 = 4500;

/// How many further datagrams of a flow are offered for detection.
const ATTEMPTS: u8 = 8;

/// How far a sequence number may have grown between two datagrams seen in one
/// direction. Both tests together fit chance once in 2^52.
const LARGEST_STEP: u32 = 4096;

/// SPIs below are reserved (RFC 4303, 2.1).
const LOWEST_SPI: u32 = 256;

/// The smallest ESP packet: header, IV or padding, checksum; all of 4-byte units.
const SMALLEST_ESP: usize = 24;

/// The number of the flow storage; negative when there is none.
static STORAGE: AtomicI32 = AtomicI32::new(-1);

/// SPI and sequence number of a packet that may be ESP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Esp {
    spi: u32,
    sequence: u32,
}

impl Esp {
    /// Reads a packet that has the form of ESP.
    fn of(data: &[u8]) -> Option<Self> {
        let (spi, rest) = data.split_first_chunk()?;
        let (sequence, _) = rest.split_first_chunk()?;
        let packet =
            Self { spi: u32::from_be_bytes(*spi), sequence: u32::from_be_bytes(*sequence) };
        let fits = packet.spi >= LOWEST_SPI && data.len() >= SMALLEST_ESP && data.len() % 4 == 0;
        fits.then_some(packet)
    }

    /// Whether `next` is a later packet of the same SA.
    fn is_followed_by(self, next: Self) -> bool {
        let step = next.sequence.wrapping_sub(self.sequence);
        next.spi == self.spi && (1..=LARGEST_STEP).contains(&step)
    }
}

/// What was seen of a flow that may be ESP in UDP.
#[derive(Debug, Default)]
struct Suspicion {
    /// The last packet to the server and to the client.
    last: [Option<Esp>; 2],
    /// Whether detection has failed on the flow's last datagram.
    pending: bool,
    attempts: u8,
}

impl Suspicion {
    /// Takes a packet; true when it makes the flow certain.
    fn observe(&mut self, to_server: bool, packet: Esp) -> bool {
        let last = self.last[usize::from(!to_server)].replace(packet);
        last.is_some_and(|last| last.is_followed_by(packet))
    }

    /// Whether the next datagram is to be offered again; counts attempts.
    fn take_attempt(&mut self) -> bool {
        let again = self.pending && self.attempts < ATTEMPTS;
        self.pending = false;
        self.attempts += u8::from(again);
        again
    }
}

/// Registers flow storage and the callback. Without them such flows are missed,
/// and everything else works.
pub(super) fn prepare() {
    // SAFETY: the name is static; a pointer's size needs no allocation function.
    let storage = unsafe {
        sys::FlowStorageRegister(
            c"ikev2-claim".as_ptr(),
            size_of::<*mut c_void>() as c_uint,
            None,
            Some(free_suspicion),
        )
    };
    // SAFETY: the callback has the host's form and needs no user data.
    let registered = storage.id >= 0
        && unsafe { sys::SCFlowRegisterUpdateCallback(Some(on_packet), ptr::null_mut()) };
    if registered {
        STORAGE.store(storage.id, Ordering::Relaxed);
    } else {
        log::warning("flows that begin with ESP cannot be followed: no flow storage");
    }
}

fn storage() -> sys::FlowStorageId {
    sys::FlowStorageId { id: STORAGE.load(Ordering::Relaxed) }
}

/// Whether a datagram that is no IKE message makes the flow ours.
///
/// # Safety
/// `flow` is the host's, locked for the call.
pub(super) unsafe fn is_ours(flow: *const sys::Flow, flags: u8, data: &[u8]) -> bool {
    let flow = flow.cast_mut();
    // SAFETY: see the function's contract.
    if !unsafe { is_nat_traversal(flow) } {
        return false;
    }
    if data == [0xff] {
        return true;
    }
    let Some(packet) = Esp::of(data) else { return false };
    // SAFETY: see the function's contract.
    unsafe { suspicion_or_new(flow) }.is_some_and(|suspicion| {
        let certain = suspicion.observe(flags & TO_SERVER != 0, packet);
        suspicion.pending = !certain;
        certain
    })
}

/// One port is 4500 and the other is no service's, whose own parser might have
/// the flow: only then is it sure that a failed probe left the flow to nobody.
///
/// # Safety
/// `flow` is the host's, locked for the call.
unsafe fn is_nat_traversal(flow: *mut sys::Flow) -> bool {
    // SAFETY: see the function's contract.
    let ports = unsafe { (sys::FlowGetSourcePort(flow), sys::FlowGetDestinationPort(flow)) };
    let ((NAT_T_PORT, other) | (other, NAT_T_PORT)) = ports else { return false };
    other >= 1024 || other == 500
}

/// # Safety
/// `flow` is the host's, locked for the call.
unsafe fn suspicion<'a>(flow: *const sys::Flow) -> Option<&'a mut Suspicion> {
    if storage().id < 0 {
        return None;
    }
    // SAFETY: the storage holds null or a pointer that `suspicion_or_new` made, and
    // the flow's lock makes this the only reference.
    unsafe { sys::FlowGetStorageById(flow, storage()).cast::<Suspicion>().as_mut() }
}

/// # Safety
/// `flow` is the host's, locked for the call.
unsafe fn suspicion_or_new<'a>(flow: *mut sys::Flow) -> Option<&'a mut Suspicion> {
    if storage().id < 0 {
        return None;
    }
    // SAFETY: as in `suspicion`; the host frees the pointer through `free_suspicion`.
    unsafe {
        if sys::FlowGetStorageById(flow, storage()).is_null() {
            let new = Box::into_raw(Box::<Suspicion>::default());
            sys::FlowSetStorageById(flow, storage(), new.cast());
        }
        suspicion(flow)
    }
}

unsafe extern "C" fn free_suspicion(suspicion: *mut c_void) {
    guard((), || {
        if !suspicion.is_null() {
            // SAFETY: made by `suspicion_or_new`, freed once.
            drop(unsafe { Box::from_raw(suspicion.cast::<Suspicion>()) });
        }
    });
}

/// Runs for each packet of each flow, before detection: it has to be short.
unsafe extern "C" fn on_packet(
    _thread: *mut sys::ThreadVars,
    flow: *mut sys::Flow,
    _packet: *mut sys::Packet,
    _user: *mut c_void,
) {
    guard((), || {
        // SAFETY: the host passes a locked flow.
        let Some(suspicion) = (unsafe { suspicion(flow) }) else { return };
        if suspicion.take_attempt() {
            // SAFETY: as above. No parser has the flow, for detection failed on the
            // datagram before this one, so there is no state that would be lost.
            unsafe { sys::AppLayerProtoDetectReset(flow) };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(spi: u32, sequence: u32) -> Vec<u8> {
        let mut data = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        data.resize(100, 0x5a);
        data
    }

    fn certain(packets: &[(bool, u32, u32)]) -> bool {
        let mut suspicion = Suspicion::default();
        packets.iter().any(|(to_server, spi, sequence)| {
            Esp::of(&packet(*spi, *sequence))
                .is_some_and(|packet| suspicion.observe(*to_server, packet))
        })
    }

    #[test]
    fn two_packets_of_one_sa_are_certain() {
        assert!(certain(&[(true, 0xc001_0203, 7_000_000), (true, 0xc001_0203, 7_000_003)]));
        assert!(certain(&[(true, 0x0100, u32::MAX), (false, 9999, 4), (true, 0x0100, 1)]));
    }

    #[test]
    fn one_packet_or_two_unlike_ones_are_not() {
        assert!(!certain(&[(true, 0xc001_0203, 7)]));
        assert!(!certain(&[(true, 0xc001_0203, 7), (false, 0xc001_0203, 8)]));
        assert!(!certain(&[(true, 0xc001_0203, 7), (true, 0xc001_0203, 7)]));
        assert!(!certain(&[(true, 0xc001_0203, 8), (true, 0xc001_0203, 7)]));
        assert!(!certain(&[(true, 0xc001_0203, 7), (true, 0xc001_0203, 50_000)]));
        assert!(!certain(&[(true, 255, 7), (true, 255, 8)]));
    }

    #[test]
    fn attempts_end() {
        let mut suspicion = Suspicion::default();
        let granted = (0..100)
            .filter(|_| {
                suspicion.pending = true;
                suspicion.take_attempt()
            })
            .count();
        assert_eq!(granted, usize::from(ATTEMPTS));
        suspicion.pending = false;
        assert!(!suspicion.take_attempt());
    }
}
