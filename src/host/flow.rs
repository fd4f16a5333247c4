//! What Suricata knows of a flow.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{layout, log, packet, protocol};
use crate::message::Direction;
use crate::sa::Endpoint;
use crate::sys;

/// `FLOW_TO_SRC_SEEN` and `FLOW_TO_DST_SEEN` of `flow.h`.
const BOTH_SEEN: u32 = 1 << 0 | 1 << 1;

/// `FLOW_IPV4`, `FLOW_IPV6` and `FLOW_DIR_REVERSED` of `flow.h`.
const IPV4: u32 = 1 << 20;
const IPV6: u32 = 1 << 21;
const REVERSED: u32 = 1 << 26;

/// The offsets of a flow's ports and IP protocol, as src/sys/host-headers.h asserts.
const SOURCE_PORT: usize = 32;
const DESTINATION_PORT: usize = 36;
const IP_PROTOCOL: usize = 38;

/// The IP protocol of native ESP.
const ESP: u8 = 50;

/// The offset of a flow's protocol numbers in bytes, or [`NO_PLACE`].
static PROTOCOLS: AtomicUsize = AtomicUsize::new(NO_PLACE);
const NO_PLACE: usize = usize::MAX;

/// Finds the place of a flow's protocol numbers: see [`layout`]. False if there is none.
pub(super) fn find_protocols() -> bool {
    const VALUE: sys::AppProto = 0x5a5a;
    let numbers = VALUE.to_ne_bytes().repeat(3);
    let place = layout::find(&numbers, |flow| {
        // SAFETY: the function reads and writes members of the flow and nothing else. The flow
        // lies in the structure, and all its members may be zero.
        unsafe { sys::SCAppLayerForceProtocolChange(flow.cast(), VALUE) };
    });
    let place = place.filter(|offset| offset.is_multiple_of(align_of::<sys::AppProto>()));
    PROTOCOLS.store(place.unwrap_or(NO_PLACE), Ordering::Relaxed);
    if place.is_none() {
        warn_of_layout();
    }
    place.is_some()
}

fn warn_of_layout() {
    log::warning(
        "this Suricata keeps the protocol of a flow at an unknown place: IKE is found only in \
         flows that begin with it; please report this with the output of suricata --build-info",
    );
}

/// A flow of Suricata, which is locked while a callback runs.
#[derive(Clone, Copy)]
pub(super) struct Flow(*mut sys::Flow);

impl Flow {
    /// # Safety
    /// `flow` is Suricata's, valid, and locked while the value is used.
    pub(super) unsafe fn new(flow: *const sys::Flow) -> Self {
        Self(flow.cast_mut())
    }

    /// Suricata's pointer.
    pub(super) fn as_ptr(self) -> *mut sys::Flow {
        self.0
    }

    /// Whether the flow carries UDP.
    pub(super) fn is_udp(self) -> bool {
        // SAFETY: `new` demands a valid flow, which has its IP protocol at this offset.
        unsafe { self.0.cast_const().cast::<u8>().add(IP_PROTOCOL).read() == protocol::UDP }
    }

    /// Whether the flow is native ESP, which Suricata keeps as one flow for each direction.
    pub(super) fn is_esp(self) -> bool {
        // SAFETY: `new` demands a valid flow, which has its IP protocol at this offset.
        unsafe { self.0.cast_const().cast::<u8>().add(IP_PROTOCOL).read() == ESP }
    }

    /// The SPI of a flow of native ESP. It stands in the place of the source port.
    pub(super) fn esp_spi(self) -> u32 {
        // SAFETY: `new` demands a valid flow. In a flow of ESP, the SPI is at this aligned offset.
        unsafe { self.0.cast_const().cast::<u32>().byte_add(SOURCE_PORT).read() }
    }

    /// The client's and the server's port.
    pub(super) fn ports(self) -> (u16, u16) {
        let (first, last) = self.unordered_ports();
        // A reversed flow keeps its ports where they were.
        if self.is_reversed() {
            (last, first)
        } else {
            (first, last)
        }
    }

    /// Both ports, in the order in which Suricata keeps them.
    pub(super) fn unordered_ports(self) -> (u16, u16) {
        let port = |offset| {
            // SAFETY: `new` demands a valid flow, which has a port at this even offset.
            unsafe { self.0.cast_const().cast::<u16>().byte_add(offset).read() }
        };
        (port(SOURCE_PORT), port(DESTINATION_PORT))
    }

    /// Whether one of the ports is this one.
    pub(super) fn has_port(self, port: u16) -> bool {
        let (first, last) = self.unordered_ports();
        first == port || last == port
    }

    /// The numbers of the flow's protocol: overall, to the server, to the client. None if their
    /// place is not known.
    pub(super) fn protocols(self) -> Option<[sys::AppProto; 3]> {
        let offset = PROTOCOLS.load(Ordering::Relaxed);
        if offset == NO_PLACE {
            return None;
        }
        // SAFETY: `new` demands a valid flow. Suricata itself wrote three such numbers at this
        // offset of a flow, and the offset is aligned.
        Some(unsafe { self.0.cast_const().cast::<[sys::AppProto; 3]>().byte_add(offset).read() })
    }

    /// Compares the flow's protocol with what it must be here. If it differs, the place of the
    /// protocol numbers is wrong and is not used any more.
    pub(super) fn check_protocol(self, number: sys::AppProto) {
        let is_wrong = self.protocols().is_some_and(|[overall, ..]| overall != number);
        if is_wrong && PROTOCOLS.swap(NO_PLACE, Ordering::Relaxed) != NO_PLACE {
            warn_of_layout();
        }
    }

    /// Makes Suricata skip this packet of the flow, and those that follow.
    pub(super) fn bypass(self) {
        self.set_state(sys::FLOW_STATE_LOCAL_BYPASSED);
    }

    /// Ends the bypass. The flow has the state again that Suricata gives it by the directions that it
    /// has seen.
    pub(super) fn end_bypass(self) {
        let is_established = self.flags() & BOTH_SEEN == BOTH_SEEN;
        self.set_state(match is_established {
            true => sys::FLOW_STATE_ESTABLISHED,
            false => sys::FLOW_STATE_NEW,
        });
    }

    fn set_state(self, state: sys::FlowState) {
        // SAFETY: `new` demands a valid, locked flow, which is in Suricata's table.
        unsafe { sys::FlowUpdateState(self.0, state) };
    }

    fn is_reversed(self) -> bool {
        self.flags() & REVERSED != 0
    }

    fn flags(self) -> u32 {
        // SAFETY: `new` demands a valid flow.
        unsafe { sys::FlowGetFlags(self.0) }
    }

    /// The capture time of the packet at hand, in microseconds since the epoch. If the place of the
    /// time in a packet is not known, the time of the flow's last packet, which never goes back.
    pub(super) fn time(self) -> u64 {
        // SAFETY: `new` demands a valid flow, and a callback runs for a packet of the flow.
        if let Some(time) = unsafe { packet::time(self.0) } {
            return time;
        }
        let (mut seconds, mut microseconds) = (0, 0);
        // SAFETY: `new` demands a valid flow, and both places are valid for writing.
        unsafe { sys::FlowGetLastTimeAsParts(self.0, &mut seconds, &mut microseconds) };
        seconds.saturating_mul(1_000_000).saturating_add(microseconds)
    }

    /// The source and the destination of a packet in this direction; none for a flow without IP
    /// addresses.
    pub(super) fn endpoints(self, direction: Direction) -> Option<(Endpoint, Endpoint)> {
        let (client_port, server_port) = self.ports();
        let (client, server) = self.addresses()?;
        let client = Endpoint { address: client, port: client_port };
        let server = Endpoint { address: server, port: server_port };
        Some(match direction {
            Direction::ToServer => (client, server),
            Direction::ToClient => (server, client),
        })
    }

    /// The client's and the server's address. Suricata 8.0 has no function for them. They are the
    /// first two members of a flow, each of 16 bytes in network order, as src/sys/host-headers.h
    /// asserts. Cases of tests/verify compare them with the addresses of packets.
    pub(super) fn addresses(self) -> Option<(IpAddr, IpAddr)> {
        // SAFETY: `new` demands a valid flow, which begins with these members.
        let members = unsafe { *self.0.cast_const().cast::<[[u8; 16]; 2]>() };
        let flags = self.flags();
        let [source, destination] = match flags & (IPV4 | IPV6) {
            IPV4 => members
                .map(|bytes| IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))),
            IPV6 => members.map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
            _ => return None,
        };
        // A reversed flow keeps its addresses where they were.
        Some(if flags & REVERSED == 0 { (source, destination) } else { (destination, source) })
    }
}
