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
//! What is read is used by the thread that runs the update callback of the packet's flow,
//! before the host moves on to another packet.

use core::cell::Cell;
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::flow::Flow;
use super::{layout, log};
use crate::sys;

/// The part of a packet that is searched, in words: less than the smallest `Packet` of 8.0.
const WORDS: usize = 128;

/// How many packets are searched before the place is given up. Those with IP options or
/// extension headers do not show it.
const ATTEMPTS: u32 = 10_000;

/// The sizes of the headers before a payload.
const UDP_HEADER: usize = 8;
const IP_HEADERS: [usize; 2] = [20, 40];

/// A place that is not known yet, and one that is not looked for any more.
const UNKNOWN: usize = usize::MAX;
const NONE: usize = usize::MAX - 1;

/// Where a packet has its time, in bytes.
static TIME: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// Where a packet has the pointer to its payload, in words; the length is behind.
static PAYLOAD: AtomicUsize = AtomicUsize::new(UNKNOWN);

/// How many packets were searched for that.
static SEARCHED: AtomicU32 = AtomicU32::new(0);

/// A packet of the host with its flow, while the thread works on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Current {
    flow: *const sys::Flow,
    packet: *const sys::Packet,
}

thread_local! {
    static CURRENT: Cell<Current> =
        const { Cell::new(Current { flow: ptr::null(), packet: ptr::null() }) };
}

/// Finds out where a packet has its time. Without it that of the flow is used, which never
/// goes back.
pub(super) fn prepare() {
    match find_time() {
        Some(place) => TIME.store(place, Ordering::Relaxed),
        None => log::warning(
            "this Suricata keeps the time of a packet at an unknown place: the time of the flow's \
             last packet is used; please report this with the output of suricata --build-info",
        ),
    }
}

fn find_time() -> Option<usize> {
    let value = time_of(0x5_a5a5_a5a5, 0x9_9999);
    let place = layout::find(&value.to_ne_bytes(), |packet| {
        let time = sys::SCTime_t { _bindgen_opaque_blob: value };
        // SAFETY: the function writes the time of a packet and nothing else. The packet lies in
        // the structure, and all its members may be zero.
        unsafe { sys::SCPacketSetTime(packet.cast(), time) };
    });
    place.filter(|offset| offset + size_of::<u64>() <= WORDS * size_of::<u64>())
}

/// The bits of the host's `SCTime_t` that are seconds; the others are microseconds. It is one
/// word with two bit fields, the first of which begins at the word's first bit: the lowest
/// one, or the highest where the first byte of a number is the highest.
const SECONDS: u32 = 44;

/// The word that the host has for a time.
fn time_of(seconds: u64, microseconds: u64) -> u64 {
    if cfg!(target_endian = "little") {
        seconds | microseconds << SECONDS
    } else {
        seconds << (u64::BITS - SECONDS) | microseconds
    }
}

/// Microseconds since the epoch, of the host's word for a time.
fn microseconds(time: u64) -> u64 {
    let (seconds, microseconds) = if cfg!(target_endian = "little") {
        (time & ((1 << SECONDS) - 1), time >> SECONDS)
    } else {
        (time >> (u64::BITS - SECONDS), time & ((1 << (u64::BITS - SECONDS)) - 1))
    };
    seconds.saturating_mul(1_000_000).saturating_add(microseconds)
}

impl Current {
    /// The host hands a packet of a flow to this thread.
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

    /// Its payload; none as long as its place is not known.
    ///
    /// # Safety
    /// The packet is the one that the host has handed to this thread, decoded, and was not
    /// given back.
    #[inline]
    pub(super) unsafe fn payload<'a>(self) -> Option<&'a [u8]> {
        let mut place = PAYLOAD.load(Ordering::Relaxed);
        if place >= WORDS {
            // SAFETY: see the function's contract.
            place = unsafe { self.search() }?;
        }
        // SAFETY: the place was found in a packet of this process, and lies in all.
        let (data, length) = unsafe { self.pair(place) };
        if data.is_null() {
            return Some(&[]);
        }
        // SAFETY: the host sets both when it has decoded the packet, before it looks for
        // its flow, and keeps the packet's bytes while the thread works on it.
        Some(unsafe { core::slice::from_raw_parts(data, usize::from(length)) })
    }

    /// Looks for the place of the payload, and keeps what it finds.
    ///
    /// # Safety
    /// As [`Self::payload`].
    #[cold]
    unsafe fn search(self) -> Option<usize> {
        if PAYLOAD.load(Ordering::Relaxed) == NONE {
            return None;
        }
        if SEARCHED.fetch_add(1, Ordering::Relaxed) >= ATTEMPTS {
            give_up();
            return None;
        }
        // SAFETY: see the function's contract; the words lie in every packet.
        let fits = |place: &usize| unsafe { self.is_payload(*place) };
        let mut places = (0..WORDS - 1).filter(fits);
        let (Some(place), None) = (places.next(), places.next()) else { return None };
        PAYLOAD.store(place, Ordering::Relaxed);
        Some(place)
    }

    /// Whether a word points to the payload: others point to the headers before it, and what
    /// the UDP header says is true of the flow.
    ///
    /// # Safety
    /// As [`Self::payload`]; `place` is below `WORDS - 1`.
    unsafe fn is_payload(self, place: usize) -> bool {
        // SAFETY: see the function's contract.
        let word = |at| unsafe { self.packet.cast::<usize>().add(at).read() };
        let (data, has) = (word(place), |address| (0..WORDS).any(|at| word(at) == address));
        let behind_ip = |ip| data.checked_sub(UDP_HEADER + ip).is_some_and(|it| it != 0 && has(it));
        if data < UDP_HEADER || !has(data - UDP_HEADER) || !IP_HEADERS.into_iter().any(behind_ip) {
            return false;
        }
        // SAFETY: the words before, between and behind are the packet's.
        let (data, length) = unsafe { self.pair(place) };
        // SAFETY: two pointers to headers in a row, of exactly their sizes, are those of the
        // packet: the bytes between them and the payload are its UDP header.
        let header = unsafe { data.sub(UDP_HEADER).cast::<[u8; UDP_HEADER]>().read() };
        let field = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        // SAFETY: the flow is that of the packet, locked by the host.
        let ends = unsafe { Flow::new(self.flow) }.ends();
        let ports = (field(0), field(2));
        (ports == ends || ports == (ends.1, ends.0))
            && usize::from(field(4)) == usize::from(length) + UDP_HEADER
    }

    /// The pointer at a place of the packet, and the 16-bit number behind it.
    ///
    /// # Safety
    /// The packet is the host's, and `place` is below `WORDS`.
    unsafe fn pair(self, place: usize) -> (*const u8, u16) {
        let word = self.packet.cast::<*const u8>().wrapping_add(place);
        // SAFETY: see the function's contract. Padding and parts of other fields may be
        // read, as plain bytes.
        unsafe { (word.read(), word.wrapping_add(1).cast::<u16>().read()) }
    }
}

/// When the packet at hand was captured, if it is one of this flow, in microseconds since
/// the epoch.
///
/// # Safety
/// `flow` is the host's, and the thread works on a packet of it.
pub(super) unsafe fn time(flow: *const sys::Flow) -> Option<u64> {
    let place = TIME.load(Ordering::Relaxed);
    let current = Current::of(flow).filter(|_| place != UNKNOWN)?;
    let time = current.packet.cast::<u64>().wrapping_byte_add(place);
    // SAFETY: the host itself has written a time at this place of a packet.
    Some(microseconds(unsafe { time.read_unaligned() }))
}

/// Compares what the host hands over as payload of the packet at hand with what is read as
/// such.
///
/// # Safety
/// `flow` is the host's, and `data` with `length` is the payload of the packet of it that the
/// thread works on.
pub(super) unsafe fn compare(flow: *const sys::Flow, data: *const u8, length: u32) {
    let place = PAYLOAD.load(Ordering::Relaxed);
    let Some(current) = Current::of(flow).filter(|_| place < WORDS && !data.is_null()) else {
        return;
    };
    // SAFETY: see the function's contract; the place lies in every packet.
    let (own, own_length) = unsafe { current.pair(place) };
    if (own, u32::from(own_length)) != (data, length) {
        give_up();
    }
}

fn give_up() {
    if PAYLOAD.swap(NONE, Ordering::Relaxed) != NONE {
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
    fn the_host_s_word_for_a_time_is_read_as_it_is_written() {
        for (seconds, part) in
            [(0, 0), (1, 999_999), (1_704_067_200, 17), (0x5_a5a5_a5a5, 0x9_9999)]
        {
            assert_eq!(microseconds(time_of(seconds, part)), seconds * 1_000_000 + part);
        }
    }
}
