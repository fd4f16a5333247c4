//! IKE in flows that are not its own yet, and what is not IKE in flows that are.
//!
//! Suricata offers a UDP flow for detection once in each direction, and a flow that a parser
//! has is never offered again. So one datagram of another protocol, which anybody may send,
//! would hide all messages behind it; and honest gateways speak IKEv1 and IKEv2 between the
//! same two ports. The update callback runs for each packet before detection. There
//!
//! - a message of IKEv2 starts detection over in a flow that nobody has, and takes a flow over
//!   from another parser: the host's own function frees that parser's state before ours is
//!   made;
//! - a gateway's NAT traversal flow that begins with ESP becomes ours when two packets show
//!   that it is ESP: the same SPI, a sequence number that has grown a little, and bytes that
//!   look encrypted. A constant and a counter alone are no proof;
//! - a flow that is ours is given back when a datagram is another's: on port 500 with a message
//!   of IKEv1, on 4500 with one where only ESP was seen before, and between other ports with
//!   anything that is neither IKE nor ESP.
//!
//! That needs the packet's payload: see [`super::packet`]. Where it cannot be read, a flow is
//! ours only if its first datagram is a message.

use core::ffi::{c_uint, c_void};
use core::mem::size_of;
use core::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use super::flow::{self, Flow};
use super::guard::guard;
use super::packet::{self, Current};
use super::{detection, log, protocol};
use crate::sys;
use crate::wire::datagram::NON_ESP_MARKER;
use crate::wire::Header;

/// How far a sequence number may have grown between two datagrams seen in one direction.
const LARGEST_STEP: u32 = 4096;

/// SPIs below are reserved (RFC 4303, 2.1).
const LOWEST_SPI: u32 = 256;

/// The smallest ESP packet: header, IV or padding, checksum; all of 4-byte units.
const SMALLEST_ESP: usize = 24;

/// The number of the flow storage; negative when there is none.
static STORAGE: AtomicI32 = AtomicI32::new(-1);

/// How many new SPIs in a row a flow of IKE between other ports may have.
const MOST_STRANGERS: u8 = 4;

/// How many bytes at the end of an ESP packet are its checksum and what is encrypted before.
const TAIL: usize = 16;

/// What two packets are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Esp {
    spi: u32,
    sequence: u32,
    tail: [u8; TAIL],
}

impl Esp {
    /// Reads a packet that has the form of ESP and ends with bytes that look encrypted.
    fn of(data: &[u8]) -> Option<Self> {
        let (spi, rest) = data.split_first_chunk()?;
        let (sequence, _) = rest.split_first_chunk()?;
        let packet = Self {
            spi: u32::from_be_bytes(*spi),
            sequence: u32::from_be_bytes(*sequence),
            tail: *data.last_chunk()?,
        };
        let has_form =
            packet.spi >= LOWEST_SPI && data.len() >= SMALLEST_ESP && data.len().is_multiple_of(4);
        (has_form && looks_encrypted(&packet.tail)).then_some(packet)
    }

    /// Whether `next` is a later packet of the same SA, encrypted anew.
    fn is_followed_by(&self, next: &Self) -> bool {
        let step = next.sequence.wrapping_sub(self.sequence);
        let same = self.tail.iter().zip(next.tail).filter(|(one, other)| **one == *other).count();
        next.spi == self.spi && (1..=LARGEST_STEP).contains(&step) && same <= TAIL / 4
    }
}

/// Whether bytes may be encrypted: hardly one comes twice, and they are no text. Of 100
/// encrypted tails one or two fail.
fn looks_encrypted(bytes: &[u8; TAIL]) -> bool {
    let mut sorted = *bytes;
    sorted.sort_unstable();
    let repeated = sorted.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let text = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~')).count();
    repeated <= 2 && text <= TAIL - 4
}

/// What is remembered of a flow that may be, or may not be, IKE's.
#[derive(Debug, Default)]
struct Candidate {
    /// The last packets that may be ESP, of two SPIs.
    last: [Option<Esp>; 2],
    /// Whether its ESP has made it ours, and no message of IKEv2 was seen since.
    esp_only: bool,
    /// Whether a message of IKEv1 was seen: the flow's ESP is then not IKEv2's.
    ikev1: bool,
    /// Whether it was taken over, so that its direction stands.
    taken_over: bool,
    /// Packets in a row that may be ESP, each of an SPI that was not seen before.
    strangers: u8,
}

impl Candidate {
    /// Takes a packet in; true when it follows another one of the same SA.
    fn observe(&mut self, packet: Esp) -> bool {
        let same_spi = |last: &Option<Esp>| last.is_some_and(|last| last.spi == packet.spi);
        let place = self.last.iter().position(same_spi).unwrap_or_else(|| {
            self.last.swap(0, 1);
            0
        });
        let before = self.last[place].replace(packet);
        before.is_some_and(|before| before.is_followed_by(&packet))
    }

    /// Whether a packet that may be ESP belongs to what came before: an SPI that was seen, and a
    /// sequence number near the last, whatever overtook it. New SPIs come with each rekeying,
    /// but not many at once.
    fn belongs(&mut self, packet: Esp) -> bool {
        let of_spi = self.last.iter().flatten().find(|last| last.spi == packet.spi);
        let near = of_spi.map(|last| last.sequence.abs_diff(packet.sequence) <= LARGEST_STEP);
        self.observe(packet);
        self.strangers = if near.is_none() { self.strangers.saturating_add(1) } else { 0 };
        near.unwrap_or(self.strangers <= MOST_STRANGERS)
    }

    /// Whether a datagram on port 4500 that is no message makes the flow ours.
    fn is_esp(&mut self, data: &[u8]) -> bool {
        self.ikev1 |= is_marked_ikev1(data);
        if self.ikev1 {
            return false;
        }
        self.esp_only |= Esp::of(data).is_some_and(|packet| self.observe(packet));
        self.esp_only
    }
}

/// Registers flow storage and the callback. Without the callback such flows are missed, and
/// everything else works. False if the host refuses the storage: then another copy of the
/// plugin has it.
pub(super) fn prepare() -> bool {
    packet::prepare();
    let can_follow = flow::prepare();
    // SAFETY: the name is static; a pointer's size needs no allocation function.
    let storage = unsafe {
        sys::FlowStorageRegister(
            c"ikev2-candidate".as_ptr(),
            size_of::<*mut c_void>() as c_uint,
            None,
            Some(free_candidate),
        )
    };
    if storage.id < 0 {
        return false;
    }
    // Where nothing can be followed nothing is stored.
    if !can_follow {
        return true;
    }
    // SAFETY: the callback has the host's form and needs no user data.
    if unsafe { sys::SCFlowRegisterUpdateCallback(Some(on_packet), ptr::null_mut()) } {
        STORAGE.store(storage.id, Ordering::Relaxed);
    } else {
        log::warning(
            "Suricata did not accept a callback for packets: IKE is found only in flows that begin \
             with it",
        );
    }
    true
}

fn storage() -> sys::FlowStorageId {
    sys::FlowStorageId { id: STORAGE.load(Ordering::Relaxed) }
}

/// Whether ESP has made the flow ours.
pub(super) fn is_esp_only(flow: Flow) -> bool {
    candidate(flow).is_some_and(|candidate| candidate.esp_only)
}

/// Whether the flow is new to the host, or nobody's, so that a message may turn it round.
pub(super) fn may_turn(flow: Flow) -> bool {
    let is_unclaimed =
        flow.protocols().is_some_and(|all| !all.into_iter().any(protocol::has_parser));
    is_unclaimed && !candidate(flow).is_some_and(|candidate| candidate.taken_over)
}

/// The parser has the first message of IKEv2 in a flow, which is not one of ESP alone any more.
pub(super) fn has_message(flow: Flow) {
    // Suricata calls the parser of the protocol that the flow has.
    flow.check_protocol(protocol::number());
    if let Some(candidate) = candidate(flow) {
        candidate.esp_only = false;
    }
}

/// A non-ESP marker and a header with major version 1.
fn is_marked_ikev1(data: &[u8]) -> bool {
    let message = data.strip_prefix(&NON_ESP_MARKER);
    let header = message.and_then(|message| Header::parse(message).ok());
    header.is_some_and(|header| header.version.major() == 1)
}

fn candidate<'a>(flow: Flow) -> Option<&'a mut Candidate> {
    if storage().id < 0 {
        return None;
    }
    // SAFETY: the storage holds null or a pointer that `candidate_or_new` made, and the
    // flow's lock makes this the only reference.
    unsafe { sys::FlowGetStorageById(flow.as_ptr(), storage()).cast::<Candidate>().as_mut() }
}

fn candidate_or_new<'a>(flow: Flow) -> Option<&'a mut Candidate> {
    if storage().id < 0 {
        return None;
    }
    // SAFETY: as in `candidate`; the host frees the pointer through `free_candidate`.
    unsafe {
        if sys::FlowGetStorageById(flow.as_ptr(), storage()).is_null() {
            let new = Box::into_raw(Box::<Candidate>::default());
            sys::FlowSetStorageById(flow.as_ptr(), storage(), new.cast());
        }
    }
    candidate(flow)
}

unsafe extern "C" fn free_candidate(candidate: *mut c_void) {
    guard((), || {
        if !candidate.is_null() {
            // SAFETY: made by `candidate_or_new`, freed once.
            drop(unsafe { Box::from_raw(candidate.cast::<Candidate>()) });
        }
    });
}

/// Runs for each packet of each flow, before detection: it has to be short.
unsafe extern "C" fn on_packet(
    _thread: *mut sys::ThreadVars,
    flow: *mut sys::Flow,
    packet: *mut sys::Packet,
    _user: *mut c_void,
) {
    guard((), || {
        // SAFETY: the host passes a locked flow.
        let flow = unsafe { Flow::new(flow) };
        if !flow.is_udp() {
            return;
        }
        let current = Current::enter(flow.as_ptr(), packet);
        let Some([number, ..]) = flow.protocols() else { return };
        // SAFETY: the host has just called for this packet, which it has decoded.
        let Some(data) = (unsafe { current.payload() }) else { return };
        if number == protocol::number() {
            give_back(flow, data);
        } else {
            look(flow, number, data);
        }
    });
}

/// A datagram in a flow that is not ours.
fn look(flow: Flow, number: sys::AppProto, data: &[u8]) {
    let (first, last) = flow.ends();
    if detection::find(flow, data).is_some() {
        // A new flow is offered to all parsers anyway.
        if number != protocol::UNKNOWN {
            take_over(flow, number);
        }
    } else if !protocol::has_parser(number)
        && (first == 4500 || last == 4500)
        && candidate_or_new(flow).is_some_and(|candidate| candidate.is_esp(data))
    {
        restart(flow);
    }
}

/// Starts detection over with the packet at hand, in a flow that nobody has or another parser.
fn take_over(flow: Flow, number: sys::AppProto) {
    if protocol::has_parser(number) {
        if let Some(candidate) = candidate_or_new(flow) {
            candidate.taken_over = true;
        }
    }
    restart(flow);
}

/// Gives a flow of ours back that turns out to be another's.
fn give_back(flow: Flow, data: &[u8]) {
    let (first, last) = flow.ends();
    let has_port = |port| first == port || last == port;
    if has_port(4500) {
        // By far most packets are ESP.
        if is_marked_ikev1(data) {
            give_back_ikev1(flow);
        }
    } else if has_port(500) {
        if is_ikev1(data) {
            restart(flow);
        }
    } else if !belongs_elsewhere(flow, data) {
        restart(flow);
    }
}

/// Whether a datagram on port 500 is a message of IKEv1, which gateways may speak beside
/// IKEv2 between the same two ports: it is for the parser `ike`, as the next message of IKEv2
/// is for ours.
fn is_ikev1(data: &[u8]) -> bool {
    const VERSION: usize = 17;
    /// The exchanges of RFC 2408 and RFC 2409, and Mode Config.
    const EXCHANGES: [u8; 7] = [1, 2, 4, 5, 6, 32, 33];
    /// Encryption, Commit and Authentication Only (RFC 2408, 3.1).
    const FLAGS: u8 = 0x07;
    if data.get(VERSION).is_none_or(|version| version >> 4 != 1) {
        return false;
    }
    Header::parse(data).is_ok_and(|header| {
        EXCHANGES.contains(&header.exchange_type.0)
            && header.flags.0 & !FLAGS == 0
            && header.init_spi != [0; 8]
            && usize::try_from(header.length) == Ok(data.len())
    })
}

/// IKEv1 in a flow of which only ESP was seen: it is that of IKEv1.
#[cold]
fn give_back_ikev1(flow: Flow) {
    if let Some(candidate) = candidate(flow).filter(|candidate| candidate.esp_only) {
        candidate.ikev1 = true;
        candidate.esp_only = false;
        restart(flow);
    }
}

/// Whether a datagram belongs to a flow of IKE between ports that are not IKE's: a message, a
/// damaged one, a keepalive, or ESP.
fn belongs_elsewhere(flow: Flow, data: &[u8]) -> bool {
    if data.len() <= 1 || detection::find_here(flow, data).is_some() {
        return true;
    }
    let Some(packet) = Esp::of(data) else { return false };
    candidate_or_new(flow).is_none_or(|candidate| candidate.belongs(packet))
}

/// Ends what the host has of the flow's protocol, and lets it detect again with the packet at
/// hand.
fn restart(flow: Flow) {
    // SAFETY: the host passes a locked flow to the callback, before the packet's application
    // layer data is parsed and inspected, so nobody uses the parser's state. The host's own
    // function frees it, by the protocol that the flow still has, and clears the pointers; only
    // then is the protocol forgotten. A flow that nobody has has no state.
    unsafe {
        sys::FlowCleanupAppLayer(flow.as_ptr());
        sys::AppLayerProtoDetectReset(flow.as_ptr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet whose bytes look encrypted.
    fn packet(spi: u32, sequence: u32) -> Vec<u8> {
        let mut data = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        let mut noise = u64::from(spi) << 32 | u64::from(sequence) | 1;
        data.resize_with(100, || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise as u8
        });
        data
    }

    fn certain(packets: &[Vec<u8>]) -> bool {
        let mut candidate = Candidate::default();
        packets.iter().any(|packet| candidate.is_esp(packet))
    }

    fn certain_numbers(packets: &[(u32, u32)]) -> bool {
        certain(&packets.iter().map(|(spi, sequence)| packet(*spi, *sequence)).collect::<Vec<_>>())
    }

    #[test]
    fn two_packets_of_one_sa_are_certain() {
        assert!(certain_numbers(&[(0xc001_0203, 7_000_000), (0xc001_0203, 7_000_003)]));
        assert!(certain_numbers(&[(0x0100, u32::MAX), (9999, 4), (0x0100, 1)]));
    }

    #[test]
    fn one_packet_or_two_unlike_ones_are_not() {
        assert!(!certain_numbers(&[(0xc001_0203, 7)]));
        assert!(!certain_numbers(&[(0xc001_0203, 7), (0xc001_0204, 8)]));
        assert!(!certain_numbers(&[(0xc001_0203, 7), (0xc001_0203, 7)]));
        assert!(!certain_numbers(&[(0xc001_0203, 8), (0xc001_0203, 7)]));
        assert!(!certain_numbers(&[(0xc001_0203, 7), (0xc001_0203, 50_000)]));
        assert!(!certain_numbers(&[(255, 7), (255, 8)]));
    }

    #[test]
    fn a_constant_and_a_counter_are_not_esp() {
        let counted = |fill: &[u8]| {
            let datagram = |n: u32| {
                let mut data = [&0x0a0b_0c0d_u32.to_be_bytes()[..], &n.to_be_bytes()].concat();
                data.extend(fill.iter().cycle().take(92));
                data
            };
            certain(&(1..100).map(datagram).collect::<Vec<_>>())
        };
        assert!(!counted(&[0]));
        assert!(!counted(&[0x5a]));
        assert!(!counted(b"status=ok;load=0.12;users=5 "));
        assert!(!counted(&(0..=255).collect::<Vec<_>>()));
        assert!(!counted(&packet(1000, 5)[8..]));
    }

    #[test]
    fn esp_belongs_to_its_sa_in_any_order_and_other_data_does_not() {
        let mut candidate = Candidate::default();
        let mut belongs = |data: &[u8]| Esp::of(data).is_some_and(|it| candidate.belongs(it));
        for sequence in [5, 6, 9, 8, 8, 7, 2000] {
            assert!(belongs(&packet(1000, sequence)), "{sequence}");
            assert!(belongs(&packet(2000, sequence)), "{sequence}");
        }
        assert!(!belongs(&packet(1000, 50_000)));
        let others = (0..100).filter(|id| belongs(&packet(1 << 20 | id << 16, 0x0100_0001)));
        assert!(others.count() <= MOST_STRANGERS.into());
        assert!(!belongs(
            b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01"
        ));
    }

    #[test]
    fn esp_behind_a_message_of_ikev1_is_not_ours() {
        let mut ikev1 = vec![0; 4 + 28];
        (ikev1[4], ikev1[4 + 17]) = (1, 0x10);
        let esp = [packet(1000, 5), packet(1000, 6)];
        assert!(certain(&esp));
        assert!(!certain(&[vec![ikev1], esp.to_vec()].concat()));
    }

    #[test]
    fn only_sound_messages_of_ikev1_are_given_back() {
        let mut ikev1 = vec![7; 8];
        ikev1.extend([0; 8]);
        ikev1.extend([1, 0x10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 40]);
        ikev1.extend([0; 12]);
        assert!(is_ikev1(&ikev1));
        for (offset, value) in [(17, 0x20), (18, 34), (19, 0x08), (27, 41)] {
            let mut other = ikev1.clone();
            other[offset] = value;
            assert!(!is_ikev1(&other), "{offset}");
        }
        assert!(!is_ikev1(&ikev1[..39]) && !is_ikev1(&ikev1[..17]));
    }

    #[test]
    fn encrypted_bytes_seldom_look_otherwise() {
        let tails = (0..100_000).map(|n| packet(n ^ 0x5bd1_e995, n.wrapping_mul(2_654_435_761)));
        let refused = tails.filter(|it| !looks_encrypted(it.last_chunk().unwrap())).count();
        assert!(refused < 2_000, "{refused}");
    }
}
