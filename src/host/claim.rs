//! Flows on IKE's ports whose first datagram is no IKE message.
//!
//! Suricata offers a UDP flow for detection once in each direction. A gateway's
//! NAT traversal flow may be first seen with ESP or a keepalive, and anybody may
//! send noise before a handshake. So on IKE's ports a datagram that nobody took
//! does not end detection: the update callback, which runs before it, lets the
//! host start over with the next one.
//!
//! A keepalive on port 4500 makes the flow ours. So do two ESP packets: the same
//! SPI, and a sequence number that has grown a little. Nothing is claimed on one
//! packet's looks.

use core::ffi::{c_uint, c_void};
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use super::guard::guard;
use super::{log, TO_SERVER};
use crate::sys;
use crate::tx::Transport;
use crate::wire::datagram::NON_ESP_MARKER;
use crate::wire::Header;

/// How far a sequence number may have grown between two datagrams seen in one
/// direction. Both tests together fit chance once in 2^52.
const LARGEST_STEP: u32 = 4096;

/// SPIs below are reserved (RFC 4303, 2.1).
const LOWEST_SPI: u32 = 256;

/// The smallest ESP packet: header, IV or padding, checksum; all of 4-byte units.
const SMALLEST_ESP: usize = 24;

/// What the host says of a flow that no protocol has (`ALPROTO_UNKNOWN` and
/// `ALPROTO_FAILED`); above are protocols.
const LARGEST_UNCLAIMED: sys::AppProto = 1;

/// The number of the flow storage; negative when there is none.
static STORAGE: AtomicI32 = AtomicI32::new(-1);

/// Where a flow has the numbers of its protocol: overall, to the server, to the
/// client.
static PROTOCOLS_OFFSET: AtomicUsize = AtomicUsize::new(0);

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
        let fits =
            packet.spi >= LOWEST_SPI && data.len() >= SMALLEST_ESP && data.len().is_multiple_of(4);
        fits.then_some(packet)
    }

    /// Whether `next` is a later packet of the same SA.
    fn is_followed_by(self, next: Self) -> bool {
        let step = next.sequence.wrapping_sub(self.sequence);
        next.spi == self.spi && (1..=LARGEST_STEP).contains(&step)
    }
}

/// What was seen of a flow that nobody has taken yet.
#[derive(Debug, Default)]
struct Suspicion {
    /// The last packet to the server and to the client that may be ESP.
    last: [Option<Esp>; 2],
    /// Whether nobody took the flow's last datagram.
    pending: bool,
    /// Whether a message of IKEv1 was seen: the flow's ESP is then not IKEv2's.
    ikev1: bool,
}

impl Suspicion {
    /// Takes a packet; true when it makes the flow certain.
    fn observe(&mut self, to_server: bool, packet: Esp) -> bool {
        let last = self.last[usize::from(!to_server)].replace(packet);
        last.is_some_and(|last| last.is_followed_by(packet))
    }
}

/// Registers flow storage and the callback. Without them such flows are missed,
/// and everything else works.
pub(super) fn prepare() {
    let Some(offset) = find_protocols() else {
        return log::warning("flows that do not begin with IKE cannot be followed: unknown layout");
    };
    PROTOCOLS_OFFSET.store(offset, Ordering::Relaxed);
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
        log::warning("flows that do not begin with IKE cannot be followed: no flow storage");
    }
}

/// Finds where the host keeps a flow's protocol. Its layout is no public
/// interface and depends on how Suricata was built, so the host itself is asked:
/// it sets the protocol of a blank flow, and the three numbers that it writes
/// side by side show the place.
fn find_protocols() -> Option<usize> {
    const WORDS: usize = 512;
    const SOUGHT: sys::AppProto = 0x5a5a;
    let mut blank = [0_u64; WORDS];
    // SAFETY: the function reads and writes the protocol's numbers of the flow and
    // nothing else; they are in its first kilobyte, and all its bytes may be zero.
    unsafe { sys::SCAppLayerForceProtocolChange(blank.as_mut_ptr().cast(), SOUGHT) };
    let bytes: Vec<u8> = blank.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let wanted = SOUGHT.to_ne_bytes().repeat(3);
    let changed = bytes.iter().filter(|byte| **byte != 0).count();
    let place = bytes.windows(wanted.len()).position(|window| window == wanted)?;
    (changed == wanted.len() && place % 2 == 0).then_some(place)
}

fn storage() -> sys::FlowStorageId {
    sys::FlowStorageId { id: STORAGE.load(Ordering::Relaxed) }
}

/// Whether a datagram that is no IKE message makes the flow ours. If not, the
/// flow's next datagram is offered again.
///
/// # Safety
/// `flow` is the host's, locked for the call.
pub(super) unsafe fn is_ours(
    flow: *const sys::Flow,
    transport: Transport,
    flags: u8,
    data: &[u8],
) -> bool {
    let nat_traversal = transport == Transport::Udp4500;
    if nat_traversal && data == [0xff] {
        return true;
    }
    // SAFETY: see the function's contract.
    let Some(suspicion) = (unsafe { suspicion_or_new(flow.cast_mut()) }) else { return false };
    suspicion.ikev1 |= nat_traversal && is_marked_ikev1(data);
    let packet = Esp::of(data).filter(|_| nat_traversal && !suspicion.ikev1);
    let certain = packet.is_some_and(|packet| suspicion.observe(flags & TO_SERVER != 0, packet));
    suspicion.pending = !certain;
    certain
}

/// A non-ESP marker and a header with major version 1.
fn is_marked_ikev1(data: &[u8]) -> bool {
    let message = data.strip_prefix(&NON_ESP_MARKER);
    let header = message.and_then(|message| Header::parse(message).ok());
    header.is_some_and(|header| header.version.major() == 1)
}

/// Whether no protocol has the flow, in neither direction; false where that
/// cannot be told.
///
/// # Safety
/// `flow` is the host's, locked for the call.
pub(super) unsafe fn is_unclaimed(flow: *const sys::Flow) -> bool {
    let offset = PROTOCOLS_OFFSET.load(Ordering::Relaxed);
    if offset == 0 {
        return false;
    }
    // SAFETY: the host wrote three 16-bit numbers at this offset of a flow.
    let numbers = unsafe { *flow.cast::<u8>().add(offset).cast::<[u8; 6]>() };
    let protocols = numbers.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
    protocols.into_iter().all(|protocol| protocol <= LARGEST_UNCLAIMED)
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
        // SAFETY: as above. A flow that no protocol has has no parser state that a
        // new start would lose.
        unsafe {
            if core::mem::take(&mut suspicion.pending) && is_unclaimed(flow) {
                sys::AppLayerProtoDetectReset(flow);
            }
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
}
