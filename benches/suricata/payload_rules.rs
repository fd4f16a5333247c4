//! Rules that look at the payloads of UDP packets, in the shapes that public rule sets have.
//!
//! They are the same on every run, and they are for all addresses and ports, so that Suricata
//! tries all of them on each packet. Their contents are made of words and of bytes that chance
//! gives. No datagram of the captures has them.

use std::fmt::Write as _;

/// The parts of contents that are text. Rules look for the commands and the names that malware and
/// exploits have.
const WORDS: [&str; 24] = [
    "User-Agent",
    "update",
    "login",
    "cmd.exe",
    "/bin/sh",
    "GET /",
    "POST /",
    "admin",
    "passwd",
    "config",
    "SELECT ",
    "UNION",
    "wget ",
    "index.php",
    "shell",
    "gate",
    "bot",
    "ping",
    "pong",
    "key=",
    "id=",
    "Host: ",
    "xmlns",
    "NOTIFY * ",
];

/// Numbers of chance, which are the same on every run.
struct Chance(u64);

impl Chance {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// True for this many of a hundred.
    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }
}

/// So many rules.
pub(crate) fn payload_rules(count: u32) -> String {
    let mut chance = Chance(15);
    let mut rules = String::new();
    for sid in 1..=count {
        let options = options(&mut chance, sid);
        let _ = writeln!(
            rules,
            "alert udp any any -> any any (msg:\"payload {sid}\"; {options}sid:{sid}; rev:1;)"
        );
    }
    rules
}

/// One content in half of the rules, two in others, three in few. The size of the payload in some
/// rules, and an expression in others.
fn options(chance: &mut Chance, number: u32) -> String {
    let mut options = String::new();
    if chance.percent(12) {
        let _ = write!(options, "dsize:>{}; ", 8 + chance.below(200));
    }
    let contents = 1 + usize::from(chance.percent(50)) + usize::from(chance.percent(20));
    for place in 0..contents {
        let _ = write!(options, "content:\"{}\"; ", content(chance, number));
        options.push_str(position(chance, place));
        if chance.percent(25) {
            options.push_str("nocase; ");
        }
    }
    if chance.percent(10) {
        let _ = write!(options, "pcre:\"/id=[0-9a-f]{{{}}}/R\"; ", 4 + chance.below(20));
    }
    options
}

/// Text in most contents, from 5 to some 20 bytes long; 4 to 12 bytes in the others.
fn content(chance: &mut Chance, number: u32) -> String {
    if chance.percent(60) {
        let word = WORDS[chance.below(WORDS.len())].replace(':', "|3a|").replace(';', "|3b|");
        return format!("{word}{:x}", chance.below(1 << 20) as u32 ^ number);
    }
    let bytes: Vec<_> =
        (0..4 + chance.below(9)).map(|_| format!("{:02x}", chance.below(256))).collect();
    format!("|{}|", bytes.join(" "))
}

/// Where a content has to be. It is anywhere in two of five rules.
fn position(chance: &mut Chance, place: usize) -> &'static str {
    const FIRST: [&str; 5] = ["", "", "depth:32; ", "offset:4; depth:40; ", "startswith; "];
    const NEXT: [&str; 5] = ["", "", "distance:0; ", "distance:2; within:60; ", "within:100; "];
    let positions = if place == 0 { FIRST } else { NEXT };
    positions[chance.below(positions.len())]
}
