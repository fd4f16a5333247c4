//! The keys of captures.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{files, project};

/// How the files of keys are called, as Wireshark has it.
const EXTENSION: &str = "ikev2_decryption_table";

fn folder() -> PathBuf {
    project().join("tests/capture/keys")
}

/// All key tables of the project's captures.
///
/// # Panics
///
/// When the folder cannot be read.
pub fn tables() -> Vec<PathBuf> {
    files(&folder(), EXTENSION)
}

/// The key table of this name, which is that of its capture.
pub fn table(name: &str) -> PathBuf {
    folder().join(format!("{name}.{EXTENSION}"))
}

/// The project's captures that have keys, with the files of these.
///
/// # Panics
///
/// When the folder cannot be read.
pub fn captures() -> BTreeMap<String, Vec<PathBuf>> {
    let mut captures: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for table in tables() {
        // Of a capture with several tables each has a word more in its name.
        let name = table.file_name().expect("a name").to_string_lossy();
        let name = name.split('.').next().expect("the front of a name").to_owned();
        captures.entry(format!("{name}.pcap")).or_default().push(table);
    }
    captures
}

/// What a function reads of the lines of key tables; of some lines it reads nothing.
///
/// # Panics
///
/// When a file cannot be read, or the function finds a mistake in a line.
pub fn read<T, E: Display>(
    files: impl IntoIterator<Item = impl AsRef<Path>>,
    parse: impl Fn(&[u8]) -> Result<Option<T>, E>,
) -> Vec<T> {
    let mut found = Vec::new();
    for file in files {
        let file = file.as_ref();
        let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let mistake = |error| panic!("{}, line {number}: {error}", file.display());
            found.extend(parse(line).unwrap_or_else(mistake));
        }
    }
    found
}
