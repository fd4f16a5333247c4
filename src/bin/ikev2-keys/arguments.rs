//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

const HELP: &str = "\
Usage: ikev2-keys [--follow] LOG...

Finds the keys of IKE SAs in the log of an IKE daemon, and writes them to standard output.
The output is a key table in the format of Wireshark's ikev2_decryption_table:

    umask 077
    ikev2-keys charon.log >> table

If there are several LOGs, they are parts of one log: give the oldest first. - means
standard input.

  -f, --follow   wait for new lines in the last LOG, even if the file is replaced
  -h, --help     print this help
  -V, --version  print the version

Configure the daemon to log its keys:

  strongSwan  ike = 4, cfg = 2, mgr = 2 and ike_name = yes, in a section of filelog
  libreswan   plutodebug=private,crypt,refcnt

Whoever can read such a log or table can read the traffic of the tunnels.

Exit status: 0 if all keys were written, 1 if some keys were left out or there are none,
2 if a LOG cannot be read or the table cannot be written.
";

/// What the user wants the program to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Read(Arguments),
    Print(String),
}

/// Which logs to read, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// At least one.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) follow: bool,
}

impl Arguments {
    /// Reads the arguments that follow the name of the program.
    pub(crate) fn parse(given: impl Iterator<Item = OsString>) -> Result<Command, String> {
        let mut arguments = Self::default();
        let mut options = true;
        for argument in given {
            match argument.to_str().filter(|_| options) {
                Some("--") => options = false,
                Some("-f" | "--follow") => arguments.follow = true,
                Some("-h" | "--help") => return Ok(Command::Print(HELP.to_owned())),
                Some("-V" | "--version") => {
                    let version = env!("CARGO_PKG_VERSION");
                    return Ok(Command::Print(format!("ikev2-keys {version}\n")));
                }
                Some(option) if option.len() > 1 && option.starts_with('-') => {
                    return Err(format!("there is no option {option}"));
                }
                _ => arguments.files.push(argument.into()),
            }
        }
        let last = arguments.files.last().ok_or("no LOG is given")?;
        if arguments.follow && last.as_os_str() == OsStr::new("-") {
            return Err("--follow needs a file; standard input is read until it ends".to_owned());
        }
        Ok(Command::Read(arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, String> {
        Arguments::parse(arguments.iter().map(OsString::from))
    }

    fn read(files: &[&str], follow: bool) -> Result<Command, String> {
        let files = files.iter().map(PathBuf::from).collect();
        Ok(Command::Read(Arguments { files, follow }))
    }

    #[test]
    fn options_may_be_anywhere() {
        assert_eq!(parse(&["a"]), read(&["a"], false));
        assert_eq!(parse(&["a", "-f"]), read(&["a"], true));
        assert_eq!(parse(&["--follow", "-", "a"]), read(&["-", "a"], true));
        assert_eq!(parse(&["--", "-f", "--"]), read(&["-f", "--"], false));
    }

    #[test]
    fn help_and_version_are_printed() {
        for (option, front) in [
            ("-h", "Usage: ikev2-keys"),
            ("--help", "Usage: ikev2-keys"),
            ("-V", "ikev2-keys 0."),
            ("--version", "ikev2-keys 0."),
        ] {
            let Ok(Command::Print(text)) = parse(&["a", option]) else { panic!("{option}") };
            assert!(text.starts_with(front) && text.ends_with('\n'), "{text}");
        }
        assert!(HELP.lines().all(|line| line.len() <= 90));
    }

    #[test]
    fn mistakes_are_reported() {
        for (arguments, message) in [
            (&[][..], "no LOG is given"),
            (&["-f"], "no LOG is given"),
            (&["--key=00"], "there is no option --key=00"),
            (&["-x", "a"], "there is no option -x"),
            (&["-f", "-"], "--follow needs a file; standard input is read until it ends"),
        ] {
            assert_eq!(parse(arguments), Err(message.to_owned()));
        }
    }
}
