//! What the probing functions claim is a message, and read as they saw it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::pipeline::{find_expected, on_datagram, FlowContext};
use suricata_ikev2::tx::{Direction, Event};
use suricata_ikev2::wire::{detect, HEADER_LEN};
use suricata_ikev2_fuzz::input;

fuzz_target!(|data: &[u8]| {
    let Some(step) = input::datagram(data) else { return };
    let (client, server) = step.ports();
    let certain = detect(step.data);
    let sighting = certain.or_else(|| find_expected(client, server, step.data));
    let Some(sighting) = sighting else { return };
    let direction = if sighting.response { Direction::ToClient } else { Direction::ToServer };
    let mut flow = FlowContext::between(client, server);
    let tx = on_datagram(&mut flow, direction, step.data).expect("it is a message");
    let header = tx.header.expect("it has a header");
    assert_eq!(tx.nat_t(), sighting.marker);
    assert_eq!(header.flags.response(), sighting.response);
    assert_ne!(header.version.major(), 1);
    if certain.is_some() {
        assert_eq!(header.version.major(), 2);
        // A header alone is not enough.
        assert!(step.data.len() > HEADER_LEN);
    }
    if header.version.major() != 2 {
        assert!(tx.events.contains(Event::UnsupportedVersion));
    }
});
