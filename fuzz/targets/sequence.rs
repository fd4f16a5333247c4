//! Datagrams of several flows, in both directions and with times, through the tracking
//! of IKE SAs, whose limits hold whatever comes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::pipeline::{CapturedPacket, Engines, FlowContext};
use suricata_ikev2::sa::{fragment, Limits, SaTable, SaView};
use suricata_ikev2_fuzz::step::{direction, endpoints};
use suricata_ikev2_fuzz::{invariants, memory};
use testkit::input::{self, Step, FLOWS};

/// What a table takes before the first SA, about, and room for some sixty SAs.
const MEMCAP: u64 = (336 << 10) + (32 << 10);

/// What the allocator may have beyond what is counted: a quarter, and the queues'
/// first blocks.
const UNCOUNTED: usize = 16 << 10;

/// 2023-11-14 22:13:20 UTC, in microseconds.
const BEGIN: u64 = 1_700_000_000_000_000;

struct Run {
    table: SaTable,
    flows: [FlowContext; FLOWS.len()],
    time: u64,
    sent: u32,
    before: usize,
}

fuzz_target!(|data: &[u8]| {
    let before = memory::live();
    let limits = Limits { memcap: MEMCAP, ..Limits::default() };
    let flow = |place: usize| {
        let flow = &FLOWS[place];
        FlowContext::between(flow.client_port, flow.server_port).carrying_ike()
    };
    let flows = [flow(0), flow(1), flow(2), flow(3)];
    let mut run = Run { table: SaTable::new(limits), flows, time: BEGIN, sent: 0, before };
    assert!(run.table.counters().memuse < MEMCAP);
    for step in input::steps(data) {
        run.play(&step);
    }
});

impl Run {
    fn play(&mut self, step: &Step<'_>) {
        self.time = self.time.saturating_add_signed(step.pause);
        if step.times == 1 {
            return self.send(step, step.data);
        }
        let mut data = step.data.to_vec();
        for number in 0..step.times {
            // Behind the marker and in front of it: one is the initiator's SPI.
            for spi in [2, 10] {
                if let Some(bytes) = data.get_mut(spi..spi + 2) {
                    bytes.copy_from_slice(&(number as u16).to_be_bytes());
                }
            }
            self.send(step, &data);
        }
    }

    fn send(&mut self, step: &Step<'_>, data: &[u8]) {
        let direction = direction(step);
        let flow = &mut self.flows[step.flow];
        let (source, destination) = endpoints(step);
        let packet = CapturedPacket { direction, source, destination, time: self.time };
        let engines = Engines { sa_table: Some(&self.table), ..Engines::default() };
        let all = flow.on_datagram(&engines, &packet, data);
        let Some(tx) = all.and_then(|all| all.own) else { return };
        self.sent += 1;
        if let Some(sa) = tx.sa() {
            self.check_view(sa);
        }
        if step.times == 1 {
            invariants::check(&tx);
        }
        drop(tx);
        self.check_table();
    }

    fn check_view(&self, sa: &SaView) {
        assert!(sa.messages > 0 && sa.messages <= self.sent);
        assert!(sa.retransmissions < sa.messages);
        assert!(sa.half_open <= self.sent && sa.init_rate <= self.sent);
        assert!(sa.auth_failures <= self.sent);
        if let Some(fragments) = sa.fragments {
            assert!(fragments.seen <= fragment::MAX_FRAGMENTS);
        }
    }

    fn check_table(&self) {
        let counters = self.table.counters();
        assert!(counters.memuse <= MEMCAP, "{counters:?}");
        assert!(counters.half_open <= counters.active, "{counters:?}");
        assert!(counters.active <= u64::from(self.sent));
        let real = memory::live() - self.before;
        let allowed = counters.memuse as usize * 5 / 4 + UNCOUNTED;
        assert!(real <= allowed, "{real} bytes, of which {} are counted", counters.memuse);
    }
}
