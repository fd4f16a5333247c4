//! Keys from the logs of IKE daemons.
//!
//! ```text
//! bytes ─→ Lines ─→ Reader ─→ of each program ─┬→ charon: dumps, threads ─→ SAs ─┬→ Outcome
//!                                              └→ pluto: lines for tcpdump ──────┘
//! ```
//!
//! strongSwan's charon (5.9, 6.0, 6.1) at level 4 of `ike` dumps the keys of each IKE SA
//! but not its SPIs, and its threads write as they come. Keys are given out only when
//! SPIs and algorithms are tied to them for sure (`sas` says how). libreswan's pluto
//! (5.2) with `plutodebug=private` writes both on one line, though not always all of the
//! key (`pluto`).
//!
//! Syslog may have the same lines by the tags of two programs, such as `charon` and the
//! `ipsec` that started it, or a line twice. Each program's lines are read for themselves,
//! a line that is the same as the one before is left out, and keys are given out once.
//!
//! Nothing here does input or output. What is held is limited in number and size, and
//! what may be a key is wiped when it is dropped.

mod algorithm;
mod charon;
mod dump;
mod init;
mod line;
mod lines;
mod pluto;
mod recent;
mod sas;

use core::fmt;
use std::collections::VecDeque;

use super::plain::{is_utf_16, plain};
use super::{LineError, SaKeys, Spis};
use recent::RecentInits;
use sas::Tag;

pub use lines::{LogLines, MAX_LINE};

/// What a log tells.
pub enum LogOutcome {
    /// The keys of an IKE SA or of one epoch of it.
    Keys(Spis, SaKeys),
    /// Keys that are in the log cannot be used.
    Problem(Problem),
}

/// Why keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The number of the line that has them, or the end of them, from 1.
    pub line: u64,
    /// Why.
    pub kind: ProblemKind,
}

/// Why keys cannot be used. None of these shows what may be a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// A line is longer than [`MAX_LINE`].
    TooLong,
    /// The text is UTF-16.
    Utf16,
    /// A dump that has a key does not go on as it must.
    Torn,
    /// Nothing tells which thread of charon wrote a key.
    NoThread,
    /// Nothing tells the SPIs of their IKE SA.
    NoSpis,
    /// Nothing tells the algorithms.
    NoAlgorithms,
    /// There is no name for this algorithm in a key table.
    UnknownAlgorithm(String),
    /// The keys are not as long as the algorithms have them.
    Keys(LineError),
    /// pluto wrote the key of one direction only.
    OneDirection,
    /// pluto left out the salts that are a part of the keys.
    NoSalts,
    /// pluto wrote only the beginning of SK_ai and SK_ar.
    Cut,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a line of more than {MAX_LINE} bytes is left out"),
            Self::Utf16 => f.write_str("the log is text of UTF-16: turn it into UTF-8"),
            Self::Torn => f.write_str("a key that is not whole is left out"),
            Self::NoThread => f.write_str(
                "keys without the number of a thread are left out: \
                 of a journal, journalctl --output=json has it",
            ),
            Self::NoSpis => f.write_str(
                "keys of an IKE SA whose SPIs the log does not have are left out: \
                 charon logs them with mgr = 2 and ike_name = yes",
            ),
            Self::NoAlgorithms => f.write_str(
                "keys of an IKE SA whose algorithms the log does not have are left out: \
                 charon logs them with cfg = 2 and ike_name = yes",
            ),
            Self::UnknownAlgorithm(name) => {
                write!(f, "keys for {name}, which no key table has a name for, are left out")
            }
            Self::Keys(error) => write!(f, "keys are left out: {error}"),
            Self::OneDirection => f.write_str("keys of one direction only are left out"),
            Self::NoSalts => f.write_str(
                "keys without their salts are left out: \
                 pluto logs them with plutodebug=private,crypt,refcnt",
            ),
            Self::Cut => f.write_str(
                "keys that are cut to 32 bytes are left out: \
                 pluto logs all of them with plutodebug=private,crypt",
            ),
        }
    }
}

/// The most keys that are known to have been given out or missed something.
const MAX_KNOWN: usize = 1 << 15;

/// What was found and is not taken yet.
struct Outcomes {
    queue: VecDeque<LogOutcome>,
    /// Keys that were given out, or cannot be used whatever else comes.
    done: RecentInits<Tag, ()>,
    /// Keys of which it was told that something is missing.
    missing: RecentInits<Tag, ()>,
}

impl Default for Outcomes {
    fn default() -> Self {
        let [done, missing] = [(); 2].map(|()| RecentInits::new(MAX_KNOWN));
        Self { queue: VecDeque::new(), done, missing }
    }
}

impl Outcomes {
    fn problem(&mut self, line: u64, kind: ProblemKind) {
        self.queue.push_back(LogOutcome::Problem(Problem { line, kind }));
    }

    /// Whether these keys are done now and were not before.
    fn is_first(&mut self, keys: Tag) -> bool {
        let is_first = self.done.get(&keys).is_none();
        self.done.insert(keys, ());
        is_first
    }

    /// Whether it is to be told of these keys that something is missing.
    fn is_first_missing(&mut self, keys: Tag) -> bool {
        let is_first = self.done.get(&keys).is_none() && self.missing.get(&keys).is_none();
        self.missing.insert(keys, ());
        is_first
    }
}

/// What charon says before one of the keys, and nothing else does.
const KEY: &[u8] = b"Sk_ei secret => ";

/// The most programs whose lines are told apart; those that came last.
const MAX_PROGRAMS: usize = 16;

/// What one program wrote.
#[derive(Default)]
struct Program {
    charon: charon::Charon,
    pluto: pluto::Pluto,
    /// The line that was read last.
    last: Option<Tag>,
}

impl Program {
    /// Whether a line is the same as the one before, without what stands before it.
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
    programs: RecentInits<Tag, Program>,
    outcomes: Outcomes,
    /// Whether it was told that the log is text of UTF-16.
    utf_16: bool,
}

impl Default for LogReader {
    fn default() -> Self {
        let programs = RecentInits::new(MAX_PROGRAMS);
        Self { line: 0, programs, outcomes: Outcomes::default(), utf_16: false }
    }
}

impl LogReader {
    /// Reads the next line, without its end; none is one that is too long.
    pub fn read(&mut self, line: Option<&[u8]>) {
        self.line += 1;
        let Some(line) = line else {
            return self.outcomes.problem(self.line, ProblemKind::TooLong);
        };
        if is_utf_16(line) && !core::mem::replace(&mut self.utf_16, true) {
            self.outcomes.problem(self.line, ProblemKind::Utf16);
        }
        let line = plain(line);
        let Some(record) = line::CharonRecord::parse(&line) else {
            return self.read_text(&line, None);
        };
        for text in record.texts() {
            match record.line(text) {
                Some(line) => self.read_charon(&line, record.program()),
                None => self.read_text(&plain(text), Some(record.program())),
            }
        }
    }

    /// Reads a line of text; of one in JSON it is known which program wrote it.
    fn read_text(&mut self, text: &[u8], program: Option<[&[u8]; 3]>) {
        let of = |front| program.unwrap_or_else(|| line::program(front));
        if let Some(line) = line::CharonLine::parse(text) {
            self.read_charon(&line, of(line.front));
        } else if text.windows(KEY.len()).any(|part| part == KEY) {
            self.outcomes.problem(self.line, ProblemKind::NoThread);
        } else if let Some((front, text)) = pluto::said(text) {
            let (line, tag) = (self.line, Tag::texts([text]));
            let (program, outcomes) = self.program(of(front));
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

    /// What is known of a program, and where to put what it tells.
    fn program(&mut self, name: [&[u8]; 3]) -> (&mut Program, &mut Outcomes) {
        let tag = Tag::texts(name);
        if self.programs.get(&tag).is_none() {
            if let Some(mut oldest) = self.programs.insert(tag, Program::default()) {
                oldest.report(&mut self.outcomes);
            }
        }
        (self.programs.entry(tag), &mut self.outcomes)
    }

    /// Reports the keys for which something is missing, once. They are still given out
    /// if that comes.
    pub fn report(&mut self) {
        let programs: Vec<Tag> = self.programs.keys().copied().collect();
        for program in programs {
            self.programs.entry(program).report(&mut self.outcomes);
        }
    }

    /// What was found, in the order of the log.
    pub fn next_outcome(&mut self) -> Option<LogOutcome> {
        self.outcomes.queue.pop_front()
    }

    /// How many lines were read.
    pub fn line(&self) -> u64 {
        self.line
    }
}
