//! What the probing functions claim is a message, of IKEv2, and read as they saw it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::pipeline::{find_damaged, on_datagram, FlowContext};
use suricata_ikev2::tx::{Direction, Event};
use suricata_ikev2::wire::detect;
use suricata_ikev2_fuzz::input;

fuzz_target!(|data: &[u8]| {
    let Some(step) = input::datagram(data) else { return };
    let transport = step.transport();
    let whole = detect(step.data);
    let Some(sighting) = whole.or_else(|| find_damaged(transport, step.data)) else { return };
    let direction = if sighting.response { Direction::ToClient } else { Direction::ToServer };
    let mut flow = FlowContext::new(transport);
    let tx = on_datagram(&mut flow, direction, step.data).expect("it is a message");
    let header = tx.header.expect("it has a header");
    assert_eq!(tx.nat_t(), sighting.marker);
    assert_eq!(header.version.major(), 2);
    assert_eq!(header.flags.response(), sighting.response);
    assert!(!tx.events.contains(Event::MalformedHeader));
    if whole.is_some() {
        assert!(!tx.events.contains(Event::LengthMismatch));
    }
});
