//! Parts of documentation that tests write from tables.

use std::fs;
use std::path::Path;

/// Holds the part of a file between two marks against what it should be. With
/// `UPDATE_DOCS=1` in the environment it is written instead.
pub(crate) fn assert_current(file: &str, begin: &str, end: &str, part: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let present = fs::read_to_string(&path).expect("the file is there");
    let (before, rest) = present.split_once(begin).expect("the part's begin is marked");
    let (_, after) = rest.split_once(end).expect("the part's end is marked");
    let wanted = format!("{before}{begin}{part}{end}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).expect("the file can be written");
    } else {
        assert!(present == wanted, "{file} is stale: UPDATE_DOCS=1 cargo test --lib docs");
    }
}
