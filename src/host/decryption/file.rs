//! A key table on disk that grows.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use zeroize::{Zeroize, Zeroizing};

use crate::decrypt::key_table::{parse_line, MAX_LINE};
use crate::decrypt::{SaKeys, Spis};

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 16;

/// How many bad lines are told in one reading; of the others only the number is.
const MAX_TOLD: usize = 10;

/// How many bytes before the end of what was read tell whether it is still the same. A
/// line has less.
const TAIL: usize = 512;

/// Users that are neither the owner nor of the group may read it.
const READABLE_BY_OTHERS: u32 = 0o004;

/// What a file tells.
pub(super) trait Listener {
    /// There are keys.
    fn keys(&mut self, spis: Spis, keys: SaKeys);
    /// Something is wrong with the file or in it.
    fn mistake(&mut self, text: String);
}

/// A file that is read again and again.
pub(super) struct KeyFile {
    path: PathBuf,
    open: Option<Open>,
    /// Whether it was told that the file cannot be read.
    told: bool,
}

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, told: false }
    }

    /// Reads what is new. A file that was replaced or rewritten is read from its start.
    ///
    /// The file stays open, so that it can be read on when Suricata has given up the rights
    /// with which it began.
    pub(super) fn read(&mut self, listener: &mut impl Listener) {
        match self.try_read(listener) {
            Ok(()) => self.told = false,
            Err(error) if !self.told => {
                self.told = true;
                let advice = match error.kind() {
                    ErrorKind::NotFound => "it is read when it is there",
                    _ => "keys that were read stay in use",
                };
                listener.mistake(format!("{}: {error}; {advice}", self.path.display()));
            }
            Err(_) => {}
        }
    }

    /// What the file's name says of it now. One that may not be looked at any more is read
    /// on as long as it is open.
    fn metadata(&self) -> io::Result<Metadata> {
        match (fs::metadata(&self.path), &self.open) {
            (Err(error), Some(open)) if error.kind() == ErrorKind::PermissionDenied => {
                open.file.metadata()
            }
            (result, _) => result,
        }
    }

    fn try_read(&mut self, listener: &mut impl Listener) -> io::Result<()> {
        let metadata = self.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        if self.open.as_ref().is_none_or(|open| open.identity != identity(&metadata)) {
            self.open = Some(Open::new(File::open(&self.path)?, &metadata));
            if metadata.mode() & READABLE_BY_OTHERS != 0 {
                let path = self.path.display();
                listener.mistake(format!(
                    "{path}: every user can read these keys; chmod o-r would keep them secret"
                ));
            }
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let told = open.catch_up(&metadata, &self.path.display().to_string(), listener)?;
        if let Some(more) = told.checked_sub(MAX_TOLD).filter(|more| *more > 0) {
            listener.mistake(format!("{}: {more} more lines are wrong", self.path.display()));
        }
        Ok(())
    }
}

/// What tells a file from another that has taken its name.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// A file and how far it was read.
struct Open {
    file: File,
    identity: (u64, u64),
    /// When it was last written to when it was last read, in seconds and nanoseconds.
    modified: (i64, i64),
    /// How many bytes were read.
    position: u64,
    /// The last of them.
    tail: Zeroizing<Vec<u8>>,
    lines: Lines,
}

impl Open {
    fn new(file: File, metadata: &Metadata) -> Self {
        Self {
            file,
            identity: identity(metadata),
            modified: (0, 0),
            position: 0,
            tail: Zeroizing::default(),
            lines: Lines::default(),
        }
    }

    /// Reads to the end. How many lines were wrong.
    fn catch_up(
        &mut self,
        metadata: &Metadata,
        name: &str,
        listener: &mut impl Listener,
    ) -> io::Result<usize> {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        if modified == self.modified && metadata.len() == self.position {
            self.lines.end(true, name, listener);
            return Ok(self.lines.take_wrong());
        }
        if metadata.len() <= self.position || !self.is_same()? {
            self.position = 0;
            self.tail.clear();
            self.lines = Lines::default();
        }
        self.file.seek(SeekFrom::Start(self.position))?;
        let mut chunk = Zeroizing::new(vec![0; CHUNK]);
        loop {
            let count = self.file.read(&mut chunk)?;
            let read = chunk.get(..count).unwrap_or(&[]);
            if read.is_empty() {
                break;
            }
            self.position += count as u64;
            self.lines.add(read, name, listener);
            self.remember(read);
        }
        self.modified = modified;
        self.lines.end(false, name, listener);
        Ok(self.lines.take_wrong())
    }

    /// Whether what was read is still there: the file only grew.
    fn is_same(&self) -> io::Result<bool> {
        let mut now = Zeroizing::new(vec![0; self.tail.len()]);
        let start = self.position - self.tail.len() as u64;
        match self.file.read_exact_at(&mut now, start) {
            Ok(()) => Ok(*now == *self.tail),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn remember(&mut self, read: &[u8]) {
        let last = read.get(read.len().saturating_sub(TAIL)..).unwrap_or(&[]);
        let keep = TAIL - last.len();
        let all = Zeroizing::new(core::mem::take(&mut *self.tail));
        let before = all.get(all.len().saturating_sub(keep)..).unwrap_or(&[]);
        *self.tail = [before, last].concat();
    }
}

/// Puts chunks together to lines.
#[derive(Default)]
struct Lines {
    /// The number of the line that is under way, less one.
    number: usize,
    /// What is there of it.
    rest: Zeroizing<Vec<u8>>,
    /// Whether it was told, without its end, what it has or what is wrong with it.
    told: bool,
    /// How many lines were wrong since that was last asked for.
    wrong: usize,
}

impl Lines {
    fn add(&mut self, chunk: &[u8], name: &str, listener: &mut impl Listener) {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            // What is too long is wrong; how it goes on does not matter. No key is left
            // behind where the buffer was before it grew: it does not grow.
            let room = (MAX_LINE + 1).saturating_sub(self.rest.len());
            self.rest.reserve_exact(room);
            self.rest.extend_from_slice(&part[..room.min(part.len())]);
            if parts.peek().is_some() {
                self.take(name, listener);
                self.number += 1;
                self.rest.zeroize();
                self.told = false;
            }
        }
    }

    /// The file ends here, for now. A last line without an end counts if it is complete.
    /// If not, it may be under way, and is only told when it is not written on.
    fn end(&mut self, stays: bool, name: &str, listener: &mut impl Listener) {
        if !self.rest.is_empty() && !self.told && (stays || parse_line(&self.rest).is_ok()) {
            self.take(name, listener);
            self.told = true;
        }
    }

    fn take_wrong(&mut self) -> usize {
        core::mem::take(&mut self.wrong)
    }

    fn take(&mut self, name: &str, listener: &mut impl Listener) {
        match parse_line(&self.rest) {
            Ok(Some((spis, keys))) => listener.keys(spis, keys),
            Ok(None) => {}
            Err(_) if self.told => {}
            Err(error) => {
                self.wrong += 1;
                if self.wrong <= MAX_TOLD {
                    listener.mistake(format!("{name}, line {}: {error}", self.number + 1));
                }
            }
        }
    }
}

/// What a table tells that comes in pieces: its keys and its mistakes. For fuzz targets.
#[cfg(fuzzing)]
pub fn read_key_table(pieces: &[&[u8]]) -> (Vec<(Spis, SaKeys)>, Vec<String>) {
    #[derive(Default)]
    struct Heard(Vec<(Spis, SaKeys)>, Vec<String>);

    impl Listener for Heard {
        fn keys(&mut self, spis: Spis, keys: SaKeys) {
            self.0.push((spis, keys));
        }

        fn mistake(&mut self, text: String) {
            self.1.push(text);
        }
    }

    let (mut lines, mut heard) = (Lines::default(), Heard::default());
    for piece in pieces {
        lines.add(piece, "table", &mut heard);
        lines.end(false, "table", &mut heard);
    }
    lines.end(true, "table", &mut heard);
    (heard.0, heard.1)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The last byte of the initiator's SPI of each line with keys, and all mistakes.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Heard(Vec<u8>, Vec<String>);

    impl Listener for Heard {
        fn keys(&mut self, spis: Spis, _: SaKeys) {
            self.0.push(spis.0[7]);
        }

        fn mistake(&mut self, text: String) {
            self.1.push(text);
        }
    }

    /// A file of one test.
    struct Table(PathBuf);

    impl Table {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ikev2-{name}-{}", std::process::id()));
            let _ = fs::remove_file(&path);
            Self(path)
        }

        fn append(&self, text: &str) {
            let mut file = File::options().create(true).append(true).open(&self.0).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        }

        /// What a reading tells, with the name of the file left out.
        fn heard(&self, file: &mut KeyFile) -> Heard {
            let mut heard = Heard::default();
            file.read(&mut heard);
            let name = self.0.display().to_string();
            heard.1.iter_mut().for_each(|text| *text = text.replace(&name, "FILE"));
            heard
        }
    }

    impl Drop for Table {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn line(sa: u8) -> String {
        let key = "11".repeat(19);
        let spis = format!("{sa:016x},0000000000000001");
        format!("{spis},{key},{key},AES-CCM-128 with 8 octet ICV [RFC5282],,,NONE [RFC4306]\n")
    }

    fn keys(sas: &[u8]) -> Heard {
        Heard(sas.to_vec(), Vec::new())
    }

    #[test]
    fn a_file_that_grows_is_read_on() {
        let table = Table::new("grows");
        let mut file = KeyFile::new(table.0.clone());
        assert_eq!(
            table.heard(&mut file).1[0],
            "FILE: No such file or directory (os error 2); it is read when it is there"
        );
        assert_eq!(table.heard(&mut file), keys(&[]), "told once");
        table.append(&line(1));
        assert_eq!(table.heard(&mut file), keys(&[1]));
        assert_eq!(table.heard(&mut file), keys(&[]));
        table.append(&format!("# a comment\n{}{}", line(2), line(3)));
        assert_eq!(table.heard(&mut file), keys(&[2, 3]));
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let table = Table::new("pieces");
        let mut file = KeyFile::new(table.0.clone());
        let whole = format!("{}{}", line(1), line(2));
        let (mut found, mut mistakes) = (Vec::new(), Vec::new());
        for byte in whole.chars() {
            table.append(&byte.to_string());
            let heard = table.heard(&mut file);
            found.extend(heard.0);
            mistakes.extend(heard.1);
        }
        // Each is complete before its end comes, and counts again with it.
        assert_eq!(found, [1, 1, 2, 2]);
        assert_eq!(mistakes, Vec::<String>::new());
    }

    #[test]
    fn what_was_replaced_or_rewritten_is_read_anew() {
        let table = Table::new("anew");
        let mut file = KeyFile::new(table.0.clone());
        table.append(&format!("{}{}", line(1), line(2)));
        assert_eq!(table.heard(&mut file), keys(&[1, 2]));
        let other = Table::new("other");
        other.append(&line(3));
        fs::rename(&other.0, &table.0).unwrap();
        assert_eq!(table.heard(&mut file), keys(&[3]));
        // In place: shorter, and longer with another beginning.
        fs::write(&table.0, "").unwrap();
        assert_eq!(table.heard(&mut file), keys(&[]));
        table.append(&line(4));
        assert_eq!(table.heard(&mut file), keys(&[4]));
        fs::write(&table.0, format!("{}{}", line(5), line(6))).unwrap();
        assert_eq!(table.heard(&mut file), keys(&[5, 6]));
    }

    #[test]
    fn bad_lines_are_told_with_their_numbers_and_the_others_stand() {
        let table = Table::new("bad");
        let mut file = KeyFile::new(table.0.clone());
        table.append(&format!("\nx\n{}{}{}", line(1), "1,2\n".repeat(11), line(2)));
        let Heard(found, told) = table.heard(&mut file);
        assert_eq!(found, [1, 2]);
        assert!(told[0].starts_with("FILE, line 2: 1 fields instead of 8"), "{told:?}");
        assert!(told[1].starts_with("FILE, line 4: 2 fields instead of 8"), "{told:?}");
        assert_eq!((told.len(), told[10].as_str()), (11, "FILE: 2 more lines are wrong"));
        table.append(&"z".repeat(3 * MAX_LINE));
        assert_eq!(table.heard(&mut file), keys(&[]), "it may be under way");
        let told = table.heard(&mut file).1;
        assert_eq!(told, ["FILE, line 16: longer than 4096 bytes"]);
        table.append(&format!("\n{}", line(3)));
        assert_eq!(table.heard(&mut file), keys(&[3]));
    }

    #[test]
    fn who_may_read_it_is_looked_at() {
        let table = Table::new("rights");
        table.append(&line(1));
        fs::set_permissions(&table.0, Permissions::from_mode(0o644)).unwrap();
        let heard = table.heard(&mut KeyFile::new(table.0.clone()));
        let advice = "FILE: every user can read these keys; chmod o-r would keep them secret";
        assert_eq!(heard, Heard(vec![1], vec![advice.to_owned()]));
        let folder = std::env::temp_dir();
        let mut heard = Heard::default();
        KeyFile::new(folder.clone()).read(&mut heard);
        let text =
            format!("{}: not a regular file; keys that were read stay in use", folder.display());
        assert_eq!(heard, Heard(Vec::new(), vec![text]));
    }
}
