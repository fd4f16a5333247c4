//! What the host tells of a flow.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{layout, log, packet, protocol};
use crate::message::Direction;
use crate::sa::Endpoint;
use crate::sys;

/// `FLOW_IPV4`, `FLOW_IPV6` and `FLOW_DIR_REVERSED` of `flow.h`.
const IPV4: u32 = 1 << 20;
const IPV6: u32 = 1 << 21;
const REVERSED: u32 = 1 << 26;

/// Where a flow's ports and its IP protocol are, as `src/sys/host-headers.h` asserts.
const SOURCE_PORT: usize = 32;
const DESTINATION_PORT: usize = 36;
const IP_PROTOCOL: usize = 38;

/// The offset of a flow's protocol numbers in bytes, or [`NO_PLACE`].
static PROTOCOLS: AtomicUsize = AtomicUsize::new(NO_PLACE);
const NO_PLACE: usize = usize::MAX;

/// Finds the place of a flow's protocol numbers: see [`layout`]. False if there is none.
pub(super) fn prepare() -> bool {
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

/// A flow of the host, locked while a callback runs.
#[derive(Clone, Copy)]
pub(super) struct Flow(*mut sys::Flow);

impl Flow {
    /// # Safety
    /// `flow` is the host's, valid and locked while the value is used.
    pub(super) unsafe fn new(flow: *const sys::Flow) -> Self {
        Self(flow.cast_mut())
    }

    /// The host's pointer.
    pub(super) fn as_ptr(self) -> *mut sys::Flow {
        self.0
    }

    /// Whether it carries UDP.
    pub(super) fn is_udp(self) -> bool {
        // SAFETY: see `new`.
        unsafe { self.0.cast_const().cast::<u8>().add(IP_PROTOCOL).read() == protocol::UDP }
    }

    /// The client's and the server's port.
    pub(super) fn ports(self) -> (u16, u16) {
        let (first, last) = self.ends();
        // A flow that was turned round keeps its ports where they were.
        if self.is_reversed() {
            (last, first)
        } else {
            (first, last)
        }
    }

    /// The ports of both ends, in the order in which the host keeps them.
    pub(super) fn ends(self) -> (u16, u16) {
        let port = |offset| {
            // SAFETY: see `new`.
            unsafe { self.0.cast_const().cast::<u16>().byte_add(offset).read() }
        };
        (port(SOURCE_PORT), port(DESTINATION_PORT))
    }

    /// The numbers of the flow's protocol: overall, to the server, to the client; none where
    /// their place is not known.
    pub(super) fn protocols(self) -> Option<[sys::AppProto; 3]> {
        let offset = PROTOCOLS.load(Ordering::Relaxed);
        if offset == NO_PLACE {
            return None;
        }
        // SAFETY: see `new`. Suricata itself wrote three such numbers at this place of a flow, and
        // the place is aligned.
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

    fn is_reversed(self) -> bool {
        self.flags() & REVERSED != 0
    }

    fn flags(self) -> u32 {
        // SAFETY: see `new`.
        unsafe { sys::FlowGetFlags(self.0) }
    }
    /// When the packet at hand was captured, in microseconds since the epoch. If that cannot
    /// be told, when the flow's last packet was, which never goes back.
    pub(super) fn time(self) -> u64 {
        // SAFETY: see `new`; a callback runs for a packet of the flow.
        if let Some(time) = unsafe { packet::time(self.0) } {
            return time;
        }
        let (mut seconds, mut microseconds) = (0, 0);
        // SAFETY: see `new`; both places are valid for writing.
        unsafe { sys::FlowGetLastTimeAsParts(self.0, &mut seconds, &mut microseconds) };
        seconds.saturating_mul(1_000_000).saturating_add(microseconds)
    }

    /// Where a packet in this direction comes from and goes to; none for a flow
    /// without IP addresses.
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

    /// The client's and the server's address. 8.0 has no function for them; they
    /// are the first two members of a flow in its `flow.h`, 16 bytes each in network
    /// order, which `src/sys/host-headers.h` asserts; cases of `tests/verify` hold what
    /// comes out against the packets'.
    fn addresses(self) -> Option<(IpAddr, IpAddr)> {
        // SAFETY: see `new`.
        let members = unsafe { *self.0.cast_const().cast::<[[u8; 16]; 2]>() };
        let flags = self.flags();
        let [source, destination] = match flags & (IPV4 | IPV6) {
            IPV4 => members
                .map(|bytes| IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))),
            IPV6 => members.map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
            _ => return None,
        };
        // A flow that was turned round keeps its addresses where they were.
        Some(if flags & REVERSED == 0 { (source, destination) } else { (destination, source) })
    }
}
