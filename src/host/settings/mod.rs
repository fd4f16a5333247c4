//! The settings below `app-layer.protocols.ikev2` in suricata.yaml.
//!
//! ```text
//! table    one row a setting, and the typed values
//! form     which values a setting may have
//! reader   the rows and a configuration → values and mistakes
//! node     Suricata's configuration → a tree of keys and values
//! early    what is asked before it is known that the plugin can run here
//! ```
//!
//! To add a setting, add a row, a field and its default to `table`, its key to
//! suricata-config/ikev2.yaml, and run `UPDATE_DOCS=1 cargo test --lib docs`, which writes
//! docs/configuration.md.

#[cfg(test)]
mod docs;
mod early;
mod form;
mod node;
mod reader;
mod table;

pub(super) use early::{failures_are_fatal, is_plugin_wanted};
pub(super) use table::{EncryptionHandling, Mode, Settings};

use std::ffi::CString;

use lazy_static::lazy_static;

use self::node::Node;
use super::log;
use crate::sys;

/// The section in suricata.yaml.
const SECTION: &str = "app-layer.protocols.ikev2";

lazy_static! {
    static ref SETTINGS: Settings = {
        let section = Node::of_suricata(SECTION);
        reader::read(&section, parse_size, &mut |mistake| log::configuration_error(&mistake))
    };
}

/// The settings. The first call, at the start, reads them and reports mistakes.
pub(super) fn get() -> &'static Settings {
    &SETTINGS
}

/// A size in Suricata's notation, such as `64mb`, in bytes.
fn parse_size(text: &str) -> Option<u64> {
    let text = CString::new(text).ok()?;
    let mut bytes = 0;
    // SAFETY: the string ends with a zero, and the place is valid for writing.
    let result = unsafe { sys::ParseSizeStringU64(text.as_ptr(), &mut bytes) };
    (result == 0).then_some(bytes)
}
