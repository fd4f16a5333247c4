//! The packet that a thread works on: its payload and its time.
//!
//! Suricata has no function for either, and the layout of its `Packet` depends on how it was
//! built. So both places are found in the running process:
//!
//! - **Time.** A function of Suricata writes a time, and the bytes that change are the place: see
//!   [`layout`].
//! - **Payload.** A decoded packet points to its IP header, to its UDP header and, 8 bytes
//!   behind that, to its payload. The payload's length stands behind the pointer. The first
//!   packet in which exactly one pair of words fits gives the place. The UDP header must have the
//!   flow's ports and that length. Later, the payload that Suricata hands to a parser is compared
//!   with the one that is read. If they differ, the place is not used any more.
//!
//! A packet is read only by the thread that runs the update callback of its flow, and only until
//! Suricata goes on to another packet.

use core::cell::Cell;
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::flow::Flow;
use super::{layout, log};
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

/// A place that is not known yet, and one that is not searched any more.
const UNKNOWN: usize = usize::MAX;
const GIVEN_UP: usize = usize::MAX - 1;

/// The offset of a packet's time, in bytes.
static TIME: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// The offset of the pointer to a packet's payload, in words. The length stands behind it.
static PAYLOAD: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// The number of packets that were searched for the payload.
static SEARCHED: AtomicU32 = AtomicU32::new(0);

/// The packet that the thread works on, and its flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct CurrentPacket {
    flow: *const sys::Flow,
    packet: *const sys::Packet,
}

thread_local! {
    static CURRENT: Cell<CurrentPacket> =
        const { Cell::new(CurrentPacket { flow: ptr::null(), packet: ptr::null() }) };
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
    /// Notes that Suricata has handed a packet of a flow to this thread.
    pub(super) fn enter(flow: *const sys::Flow, packet: *const sys::Packet) -> Self {
        let current = Self { flow, packet };
        CURRENT.set(current);
        current
    }

    /// The packet at hand, if it is one of this flow.
    fn of(flow: *const sys::Flow) -> Option<Self> {
        let current = CURRENT.get();
        (!flow.is_null() && current.flow == flow && !current.packet.is_null()).then_some(current)
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
        // sizes of such headers. So the bytes before the payload are its UDP header.
        let header = unsafe { data.sub(UDP_HEADER).cast::<[u8; UDP_HEADER]>().read() };
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        // SAFETY: the flow is the one of the packet, and Suricata has locked it.
        let of_flow = unsafe { Flow::new(self.flow) }.unordered_ports();
        let ports = (field(0), field(2));
        (ports == of_flow || ports == (of_flow.1, of_flow.0))
            && usize::from(field(4)) == usize::from(length) + UDP_HEADER
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
