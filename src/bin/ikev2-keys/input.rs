//! Reading the log from a file or from standard input.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A log to read.
pub(crate) enum Input {
    Standard(io::Stdin),
    File(PathBuf, File),
}

impl Input {
    /// Opens a file, or standard input by the name `-`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard(io::stdin()));
        }
        Ok(Self::File(path.to_owned(), File::open(path)?))
    }

    /// The name of the log in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Standard(_) => "standard input".to_owned(),
            Self::File(path, _) => path.display().to_string(),
        }
    }

    /// Whether another file took the place of this one, or this one was truncated. If so,
    /// reading continues with the new contents. Call it at the end of the file.
    ///
    /// Reading continues with the new file only when it has contents, because `logrotate`
    /// creates the new file before the daemon writes to it.
    pub(crate) fn was_replaced(&mut self) -> bool {
        let Self::File(path, file) = self else { return false };
        // For a moment there may be no file of that name.
        let (Ok(new), Ok(old)) = (path.metadata(), file.metadata()) else { return false };
        let position = file.stream_position().unwrap_or(0);
        if (old.dev(), old.ino()) == (new.dev(), new.ino()) {
            return new.len() < position && file.rewind().is_ok();
        }
        if new.len() == 0 || old.len() > position {
            return false;
        }
        File::open(path).map(|new| *file = new).is_ok()
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Standard(stdin) => stdin.read(buffer),
            Self::File(_, file) => file.read(buffer),
        }
    }
}
