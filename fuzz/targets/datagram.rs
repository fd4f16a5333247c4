//! One datagram through the whole pipeline, its record and all keywords.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::pipeline::{Engines, FlowContext};
use suricata_ikev2::render::render;
use suricata_ikev2::render::JsonText;
use suricata_ikev2_fuzz::step::direction;
use suricata_ikev2_fuzz::{invariants, memory};
use testkit::input;

/// The most that a datagram may take: a part that is the same for all, and one that
/// grows with its length.
const FIXED: usize = 64 << 10;
const A_BYTE: usize = 64;

fuzz_target!(|data: &[u8]| {
    let Some(step) = input::datagram(data) else { return };
    let (tx, peak) = memory::peak_of(|| {
        let mut flow = FlowContext::between(step.ports().0, step.ports().1).carrying_ike();
        let tx = flow.on_datagram(&Engines::default(), &direction(&step), step.data)?.own?;
        render(&tx, &mut JsonText::default());
        Some(tx)
    });
    assert!(peak <= FIXED + A_BYTE * step.data.len(), "{peak} bytes for {}", step.data.len());
    if let Some(tx) = tx {
        invariants::check(&tx);
    }
});
