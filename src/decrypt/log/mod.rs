//! Keys from the logs of IKE daemons.
//!
//! ```text
//! bytes ─→ LogLines ─→ LogReader ─→ Program ─┬→ charon: dumps, threads ─→ SAs ─┬→ LogOutcome
//!                                            └→ pluto: lines for tcpdump ──────┘
//! ```
//!
//! strongSwan's charon (5.9, 6.0, 6.1) at level 4 of `ike` dumps the keys of each IKE SA,
//! but not its SPIs. The lines of its threads are mixed. Keys are returned only if their
//! SPIs and algorithms are certain (see `sas`). libreswan's pluto (5.2) with
//! `plutodebug=private` writes SPIs and keys on one line, but some keys are incomplete
//! there (see `pluto`).
//!
//! Syslog may contain the same lines with the tags of two programs, for example `charon`
//! and the `ipsec` that started it. It may also repeat a line. For this reason the lines of
//! each program are read separately, a line that equals the line before it is skipped, and
//! each set of keys is returned once.
//!
//! The code in this module does no input or output. The number and the size of stored items
//! are limited. Everything that may be a key is wiped when it is dropped.

mod algorithm;
mod bounded_map;
mod charon;
mod dump;
mod init;
mod line;
mod lines;
mod pluto;
mod sas;

use core::fmt;
use std::collections::VecDeque;

use super::clean_line::{clean_line, is_utf_16};
use super::{LineError, SaKeys, Spis};
use bounded_map::BoundedMap;
use sas::Tag;

pub use lines::{LogLines, MAX_LINE};

/// A result of reading a log.
pub enum LogOutcome {
    /// The keys of an IKE SA, or of one epoch of it.
    Keys(Spis, SaKeys),
    /// The log has keys that cannot be used.
    Problem(KeyProblem),
}

/// Keys in a log that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProblem {
    /// The number of the line that has the keys, or the last of them. The first line is 1.
    pub line: u64,
    /// The reason.
    pub kind: KeyProblemKind,
}

/// Why keys cannot be used. The texts never contain key material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyProblemKind {
    /// A line is longer than [`MAX_LINE`].
    TooLong,
    /// The log is encoded as UTF-16.
    Utf16,
    /// A dump or a line with keys ends too early.
    Incomplete,
    /// The log does not say which charon thread wrote a key.
    NoThread,
    /// The log does not contain the SPIs of the IKE SA.
    NoSpis,
    /// The log does not contain the algorithms of the IKE SA.
    NoAlgorithms,
    /// Key tables have no name for this algorithm.
    UnknownAlgorithm(String),
    /// The lengths of the keys do not fit the algorithms.
    Keys(LineError),
    /// pluto logged the keys of only one direction.
    OneDirection,
    /// pluto did not log the salts, which are a part of the keys.
    NoSalts,
    /// pluto logged only the beginning of SK_ai and SK_ar.
    Truncated,
}

impl fmt::Display for KeyProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a line of more than {MAX_LINE} bytes is left out"),
            Self::Utf16 => f.write_str("the log is encoded as UTF-16: convert it to UTF-8"),
            Self::Incomplete => f.write_str("an incomplete key is left out"),
            Self::NoThread => f.write_str(
                "keys without the number of a thread are left out: \
                 journalctl --output=json includes it",
            ),
            Self::NoSpis => f.write_str(
                "keys of an IKE SA whose SPIs are not in the log are left out: \
                 charon logs them with mgr = 2 and ike_name = yes",
            ),
            Self::NoAlgorithms => f.write_str(
                "keys of an IKE SA whose algorithms are not in the log are left out: \
                 charon logs them with cfg = 2 and ike_name = yes",
            ),
            Self::UnknownAlgorithm(name) => {
                write!(
                    f,
                    "keys for {name} are left out: key tables have no name for this algorithm"
                )
            }
            Self::Keys(error) => write!(f, "keys are left out: {error}"),
            Self::OneDirection => f.write_str("keys of one direction only are left out"),
            Self::NoSalts => f.write_str(
                "keys without their salts are left out: \
                 pluto logs them with plutodebug=private,crypt,refcnt",
            ),
            Self::Truncated => f.write_str(
                "keys that are cut to 32 bytes are left out: \
                 pluto logs the complete keys with plutodebug=private,crypt",
            ),
        }
    }
}

/// The maximum number of key sets that are remembered as returned or as reported.
const MAX_REMEMBERED_KEYS: usize = 1 << 15;

/// The results that the caller has not fetched yet.
struct Outcomes {
    queue: VecDeque<LogOutcome>,
    /// The tags of keys that were returned or can never be used.
    done: BoundedMap<Tag, ()>,
    /// The tags of keys that were reported because something was missing.
    missing: BoundedMap<Tag, ()>,
}

impl Default for Outcomes {
    fn default() -> Self {
        let [done, missing] = [(); 2].map(|()| BoundedMap::new(MAX_REMEMBERED_KEYS));
        Self { queue: VecDeque::new(), done, missing }
    }
}

impl Outcomes {
    fn problem(&mut self, line: u64, kind: KeyProblemKind) {
        self.queue.push_back(LogOutcome::Problem(KeyProblem { line, kind }));
    }

    /// Whether these keys are seen here for the first time. Marks them as done.
    fn is_first(&mut self, keys: Tag) -> bool {
        let is_first = self.done.get(&keys).is_none();
        self.done.insert(keys, ());
        is_first
    }

    /// Whether these keys have to be reported as incomplete. True only once, and not if
    /// they were returned.
    fn is_first_missing(&mut self, keys: Tag) -> bool {
        let is_first = self.done.get(&keys).is_none() && self.missing.get(&keys).is_none();
        self.missing.insert(keys, ());
        is_first
    }
}

/// charon writes this text before a key. No other line contains it.
const KEY: &[u8] = b"Sk_ei secret => ";

/// The maximum number of programs that are kept apart. The oldest is dropped first.
const MAX_PROGRAMS: usize = 16;

/// The state of reading the lines of one program.
#[derive(Default)]
struct Program {
    charon: charon::Charon,
    pluto: pluto::Pluto,
    /// The tag of the previous line.
    last: Option<Tag>,
}

impl Program {
    /// Whether a line equals the previous line. What stands before the text, such as the
    /// time, does not count.
    fn repeats(&mut self, line: Tag) -> bool {
        self.last.replace(line) == Some(line)
    }

    fn report(&mut self, outcomes: &mut Outcomes) {
        self.charon.report(outcomes);
        self.pluto.report(outcomes);
    }
}

/// Reads a log line by line.
pub struct LogReader {
    line: u64,
    programs: BoundedMap<Tag, Program>,
    outcomes: Outcomes,
    /// Whether the encoding UTF-16 has been reported.
    utf_16: bool,
}

impl Default for LogReader {
    fn default() -> Self {
        let programs = BoundedMap::new(MAX_PROGRAMS);
        Self { line: 0, programs, outcomes: Outcomes::default(), utf_16: false }
    }
}

impl LogReader {
    /// Reads the next line, without its line end. `None` stands for a line that is too
    /// long.
    pub fn read(&mut self, line: Option<&[u8]>) {
        self.line += 1;
        let Some(line) = line else {
            return self.outcomes.problem(self.line, KeyProblemKind::TooLong);
        };
        if is_utf_16(line) && !core::mem::replace(&mut self.utf_16, true) {
            self.outcomes.problem(self.line, KeyProblemKind::Utf16);
        }
        let line = clean_line(line);
        let Some(record) = line::CharonRecord::parse(&line) else {
            return self.read_text(&line, None);
        };
        for text in record.texts() {
            match record.line(text) {
                Some(line) => self.read_charon(&line, record.program()),
                None => self.read_text(&clean_line(text), Some(record.program())),
            }
        }
    }

    /// Reads a line of text. `program` is known if the line comes from a JSON record.
    fn read_text(&mut self, text: &[u8], program: Option<[&[u8]; 3]>) {
        let of = |prefix| program.unwrap_or_else(|| line::program(prefix));
        if let Some(line) = line::CharonLine::parse(text) {
            self.read_charon(&line, of(line.prefix));
        } else if text.windows(KEY.len()).any(|part| part == KEY) {
            self.outcomes.problem(self.line, KeyProblemKind::NoThread);
        } else if let Some((prefix, text)) = pluto::debug_line(text) {
            let (line, tag) = (self.line, Tag::texts([text]));
            let (program, outcomes) = self.program(of(prefix));
            if !program.repeats(tag) {
                program.pluto.read(line, text, outcomes);
            }
        }
    }

    fn read_charon(&mut self, line: &line::CharonLine<'_>, program: [&[u8]; 3]) {
        let (thread, id) = (line.thread.to_be_bytes(), line.id.unwrap_or(0).to_be_bytes());
        let (number, tag) = (self.line, Tag::texts([&thread, &id, line.group, line.text]));
        let (program, outcomes) = self.program(program);
        if !program.repeats(tag) {
            program.charon.read(number, line, outcomes);
        }
    }

    /// The state of a program, and the queue for its results.
    fn program(&mut self, name: [&[u8]; 3]) -> (&mut Program, &mut Outcomes) {
        let tag = Tag::texts(name);
        if self.programs.get(&tag).is_none() {
            if let Some(mut oldest) = self.programs.insert(tag, Program::default()) {
                oldest.report(&mut self.outcomes);
            }
        }
        (self.programs.entry(tag), &mut self.outcomes)
    }

    /// Reports once the keys that something is missing for. They are still returned if the
    /// missing values follow in the log.
    pub fn report(&mut self) {
        let programs: Vec<Tag> = self.programs.keys().copied().collect();
        for program in programs {
            self.programs.entry(program).report(&mut self.outcomes);
        }
    }

    /// The next result, in the order of the log.
    pub fn next_outcome(&mut self) -> Option<LogOutcome> {
        self.outcomes.queue.pop_front()
    }

    /// The number of lines that have been read.
    pub fn line(&self) -> u64 {
        self.line
    }
}
