//! Key tables that are written in two pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use suricata_ikev2::decrypt::key_table::{parse_line, MAX_EPOCHS};
use suricata_ikev2::decrypt::{KeyTable, SaKeys, Spis};
use suricata_ikev2::fuzzing::read_key_table;
use suricata_ikev2_fuzz::memory;
use testkit::input;

/// The most that a table may take: a part that is the same for all, and one that grows
/// with its length. A line with keys has more than a hundred bytes.
const FIXED: usize = 32 << 10;
const A_BYTE: usize = 8;

/// Of more mistakes only the number is told.
const MOST_TOLD: usize = 10;

fuzz_target!(|data: &[u8]| {
    let Some(pieces) = input::pieces(data) else { return };
    let text = pieces.concat();
    let ((keys, mistakes), peak) = memory::peak_of(|| read_key_table(&pieces));
    assert!(peak <= FIXED + A_BYTE * text.len(), "{peak} bytes for {}", text.len());
    check_mistakes(&mistakes, &text);
    let (whole, all_mistakes) = read_key_table(&[&text]);
    // A line that is complete before its end comes counts twice, and for that is no mistake.
    assert!(whole.iter().all(|one| keys.contains(one)));
    assert!(mistakes.len() <= MOST_TOLD);
    if all_mistakes.len() < MOST_TOLD {
        assert!(mistakes.iter().all(|one| all_mistakes.contains(one)));
    }
    keys.iter().for_each(|(spis, keys)| check_written(*spis, keys));
    check_table(keys);
});

/// A mistake says the same whatever the digits of the keys are: it shows none of them.
fn check_mistakes(mistakes: &[String], text: &[u8]) {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').collect();
    for mistake in mistakes {
        let (place, told) = mistake.split_once(": ").expect("a place and a mistake");
        let number = place.strip_prefix("table, line ").and_then(|it| it.parse::<usize>().ok());
        let line = lines[number.expect("the number of a line") - 1];
        let error = parse_line(line).map(drop).expect_err("a mistake");
        assert_eq!(told, error.to_string());
        assert_eq!(parse_line(&blanked(line)).map(drop).expect_err("a mistake"), error);
    }
}

/// A line with other digits in all fields but those with names of algorithms. What `0x`
/// begins with is no digit of a key, and where there are colours nobody knows.
fn blanked(line: &[u8]) -> Vec<u8> {
    if line.contains(&0x1b) {
        return line.to_vec();
    }
    let fields = line.split(|byte| *byte == b',').enumerate().map(|(place, field)| match place {
        4 | 7 => field.to_vec(),
        _ => (0..field.len()).map(|at| blank(field, at)).collect(),
    });
    fields.collect::<Vec<_>>().join(&b',')
}

fn blank(field: &[u8], at: usize) -> u8 {
    let is_prefix = matches!(field.get(at..at + 2), Some([b'0', b'x' | b'X']));
    match field[at] {
        byte if byte.is_ascii_hexdigit() && !is_prefix => b'7',
        byte => byte,
    }
}

/// What is read can be written, and read again.
fn check_written(spis: Spis, keys: &SaKeys) {
    let line = keys.line(&spis);
    let (again, read) = parse_line(line.as_bytes()).expect("a line").expect("keys");
    assert!(again == spis && read == *keys);
    assert_eq!(*read.line(&again), *line);
}

fn check_table(all: Vec<(Spis, SaKeys)>) {
    let mut table = KeyTable::default();
    for (count, (spis, keys)) in (1..).zip(all) {
        table.insert(spis, keys);
        let epochs = table.get(&spis).len();
        assert!((1..=MAX_EPOCHS).contains(&epochs) && table.len() <= count);
    }
}
