//! What the probing functions claim is a message, and read as they saw it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::message::{Direction, Event};
use suricata_ikev2::pipeline::{carrier_between, find_message, Engines, FlowContext};
use suricata_ikev2::wire::{detect, HEADER_LEN};
use testkit::input;

fuzz_target!(|data: &[u8]| {
    let Some(step) = input::datagram(data) else { return };
    let (client, server) = step.ports();
    let certain = detect(step.data);
    let ports = carrier_between(client, server);
    let Some(sighting) = find_message(ports, step.data, None) else { return };
    let direction = if sighting.response { Direction::ToClient } else { Direction::ToServer };
    let mut flow = FlowContext::between(client, server);
    let all = flow.on_datagram(&Engines::default(), &direction, step.data);
    let tx = all.and_then(|all| all.own).expect("it is a message");
    let header = tx.message().header.expect("it has a header");
    assert_eq!(tx.message().nat_t(), sighting.marker);
    assert_eq!(header.flags.response(), sighting.response);
    assert_ne!(header.version.major(), 1);
    if certain.is_some() {
        assert_eq!(header.version.major(), 2);
        // A header alone is not enough.
        assert!(step.data.len() > HEADER_LEN);
    }
    if header.version.major() != 2 {
        assert!(tx.message().events.contains(Event::UnsupportedVersion));
    }
});
