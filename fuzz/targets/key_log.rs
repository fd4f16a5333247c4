//! Logs of IKE daemons, in two pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::log::{LogLines, LogOutcome, LogReader};
use testkit::input;

fuzz_target!(|data: &[u8]| {
    let Some(pieces) = input::pieces(data) else { return };
    let (mut lines, mut reader) = (LogLines::default(), LogReader::default());
    for piece in pieces {
        lines.feed(piece, |line| reader.read(line));
    }
    lines.finish(|line| reader.read(line));
    reader.report();
    while let Some(outcome) = reader.next_outcome() {
        match outcome {
            LogOutcome::Keys(spis, keys) => {
                let (read, again) = parse_line(keys.line(&spis).as_bytes())
                    .expect("a line that can be read")
                    .expect("keys");
                assert!(read == spis && again == keys);
            }
            LogOutcome::Problem(problem) => assert!((1..=reader.line()).contains(&problem.line)),
        }
    }
});
