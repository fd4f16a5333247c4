//! `ikev2-keys` finds the keys in an IKE daemon's log and writes them as a key table.
#![forbid(unsafe_code)]

mod arguments;
mod input;
mod output;

use std::io::{self, Read as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use suricata_ikev2::decrypt::log::{LogLines, LogReader};
use zeroize::Zeroizing;

use arguments::{Arguments, Command};
use input::Input;
use output::Output;

/// How long to wait before the program looks for new lines in a followed log.
const INTERVAL: Duration = Duration::from_millis(100);

/// A followed log must have no new lines for this long before missing parts are reported.
const AT_REST: Duration = Duration::from_secs(10);

/// How many bytes are read at a time.
const PIECE: usize = 1 << 16;

fn main() -> ExitCode {
    match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(Command::Read(arguments)) => match run(&arguments) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(1),
            Err(ExitError::Told) => ExitCode::from(2),
            Err(ExitError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::from(2)
            }
            Err(ExitError::Output(error)) => fail(&format!("cannot write: {error}")),
        },
        Ok(Command::Print(text)) => match output::print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format!("cannot write: {error}")),
        },
        Err(message) => fail(&format!("{message}\nTry 'ikev2-keys --help'.")),
    }
}

fn fail(message: &str) -> ExitCode {
    output::complain(message);
    ExitCode::from(2)
}

/// Why the program cannot continue.
enum ExitError {
    /// The input cannot be read. The message was already printed.
    Told,
    Output(io::Error),
}

impl From<io::Error> for ExitError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Reads all logs. Returns whether there were keys and all of them were written.
fn run(arguments: &Arguments) -> Result<bool, ExitError> {
    let mut log =
        Log { lines: LogLines::default(), reader: LogReader::default(), output: Output::open()? };
    let mut readable = true;
    for (index, path) in arguments.files.iter().enumerate() {
        let is_last = index + 1 == arguments.files.len();
        match Input::open(path) {
            Ok(mut input) => log.read(&mut input, arguments.follow && is_last)?,
            Err(error) => {
                output::complain(&format!("{}: {error}", path.display()));
                readable = false;
            }
        }
    }
    log.reader.report();
    log.output.take(&mut log.reader)?;
    if !readable {
        return Err(ExitError::Told);
    }
    Ok(log.output.is_complete())
}

/// The whole log, which may consist of several files.
struct Log {
    lines: LogLines,
    reader: LogReader,
    output: Output,
}

impl Log {
    /// Reads a file to its end. A followed file is read for ever.
    fn read(&mut self, input: &mut Input, follow: bool) -> Result<(), ExitError> {
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        let mut rest = Some(Instant::now());
        self.output.begin(input.name(), self.reader.line());
        loop {
            let length = match input.read(&mut piece) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    output::complain(&format!("{}: {error}", input.name()));
                    return Err(ExitError::Told);
                }
            };
            if let Some(read) = piece.get(..length).filter(|read| !read.is_empty()) {
                self.lines.feed(read, |line| self.reader.read(line));
                self.output.take(&mut self.reader)?;
                rest = Some(Instant::now());
            } else if !follow {
                self.end()?;
                return Ok(());
            } else if input.was_replaced() {
                self.end()?;
                self.output.begin(input.name(), self.reader.line());
            } else {
                if rest.is_some_and(|since| since.elapsed() >= AT_REST) {
                    self.reader.report();
                    self.output.take(&mut self.reader)?;
                    rest = None;
                }
                std::thread::sleep(INTERVAL);
            }
        }
    }

    /// Finishes a file. Its last line may have no line end.
    fn end(&mut self) -> Result<(), ExitError> {
        self.lines.finish(|line| self.reader.read(line));
        self.output.take(&mut self.reader)?;
        Ok(())
    }
}
