//! What is kept for a flow that may be IKE's, in a flow storage of Suricata.

use core::ffi::{c_uint, c_void};
use core::mem::size_of;
use std::sync::atomic::{AtomicI32, Ordering};

use super::esp::EspPacket;
use super::is_marked_ikev1;
use crate::host::bypass::Bypass;
use crate::host::flow::Flow;
use crate::host::guard::guard;
use crate::sys;

/// The largest number of packets in a row that have a new SPI each, in a flow of IKE between ports
/// that are not IKE's.
const MAX_NEW_SPIS: u8 = 4;

/// What is known of a flow that may be IKE's.
#[derive(Debug, Default)]
pub(super) struct Candidate {
    /// The last ESP packet of each of two SPIs.
    last: [Option<EspPacket>; 2],
    /// Whether ESP has made the flow one of `ikev2`, and no message of IKEv2 was seen since.
    pub(super) esp_only: bool,
    /// Whether a message of IKEv1 was seen. The flow's ESP then belongs to IKEv1.
    pub(super) ikev1: bool,
    /// Whether the flow was taken over from another parser. Its direction then stays.
    pub(super) taken_over: bool,
    /// What is kept of a flow whose ESP packets may be bypassed.
    pub(super) bypass: Option<Box<Bypass>>,
    /// The number of ESP packets in a row that had a new SPI each.
    new_spis: u8,
}

impl Candidate {
    /// Keeps an ESP packet. True if it follows another one of the same SA.
    fn observe(&mut self, packet: EspPacket) -> bool {
        let same_spi = |last: &Option<EspPacket>| last.is_some_and(|last| last.spi == packet.spi);
        let place = self.last.iter().position(same_spi).unwrap_or_else(|| {
            self.last.swap(0, 1);
            0
        });
        let before = self.last[place].replace(packet);
        before.is_some_and(|before| before.is_followed_by(&packet))
    }

    /// Whether an ESP packet belongs to the flow: it has a known SPI and a sequence number near the
    /// last one, in any order. Each rekeying brings new SPIs, but not many at once.
    pub(super) fn belongs(&mut self, packet: EspPacket) -> bool {
        let last = self.last.iter().flatten().find(|last| last.spi == packet.spi);
        let is_near = last.map(|last| last.is_near(&packet));
        self.observe(packet);
        self.new_spis = if is_near.is_none() { self.new_spis.saturating_add(1) } else { 0 };
        is_near.unwrap_or(self.new_spis <= MAX_NEW_SPIS)
    }

    /// Whether the flow is one of ESP without IKEv1 by now. `data` is a datagram on port 4500 that
    /// is no message of IKEv2.
    pub(super) fn is_esp_only_with(&mut self, data: &[u8]) -> bool {
        self.ikev1 |= is_marked_ikev1(data);
        if self.ikev1 {
            return false;
        }
        self.esp_only |= EspPacket::parse(data).is_some_and(|packet| self.observe(packet));
        self.esp_only
    }
}

/// The number of the flow storage; negative if there is none.
static STORAGE: AtomicI32 = AtomicI32::new(NO_STORAGE);
const NO_STORAGE: i32 = -1;

fn storage() -> Option<sys::FlowStorageId> {
    let id = STORAGE.load(Ordering::Relaxed);
    (id >= 0).then_some(sys::FlowStorageId { id })
}

/// Registers the flow storage and returns its number. None if Suricata refuses: then another copy
/// of the plugin has registered it.
pub(super) fn register_storage() -> Option<i32> {
    // SAFETY: the name is static. Storage of the size of a pointer needs no function to allocate.
    let storage = unsafe {
        sys::FlowStorageRegister(
            c"ikev2-candidate".as_ptr(),
            size_of::<*mut c_void>() as c_uint,
            None,
            Some(free_candidate),
        )
    };
    (storage.id >= 0).then_some(storage.id)
}

/// Uses the storage from now on. Without this call no flow has a candidate.
pub(super) fn use_storage(id: i32) {
    STORAGE.store(id, Ordering::Relaxed);
}

/// What is known of a flow; none if nothing was kept.
pub(super) fn candidate<'a>(flow: Flow) -> Option<&'a mut Candidate> {
    let storage = storage()?;
    // SAFETY: the storage has null or a pointer that `candidate_or_new` made. The flow's lock
    // makes this the only reference.
    unsafe { sys::FlowGetStorageById(flow.as_ptr(), storage).cast::<Candidate>().as_mut() }
}

/// What is known of a flow, which is kept from now on; none without a storage.
pub(super) fn candidate_or_new<'a>(flow: Flow) -> Option<&'a mut Candidate> {
    let storage = storage()?;
    if candidate(flow).is_none() {
        let new = Box::into_raw(Box::<Candidate>::default());
        // SAFETY: the flow is locked, and its storage is empty. Suricata gives the pointer to
        // `free_candidate` when the flow ends.
        unsafe { sys::FlowSetStorageById(flow.as_ptr(), storage, new.cast()) };
    }
    candidate(flow)
}

unsafe extern "C" fn free_candidate(candidate: *mut c_void) {
    guard((), || {
        if !candidate.is_null() {
            // SAFETY: `candidate_or_new` made the pointer, and Suricata frees it once.
            let candidate = unsafe { Box::from_raw(candidate.cast::<Candidate>()) };
            if let Some(bypass) = candidate.bypass {
                bypass.finish();
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::esp::tests::packet;
    use super::*;

    fn is_esp_only(packets: &[Vec<u8>]) -> bool {
        let mut candidate = Candidate::default();
        packets.iter().any(|packet| candidate.is_esp_only_with(packet))
    }

    /// The same for packets with these SPIs and sequence numbers.
    fn is_esp_only_of(packets: &[(u32, u32)]) -> bool {
        let packets: Vec<_> = packets.iter().map(|(spi, number)| packet(*spi, *number)).collect();
        is_esp_only(&packets)
    }

    #[test]
    fn two_packets_of_one_sa_are_esp() {
        assert!(is_esp_only_of(&[(0xc001_0203, 7_000_000), (0xc001_0203, 7_000_003)]));
        assert!(is_esp_only_of(&[(0x0100, u32::MAX), (9999, 4), (0x0100, 1)]));
    }

    #[test]
    fn one_packet_or_two_unlike_ones_are_not() {
        assert!(!is_esp_only_of(&[(0xc001_0203, 7)]));
        assert!(!is_esp_only_of(&[(0xc001_0203, 7), (0xc001_0204, 8)]));
        assert!(!is_esp_only_of(&[(0xc001_0203, 7), (0xc001_0203, 7)]));
        assert!(!is_esp_only_of(&[(0xc001_0203, 8), (0xc001_0203, 7)]));
        assert!(!is_esp_only_of(&[(0xc001_0203, 7), (0xc001_0203, 50_000)]));
        assert!(!is_esp_only_of(&[(255, 7), (255, 8)]));
    }

    #[test]
    fn a_constant_and_a_counter_are_not_esp() {
        let counted = |fill: &[u8]| {
            let datagram = |n: u32| {
                let mut data = [&0x0a0b_0c0d_u32.to_be_bytes()[..], &n.to_be_bytes()].concat();
                data.extend(fill.iter().cycle().take(92));
                data
            };
            is_esp_only(&(1..100).map(datagram).collect::<Vec<_>>())
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
        let mut belongs =
            |data: &[u8]| EspPacket::parse(data).is_some_and(|it| candidate.belongs(it));
        for sequence in [5, 6, 9, 8, 8, 7, 2000] {
            assert!(belongs(&packet(1000, sequence)), "{sequence}");
            assert!(belongs(&packet(2000, sequence)), "{sequence}");
        }
        assert!(!belongs(&packet(1000, 50_000)));
        let others = (0..100).filter(|id| belongs(&packet(1 << 20 | id << 16, 0x0100_0001)));
        assert!(others.count() <= MAX_NEW_SPIS.into());
        assert!(!belongs(
            b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01"
        ));
    }

    #[test]
    fn esp_behind_a_message_of_ikev1_is_not_ours() {
        let mut ikev1 = vec![0; 4 + 28];
        (ikev1[4], ikev1[4 + 17]) = (1, 0x10);
        let esp = [packet(1000, 5), packet(1000, 6)];
        assert!(is_esp_only(&esp));
        assert!(!is_esp_only(&[vec![ikev1], esp.to_vec()].concat()));
    }
}
