//! The packet that a thread works on: its payload, its time and its flags.
//!
//! Suricata has no function for either, and the layout of its `Packet` depends on how it was
//! built. So the places are found in the running process:
//!
//! - **Time and flags.** A function of Suricata writes a time, and another one a flag. The bytes
//!   that change are the place: see [`layout`].
//! - **Payload.** A decoded packet points to its IP header, to its UDP header and, 8 bytes
//!   behind that, to its payload. The payload's length stands behind the pointer. The first
//!   packet in which exactly one pair of words fits gives the place. The UDP header must have the
//!   flow's ports and that length. Later, the payload that Suricata hands to a parser is compared
//!   with the one that is read. If they differ, the place is not used any more. A flow is bypassed
//!   only after they were the same many times: see [`CurrentPacket::checked_payload`].
//!
//! A packet is read only by the thread that runs the update callback of its flow, and only until
//! Suricata goes on to another packet.

use core::cell::Cell;
use core::ffi::c_int;
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::flow::Flow;
use super::{layout, log};
use crate::message::Direction;
use crate::sys;

/// The size of the part of a packet that is searched, in words. The smallest `Packet` of 8.0 is
/// larger.
const WORDS: usize = 128;

/// The number of packets that are searched for the payload at most. Packets with IP options or
/// extension headers do not show its place.
const ATTEMPTS: u32 = 10_000;

/// The sizes of the headers before a payload.
const UDP_HEADER: usize = 8;
const IP_HEADERS: [usize; 2] = [20, 40];

/// How often the payload that is read must have been the one that Suricata passes, before a packet
/// that Suricata does not parse is judged by it.
const AGREEMENTS: u32 = 16;

/// Flags of a packet (`PKT_NOPAYLOAD_INSPECTION`, `PKT_HAS_FLOW` and `PKT_WANTS_FLOW` of
/// `decode.h`). The last two are set in each packet of a flow.
const NO_PAYLOAD_INSPECTION: u32 = 1 << 2;
const HAS_FLOW: u32 = 1 << 8;
const WANTS_FLOW: u32 = 1 << 22;

/// `TOSERVER` of `flow.h`.
const TO_SERVER: c_int = 0;

/// A place that is not known yet, and one that is not searched any more.
const UNKNOWN: usize = usize::MAX;
const GIVEN_UP: usize = usize::MAX - 1;

/// The offset of a packet's time, in bytes.
static TIME: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// The offset of a packet's flags, in bytes.
static FLAGS: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// The offset of the pointer to a packet's payload, in words. The length stands behind it.
static PAYLOAD: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// The number of packets that were searched for the payload.
static SEARCHED: AtomicU32 = AtomicU32::new(0);

/// How often the payload was the one that Suricata passed, up to [`AGREEMENTS`].
static AGREED: AtomicU32 = AtomicU32::new(0);

/// The packet that the thread works on, and its flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct CurrentPacket {
    flow: *const sys::Flow,
    packet: *mut sys::Packet,
}

thread_local! {
    static CURRENT: Cell<CurrentPacket> =
        const { Cell::new(CurrentPacket { flow: ptr::null(), packet: ptr::null_mut() }) };
}

/// Finds the place of a packet's time: see [`layout`].
pub(super) fn find_time() {
    match place_of_time() {
        Some(place) => TIME.store(place, Ordering::Relaxed),
        None => log::warning(
            "this Suricata keeps the time of a packet at an unknown place: the time of the flow's \
             last packet is used; please report this with the output of suricata --build-info",
        ),
    }
}

fn place_of_time() -> Option<usize> {
    let value = time_of(0x5_a5a5_a5a5, 0x9_9999);
    let place = layout::find(&value.to_ne_bytes(), |packet| {
        let time = sys::SCTime_t { _bindgen_opaque_blob: value };
        // SAFETY: the function writes the time of a packet and nothing else. The packet lies in
        // the structure, and all its members may be zero.
        unsafe { sys::SCPacketSetTime(packet.cast(), time) };
    });
    place.filter(|offset| offset + size_of::<u64>() <= WORDS * size_of::<u64>())
}

/// Finds the place of a packet's flags: see [`layout`].
pub(super) fn find_flags() {
    match place_of_flags() {
        Some(place) => FLAGS.store(place, Ordering::Relaxed),
        None => log::warning(
            "this Suricata keeps the flags of a packet at an unknown place: rules look for contents \
             in ESP too; please report this with the output of suricata --build-info",
        ),
    }
}

fn place_of_flags() -> Option<usize> {
    let place = layout::find(&WANTS_FLOW.to_ne_bytes(), |packet| {
        // SAFETY: the function sets a flag of the packet and computes the hash of its flow, which
        // is zero for a packet of no protocol. It reads and writes members of the packet and
        // nothing else. All its members may be zero.
        unsafe { sys::FlowSetupPacket(packet.cast()) };
    });
    let fits = |offset: &usize| offset + size_of::<u32>() <= WORDS * size_of::<u64>();
    place.filter(fits).filter(|offset| offset.is_multiple_of(align_of::<u32>()))
}

/// The number of bits of Suricata's `SCTime_t` that are seconds. The others are microseconds.
/// `SCTime_t` is one word with two bit fields. The first field begins at the lowest bit of the word
/// on little-endian processors, and at the highest bit on big-endian ones.
const SECONDS: u32 = 44;

/// Suricata's word for a time.
fn time_of(seconds: u64, microseconds: u64) -> u64 {
    if cfg!(target_endian = "little") {
        seconds | microseconds << SECONDS
    } else {
        seconds << (u64::BITS - SECONDS) | microseconds
    }
}

/// The microseconds since the epoch that Suricata's word for a time means.
fn microseconds(time: u64) -> u64 {
    let (seconds, microseconds) = if cfg!(target_endian = "little") {
        (time & ((1 << SECONDS) - 1), time >> SECONDS)
    } else {
        (time >> (u64::BITS - SECONDS), time & ((1 << (u64::BITS - SECONDS)) - 1))
    };
    seconds.saturating_mul(1_000_000).saturating_add(microseconds)
}

impl CurrentPacket {
    /// A packet of a flow, which Suricata has handed to this thread.
    pub(super) fn new(flow: *const sys::Flow, packet: *mut sys::Packet) -> Self {
        Self { flow, packet }
    }

    /// Makes this the packet at hand.
    pub(super) fn enter(self) {
        CURRENT.set(self);
    }

    /// The packet at hand, if it is one of this flow.
    fn of(flow: *const sys::Flow) -> Option<Self> {
        let current = CURRENT.get();
        (!flow.is_null() && current.flow == flow && !current.packet.is_null()).then_some(current)
    }

    /// The direction of the packet in its flow.
    ///
    /// # Safety
    /// As [`Self::payload`].
    #[inline]
    pub(super) unsafe fn direction(self) -> Direction {
        // SAFETY: the function demands a decoded packet and its locked flow. Suricata's function
        // compares their addresses and ports.
        match unsafe { sys::FlowGetPacketDirection(self.flow, self.packet) } {
            TO_SERVER => Direction::ToServer,
            _ => Direction::ToClient,
        }
    }

    /// The payload; none as long as its place is not known.
    ///
    /// # Safety
    /// Suricata has decoded the packet and handed it to this thread, which still works on it.
    #[inline]
    pub(super) unsafe fn payload<'a>(self) -> Option<&'a [u8]> {
        let mut place = PAYLOAD.load(Ordering::Relaxed);
        if place >= WORDS {
            // SAFETY: the function demands what `search` demands.
            place = unsafe { self.search() }?;
        }
        // SAFETY: the place was found in a packet of this process, so each packet has it.
        let (data, length) = unsafe { self.pair(place) };
        if data.is_null() {
            return Some(&[]);
        }
        // SAFETY: Suricata sets both when it decodes the packet, before it looks for the flow, and
        // keeps the bytes of the packet while the thread works on it.
        Some(unsafe { core::slice::from_raw_parts(data, usize::from(length)) })
    }

    /// The payload, if its place is certain, and if the bytes before the payload are a UDP header of
    /// the flow with the length of the payload.
    ///
    /// # Safety
    /// As [`Self::payload`].
    #[inline]
    pub(super) unsafe fn checked_payload<'a>(self) -> Option<&'a [u8]> {
        let place = PAYLOAD.load(Ordering::Relaxed);
        if place >= WORDS || AGREED.load(Ordering::Relaxed) < AGREEMENTS {
            return None;
        }
        // SAFETY: the place was found in a packet of this process, so each packet has it.
        let (data, length) = unsafe { self.pair(place) };
        if data.is_null() {
            return None;
        }
        // SAFETY: Suricata itself passed what stands at this place as the payload of a UDP packet,
        // many times and never anything else. So a UDP header is before it.
        let is_it = unsafe { self.has_header(data, length) };
        // SAFETY: Suricata sets both when it decodes the packet, before it looks for the flow, and
        // keeps the bytes of the packet while the thread works on it.
        is_it.then(|| unsafe { core::slice::from_raw_parts(data, usize::from(length)) })
    }

    /// Whether the bytes before a payload are a UDP header with the ports of the flow and this
    /// length.
    ///
    /// # Safety
    /// There are so many bytes before the payload. The flow is the one of the packet and locked.
    #[inline]
    unsafe fn has_header(self, data: *const u8, length: u16) -> bool {
        // SAFETY: the function demands these bytes.
        let header = unsafe { data.sub(UDP_HEADER).cast::<[u8; UDP_HEADER]>().read() };
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        // SAFETY: the function demands the locked flow of the packet.
        let of_flow = unsafe { Flow::new(self.flow) }.unordered_ports();
        let ports = (field(0), field(2));
        (ports == of_flow || ports == (of_flow.1, of_flow.0))
            && usize::from(field(4)) == usize::from(length) + UDP_HEADER
    }

    /// Searches the place of the payload, and keeps it if this packet shows it.
    ///
    /// # Safety
    /// As [`Self::payload`].
    #[cold]
    unsafe fn search(self) -> Option<usize> {
        if PAYLOAD.load(Ordering::Relaxed) == GIVEN_UP {
            return None;
        }
        if SEARCHED.fetch_add(1, Ordering::Relaxed) >= ATTEMPTS {
            give_up();
            return None;
        }
        // SAFETY: the function demands what `is_payload` demands, and each packet has these words.
        let fits = |place: &usize| unsafe { self.is_payload(*place) };
        let mut places = (0..WORDS - 1).filter(fits);
        let (Some(place), None) = (places.next(), places.next()) else { return None };
        PAYLOAD.store(place, Ordering::Relaxed);
        Some(place)
    }

    /// Whether a word points to the payload: other words point to the headers before it, and the UDP
    /// header has the ports of the flow and the length of the payload.
    ///
    /// # Safety
    /// As [`Self::payload`]; `place` is below `WORDS - 1`.
    unsafe fn is_payload(self, place: usize) -> bool {
        // SAFETY: the packet is Suricata's, and each packet has these words.
        let word = |at| unsafe { self.packet.cast::<usize>().add(at).read() };
        let (data, has) = (word(place), |address| (0..WORDS).any(|at| word(at) == address));
        let behind_ip = |ip| data.checked_sub(UDP_HEADER + ip).is_some_and(|it| it != 0 && has(it));
        if data < UDP_HEADER || !has(data - UDP_HEADER) || !IP_HEADERS.into_iter().any(behind_ip) {
            return false;
        }
        // SAFETY: the packet is Suricata's, and the word behind the place belongs to it too.
        let (data, length) = unsafe { self.pair(place) };
        // SAFETY: the packet points to an IP header and to a UDP header behind it, at exactly the
        // sizes of such headers. So the bytes before the payload are its UDP header. The flow is the
        // one of the packet, and Suricata has locked it.
        unsafe { self.has_header(data, length) }
    }

    /// The pointer at a place of the packet, and the 16-bit number behind it.
    ///
    /// # Safety
    /// The packet is Suricata's, and `place` is below `WORDS`.
    unsafe fn pair(self, place: usize) -> (*const u8, u16) {
        let word = self.packet.cast::<*const u8>().wrapping_add(place);
        // SAFETY: the function demands a place in the packet. What stands there, padding or parts of
        // other members, is read as plain bytes.
        unsafe { (word.read(), word.wrapping_add(1).cast::<u16>().read()) }
    }
}

/// The capture time of the packet at hand, in microseconds since the epoch; none if the packet is
/// not one of this flow, or the place of the time is not known.
///
/// # Safety
/// `flow` is Suricata's, and the thread works on a packet of it.
pub(super) unsafe fn time(flow: *const sys::Flow) -> Option<u64> {
    let place = TIME.load(Ordering::Relaxed);
    let current = CurrentPacket::of(flow).filter(|_| place != UNKNOWN)?;
    let time = current.packet.cast::<u64>().wrapping_byte_add(place);
    // SAFETY: the packet is Suricata's, and Suricata itself wrote a time to this place of a packet.
    Some(microseconds(unsafe { time.read_unaligned() }))
}

/// Keeps rules from looking for contents in the payload of the packet at hand. Nothing happens if
/// the packet is not one of this flow, or if the place of the flags is not known.
///
/// # Safety
/// `flow` is Suricata's, and the thread works on a packet of it.
pub(super) unsafe fn skip_payload_inspection(flow: *const sys::Flow) {
    let place = FLAGS.load(Ordering::Relaxed);
    let Some(current) = CurrentPacket::of(flow).filter(|_| place != UNKNOWN) else { return };
    let flags = current.packet.cast::<u32>().wrapping_byte_add(place);
    // SAFETY: the packet is Suricata's, and Suricata itself wrote the flags to this aligned place of
    // a packet.
    let value = unsafe { flags.read() };
    if value & (HAS_FLOW | WANTS_FLOW) == HAS_FLOW | WANTS_FLOW {
        // SAFETY: as above. Only this thread works on the packet. Suricata sets the same flag in the
        // packets of encrypted flows, before it inspects them.
        unsafe { flags.write(value | NO_PAYLOAD_INSPECTION) };
    }
}

/// Compares the payload that Suricata passes with the one that [`CurrentPacket::payload`] reads. If
/// they differ, the place of the payload is not used any more.
///
/// # Safety
/// `flow` is Suricata's. `data` with `length` is the payload of the packet of this flow that the
/// thread works on.
pub(super) unsafe fn compare(flow: *const sys::Flow, data: *const u8, length: u32) {
    let place = PAYLOAD.load(Ordering::Relaxed);
    let Some(current) = CurrentPacket::of(flow).filter(|_| place < WORDS && !data.is_null()) else {
        return;
    };
    // SAFETY: the packet is Suricata's, and each packet has this place.
    let (own, own_length) = unsafe { current.pair(place) };
    if (own, u32::from(own_length)) != (data, length) {
        give_up();
    } else if AGREED.load(Ordering::Relaxed) < AGREEMENTS {
        AGREED.fetch_add(1, Ordering::Relaxed);
    }
}

fn give_up() {
    if PAYLOAD.swap(GIVEN_UP, Ordering::Relaxed) != GIVEN_UP {
        log::warning(
            "this Suricata keeps the payload of a packet at an unknown place: IKE is found only in \
             flows that begin with it; please report this with the output of suricata --build-info",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_suricata_writes_it() {
        for (seconds, part) in
            [(0, 0), (1, 999_999), (1_704_067_200, 17), (0x5_a5a5_a5a5, 0x9_9999)]
        {
            assert_eq!(microseconds(time_of(seconds, part)), seconds * 1_000_000 + part);
        }
    }
}
