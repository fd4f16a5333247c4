//! A key table on disk, which may grow.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use zeroize::{Zeroize, Zeroizing};

use crate::decrypt::key_table::{parse_line, MAX_LINE};
use crate::decrypt::{SaKeys, Spis};

/// The number of bytes that are read at once.
const CHUNK: usize = 1 << 16;

/// The largest number of wrong lines that are reported in one reading. Of the others only the number
/// is reported.
const MAX_REPORTED: usize = 10;

/// The number of bytes at the end of what was read. If they are still there, the file only grew. A
/// usual line has fewer bytes.
const TAIL: usize = 512;

/// The permission to read for users that are neither the owner nor in the group.
const READABLE_BY_OTHERS: u32 = 0o004;

/// Gets what a key table has.
pub(super) trait KeyListener {
    /// A line has keys.
    fn keys(&mut self, spis: Spis, keys: SaKeys);
    /// Something is wrong with the file or with a line.
    fn mistake(&mut self, text: String);
}

/// A key table that is read again and again.
pub(super) struct KeyFile {
    path: PathBuf,
    open: Option<OpenFile>,
    /// Whether it was reported that the file cannot be read.
    error_reported: bool,
}

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, error_reported: false }
    }

    /// Reads what is new. A file that was replaced or rewritten is read from its beginning.
    ///
    /// The file stays open, because Suricata may drop the privileges with which it started.
    pub(super) fn read(&mut self, listener: &mut impl KeyListener) {
        match self.try_read(listener) {
            Ok(()) => self.error_reported = false,
            Err(error) if !self.error_reported => {
                self.error_reported = true;
                let advice = match error.kind() {
                    ErrorKind::NotFound => "the file is read as soon as it exists",
                    _ => "the keys that were read before stay in use",
                };
                listener.mistake(format!("{}: {error}; {advice}", self.path.display()));
            }
            Err(_) => {}
        }
    }

    /// The metadata of the file that has the path now. If the plugin may not see it any more, that of
    /// the open file.
    fn metadata(&self) -> io::Result<Metadata> {
        match (fs::metadata(&self.path), &self.open) {
            (Err(error), Some(open)) if error.kind() == ErrorKind::PermissionDenied => {
                open.file.metadata()
            }
            (result, _) => result,
        }
    }

    fn try_read(&mut self, listener: &mut impl KeyListener) -> io::Result<()> {
        let metadata = self.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        if self.open.as_ref().is_none_or(|open| open.identity != identity(&metadata)) {
            self.open = Some(OpenFile::new(File::open(&self.path)?, &metadata));
            if metadata.mode() & READABLE_BY_OTHERS != 0 {
                let path = self.path.display();
                listener.mistake(format!(
                    "{path}: every user can read these keys; run chmod o-r on the file to keep \
                     them secret"
                ));
            }
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        let wrong = open.read_on(&metadata, &self.path.display().to_string(), listener)?;
        if let Some(more) = wrong.checked_sub(MAX_REPORTED).filter(|more| *more > 0) {
            listener.mistake(format!("{}: {more} more lines are wrong", self.path.display()));
        }
        Ok(())
    }
}

/// The identity of a file: a file that takes the path of another one has a new identity.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// An open file, and how far it was read.
struct OpenFile {
    file: File,
    identity: (u64, u64),
    /// The time of the last change that was read, in seconds and nanoseconds.
    modified: (i64, i64),
    /// The number of bytes that were read.
    position: u64,
    /// The last of these bytes.
    tail: Zeroizing<Vec<u8>>,
    lines: LineBuffer,
}

impl OpenFile {
    fn new(file: File, metadata: &Metadata) -> Self {
        Self {
            file,
            identity: identity(metadata),
            modified: (0, 0),
            position: 0,
            tail: Zeroizing::default(),
            lines: LineBuffer::default(),
        }
    }

    /// Reads to the end of the file. Returns the number of wrong lines.
    fn read_on(
        &mut self,
        metadata: &Metadata,
        name: &str,
        listener: &mut impl KeyListener,
    ) -> io::Result<usize> {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        if modified == self.modified && metadata.len() == self.position {
            self.lines.end(true, name, listener);
            return Ok(self.lines.take_wrong());
        }
        if metadata.len() <= self.position || !self.is_same()? {
            self.start_again();
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

    /// Forgets what was read.
    fn start_again(&mut self) {
        self.position = 0;
        self.tail.clear();
        self.lines = LineBuffer::default();
    }

    /// Whether the file only grew: what was read is still there.
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

/// Joins chunks of a file to lines.
#[derive(Default)]
struct LineBuffer {
    /// The number of lines before the current one.
    number: usize,
    /// The current line, as far as it was read.
    rest: Zeroizing<Vec<u8>>,
    /// Whether the current line was reported before its end was read.
    reported: bool,
    /// The number of wrong lines since [`Self::take_wrong`] was called.
    wrong: usize,
}

impl LineBuffer {
    fn add(&mut self, chunk: &[u8], name: &str, listener: &mut impl KeyListener) {
        let mut parts = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            // A longer line is wrong, whatever follows. The buffer has this size from the
            // beginning: a buffer that grows would leave keys in the memory that it leaves.
            let room = (MAX_LINE + 1).saturating_sub(self.rest.len());
            self.rest.reserve_exact(room);
            self.rest.extend_from_slice(&part[..room.min(part.len())]);
            if parts.peek().is_some() {
                self.take(name, listener);
                self.number += 1;
                self.rest.zeroize();
                self.reported = false;
            }
        }
    }

    /// The file ends here for now. A last line without an end counts if it is complete. If it is not
    /// complete, somebody may still write it. Then it is reported only if `is_final`: the file has
    /// not changed since the last reading.
    fn end(&mut self, is_final: bool, name: &str, listener: &mut impl KeyListener) {
        if !self.rest.is_empty() && !self.reported && (is_final || parse_line(&self.rest).is_ok()) {
            self.take(name, listener);
            self.reported = true;
        }
    }

    fn take_wrong(&mut self) -> usize {
        core::mem::take(&mut self.wrong)
    }

    fn take(&mut self, name: &str, listener: &mut impl KeyListener) {
        match parse_line(&self.rest) {
            Ok(Some((spis, keys))) => listener.keys(spis, keys),
            Ok(None) => {}
            Err(_) if self.reported => {}
            Err(error) => {
                self.wrong += 1;
                if self.wrong <= MAX_REPORTED {
                    listener.mistake(format!("{name}, line {}: {error}", self.number + 1));
                }
            }
        }
    }
}

/// The keys and the mistakes of a table that is read in pieces. For fuzz targets.
#[cfg(fuzzing)]
pub fn read_key_table(pieces: &[&[u8]]) -> (Vec<(Spis, SaKeys)>, Vec<String>) {
    #[derive(Default)]
    struct Collected(Vec<(Spis, SaKeys)>, Vec<String>);

    impl KeyListener for Collected {
        fn keys(&mut self, spis: Spis, keys: SaKeys) {
            self.0.push((spis, keys));
        }

        fn mistake(&mut self, text: String) {
            self.1.push(text);
        }
    }

    let (mut lines, mut collected) = (LineBuffer::default(), Collected::default());
    for piece in pieces {
        lines.add(piece, "table", &mut collected);
        lines.end(false, "table", &mut collected);
    }
    lines.end(true, "table", &mut collected);
    (collected.0, collected.1)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The last byte of the initiator's SPI of each line with keys, and all mistakes.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Reported(Vec<u8>, Vec<String>);

    impl KeyListener for Reported {
        fn keys(&mut self, spis: Spis, _: SaKeys) {
            self.0.push(spis.0[7]);
        }

        fn mistake(&mut self, text: String) {
            self.1.push(text);
        }
    }

    /// A file of one test.
    struct TestFile(PathBuf);

    impl TestFile {
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

        /// What one reading reports, without the name of the file.
        fn read(&self, file: &mut KeyFile) -> Reported {
            let mut reported = Reported::default();
            file.read(&mut reported);
            let name = self.0.display().to_string();
            reported.1.iter_mut().for_each(|text| *text = text.replace(&name, "FILE"));
            reported
        }
    }

    impl Drop for TestFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn line(sa: u8) -> String {
        let key = "11".repeat(19);
        let spis = format!("{sa:016x},0000000000000001");
        format!("{spis},{key},{key},AES-CCM-128 with 8 octet ICV [RFC5282],,,NONE [RFC4306]\n")
    }

    fn keys(sas: &[u8]) -> Reported {
        Reported(sas.to_vec(), Vec::new())
    }

    #[test]
    fn a_file_that_grows_is_read_on() {
        let table = TestFile::new("grows");
        let mut file = KeyFile::new(table.0.clone());
        assert_eq!(
            table.read(&mut file).1[0],
            "FILE: No such file or directory (os error 2); the file is read as soon as it exists"
        );
        assert_eq!(table.read(&mut file), keys(&[]), "reported once");
        table.append(&line(1));
        assert_eq!(table.read(&mut file), keys(&[1]));
        assert_eq!(table.read(&mut file), keys(&[]));
        table.append(&format!("# a comment\n{}{}", line(2), line(3)));
        assert_eq!(table.read(&mut file), keys(&[2, 3]));
    }

    #[test]
    fn a_line_may_come_in_pieces() {
        let table = TestFile::new("pieces");
        let mut file = KeyFile::new(table.0.clone());
        let whole = format!("{}{}", line(1), line(2));
        let (mut found, mut mistakes) = (Vec::new(), Vec::new());
        for byte in whole.chars() {
            table.append(&byte.to_string());
            let reported = table.read(&mut file);
            found.extend(reported.0);
            mistakes.extend(reported.1);
        }
        // Each is complete before its end comes, and counts again with it.
        assert_eq!(found, [1, 1, 2, 2]);
        assert_eq!(mistakes, Vec::<String>::new());
    }

    #[test]
    fn what_was_replaced_or_rewritten_is_read_anew() {
        let table = TestFile::new("anew");
        let mut file = KeyFile::new(table.0.clone());
        table.append(&format!("{}{}", line(1), line(2)));
        assert_eq!(table.read(&mut file), keys(&[1, 2]));
        let other = TestFile::new("other");
        other.append(&line(3));
        fs::rename(&other.0, &table.0).unwrap();
        assert_eq!(table.read(&mut file), keys(&[3]));
        // In place: shorter, and longer with another beginning.
        fs::write(&table.0, "").unwrap();
        assert_eq!(table.read(&mut file), keys(&[]));
        table.append(&line(4));
        assert_eq!(table.read(&mut file), keys(&[4]));
        fs::write(&table.0, format!("{}{}", line(5), line(6))).unwrap();
        assert_eq!(table.read(&mut file), keys(&[5, 6]));
    }

    #[test]
    fn wrong_lines_are_reported_with_their_numbers_and_the_others_count() {
        let table = TestFile::new("bad");
        let mut file = KeyFile::new(table.0.clone());
        table.append(&format!("\nx\n{}{}{}", line(1), "1,2\n".repeat(11), line(2)));
        let Reported(found, mistakes) = table.read(&mut file);
        assert_eq!(found, [1, 2]);
        assert!(mistakes[0].starts_with("FILE, line 2: 1 fields instead of 8"), "{mistakes:?}");
        assert!(mistakes[1].starts_with("FILE, line 4: 2 fields instead of 8"), "{mistakes:?}");
        assert_eq!((mistakes.len(), mistakes[10].as_str()), (11, "FILE: 2 more lines are wrong"));
        table.append(&"z".repeat(3 * MAX_LINE));
        assert_eq!(table.read(&mut file), keys(&[]), "it may be under way");
        let mistakes = table.read(&mut file).1;
        assert_eq!(mistakes, ["FILE, line 16: longer than 4096 bytes"]);
        table.append(&format!("\n{}", line(3)));
        assert_eq!(table.read(&mut file), keys(&[3]));
    }

    #[test]
    fn a_file_that_everybody_can_read_is_reported() {
        let table = TestFile::new("rights");
        table.append(&line(1));
        fs::set_permissions(&table.0, Permissions::from_mode(0o644)).unwrap();
        let reported = table.read(&mut KeyFile::new(table.0.clone()));
        let advice =
            "FILE: every user can read these keys; run chmod o-r on the file to keep them \
                      secret";
        assert_eq!(reported, Reported(vec![1], vec![advice.to_owned()]));
        let folder = std::env::temp_dir();
        let mut reported = Reported::default();
        KeyFile::new(folder.clone()).read(&mut reported);
        let text = format!(
            "{}: not a regular file; the keys that were read before stay in use",
            folder.display()
        );
        assert_eq!(reported, Reported(Vec::new(), vec![text]));
    }
}
