//! Where the project is, and folders and files of it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folder of the project.
pub fn project() -> &'static Path {
    let testkit = Path::new(env!("CARGO_MANIFEST_DIR"));
    testkit.parent().expect("the testkit is in a folder of the project")
}

/// The folder of this build, `target` by default: cargo marks it.
///
/// # Panics
///
/// When the running program is in no such folder.
pub fn target() -> PathBuf {
    let program = env::current_exe().expect("the running program has a path");
    let is_target = |folder: &&Path| folder.join("CACHEDIR.TAG").exists();
    let target = program.ancestors().filter(is_target).last();
    target.unwrap_or_else(|| panic!("{} is in no folder of cargo's", program.display())).to_owned()
}

/// The entries of a folder in the order of their names.
///
/// # Panics
///
/// When the folder cannot be read.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}

/// The files of a folder with this extension, in the order of their names.
///
/// # Panics
///
/// When the folder cannot be read.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = entries(folder);
    files.retain(|path| path.extension().is_some_and(|it| it == extension));
    files
}

/// Makes an empty folder for a run's output, in the place of the one that is there.
///
/// # Errors
///
/// When the old folder cannot be removed or the new one cannot be made.
pub fn fresh_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(path),
    }
}
