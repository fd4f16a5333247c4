//! Writes the table to standard output, and messages to standard error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use suricata_ikev2::decrypt::log::{KeyProblem, LogOutcome, LogReader};

/// How many file names are remembered for messages. A followed log may have any number of
/// files.
const MAX_FILES: usize = 64;

/// Writes the keys and the problems that a reader found.
pub(crate) struct Output {
    /// Standard output without the standard library's buffer, because that buffer is not
    /// wiped.
    table: File,
    /// The files, each with the number of lines before it.
    files: VecDeque<(String, u64)>,
    lines: u64,
    problems: u64,
}

impl Output {
    /// Opens standard output. Warns if it is a file that other users can open.
    pub(crate) fn open() -> io::Result<Self> {
        let table = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let metadata = table.metadata()?;
        let mode = metadata.mode() & 0o777;
        if metadata.is_file() && mode & 0o077 != 0 {
            complain(&format!("warning: others can open the table (mode {mode:03o}): chmod 600"));
        }
        Ok(Self { table, files: VecDeque::new(), lines: 0, problems: 0 })
    }

    /// A new file begins after this many lines.
    pub(crate) fn begin(&mut self, name: String, lines: u64) {
        self.files.push_back((name, lines));
        if self.files.len() > MAX_FILES {
            self.files.pop_front();
        }
    }

    /// Writes everything that the reader has found so far.
    pub(crate) fn take(&mut self, reader: &mut LogReader) -> io::Result<()> {
        while let Some(outcome) = reader.next_outcome() {
            match outcome {
                LogOutcome::Keys(spis, keys) => {
                    self.lines += 1;
                    let mut line = keys.line(&spis);
                    line.push('\n');
                    self.table.write_all(line.as_bytes())?;
                }
                LogOutcome::Problem(problem) => {
                    self.problems += 1;
                    complain(&self.describe(&problem));
                }
            }
        }
        Ok(())
    }

    /// Describes a problem with file and line.
    fn describe(&self, KeyProblem { line, kind }: &KeyProblem) -> String {
        let file = self.files.iter().rev().find(|(_, before)| before < line);
        match file {
            Some((name, before)) => format!("{name}:{}: {kind}", line - before),
            None => kind.to_string(),
        }
    }

    /// Whether there were keys and all of them were written. Prints a message if there were
    /// none.
    pub(crate) fn is_complete(&self) -> bool {
        if self.lines == 0 && self.problems == 0 {
            complain("there are no keys in the log; --help says how to make the daemon log them");
        }
        self.lines != 0 && self.problems == 0
    }
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

/// Writes a message to standard error.
pub(crate) fn complain(message: &str) {
    // If this fails, there is no other place for a message.
    let _ = writeln!(io::stderr(), "ikev2-keys: {message}");
}
