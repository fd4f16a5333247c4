//! Keywords of rules with their arguments: `dh_group:modp_2048,offered`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::fuzzing;

fuzz_target!(|data: &[u8]| {
    // As the host's callback takes it.
    let option = String::from_utf8_lossy(data);
    if let Err(message) = fuzzing::read_option(&option) {
        assert!(!message.is_empty());
    }
});
