//! Keys from the logs of IKE daemons.
//!
//! ```text
//! bytes ─→ Lines ─→ Reader ─┬→ charon: dumps, threads ─→ SAs ─┬→ Outcome
//!                           └→ pluto: lines for tcpdump ──────┘
//! ```
//!
//! strongSwan's charon (5.9, 6.0, 6.1) at level 4 of `ike` dumps the keys of each IKE SA
//! but not its SPIs, and its threads write as they come. Keys are given out only when
//! SPIs and algorithms are tied to them for sure (`sas` says how). libreswan's pluto
//! (5.2) with `plutodebug=private` writes both on one line, though not always all of the
//! key (`pluto`).
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

use super::{LineError, SaKeys, Spis};

pub use lines::{Lines, MAX_LINE};

/// What a log tells.
pub enum Outcome {
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

/// What was found and is not taken yet.
#[derive(Default)]
struct Outcomes(VecDeque<Outcome>);

impl Outcomes {
    fn problem(&mut self, line: u64, kind: ProblemKind) {
        self.0.push_back(Outcome::Problem(Problem { line, kind }));
    }
}

/// What charon says before one of the keys, and nothing else does.
const KEY: &[u8] = b"Sk_ei secret => ";

/// Reads a log line by line.
#[derive(Default)]
pub struct Reader {
    line: u64,
    charon: charon::Charon,
    pluto: pluto::Pluto,
    outcomes: Outcomes,
}

impl Reader {
    /// Reads the next line, without its end; none is one that is too long.
    pub fn read(&mut self, line: Option<&[u8]>) {
        self.line += 1;
        let Some(line) = line else {
            return self.outcomes.problem(self.line, ProblemKind::TooLong);
        };
        if let Some(record) = line::Record::parse(line) {
            for text in record.texts() {
                match record.line(text) {
                    Some(line) => self.charon.read(self.line, &line, &mut self.outcomes),
                    None => self.read_other(text),
                }
            }
        } else if let Some(line) = line::Line::parse(line) {
            self.charon.read(self.line, &line, &mut self.outcomes);
        } else {
            self.read_other(line);
        }
    }

    /// Reads a line that is not charon's, or does not look so.
    fn read_other(&mut self, line: &[u8]) {
        if line.windows(KEY.len()).any(|part| part == KEY) {
            self.outcomes.problem(self.line, ProblemKind::NoThread);
        } else {
            self.pluto.read(self.line, line, &mut self.outcomes);
        }
    }

    /// Reports the keys for which something is missing, once. They are still given out
    /// if that comes.
    pub fn report(&mut self) {
        self.charon.report(&mut self.outcomes);
        self.pluto.report(&mut self.outcomes);
    }

    /// What was found, in the order of the log.
    pub fn next_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.0.pop_front()
    }

    /// How many lines were read.
    pub fn line(&self) -> u64 {
        self.line
    }
}
