//! Suricata's configuration as a tree.

use core::ffi::{c_char, CStr};
use std::ffi::CString;

use crate::sys;

/// A key of the configuration with what it has: a value, or the keys of a section. The keys of
/// a list are numbers.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) key: String,
    pub(super) value: Option<String>,
    pub(super) children: Vec<Self>,
}

impl Node {
    /// The section with this name of Suricata's configuration; empty if there is none.
    pub(super) fn of_suricata(name: &str) -> Self {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: the name ends with a zero. Suricata returns null or a node of its
        // configuration, which stays until Suricata ends.
        let node = unsafe { sys::SCConfGetNode(name.as_ptr()).as_ref() };
        node.map(Self::of_node).unwrap_or_default()
    }

    fn of_node(node: &sys::SCConfNode) -> Self {
        let mut children = Vec::new();
        // SAFETY: the node is one of Suricata's configuration.
        let mut next = unsafe { sys::SCConfGetFirstNode(node) };
        // SAFETY: Suricata returned null or a node of its configuration, which stays.
        while let Some(child) = unsafe { next.as_ref() } {
            children.push(Self::of_node(child));
            // SAFETY: the child is a node of Suricata's configuration.
            next = unsafe { sys::SCConfGetNextNode(child) };
        }
        // SAFETY: the strings of a node are null or end with a zero.
        let (key, value) = unsafe { (text(node.name), text(node.val)) };
        Self { key: key.unwrap_or_default(), value, children }
    }

    /// The node with this key, in which dots separate sections.
    pub(super) fn find(&self, key: &str) -> Option<&Self> {
        key.split('.').try_fold(self, |node, part| node.children.iter().find(|it| it.key == part))
    }

    /// Its value, or the values of a list.
    pub(super) fn values(&self) -> Vec<&str> {
        let values = self.children.iter().filter_map(|child| child.value.as_deref());
        values.chain(self.value.as_deref()).collect()
    }
}

/// A string of Suricata.
///
/// # Safety
/// `string` is null or ends with a zero.
pub(super) unsafe fn text(string: *const c_char) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: the function demands a string that ends with a zero, and null was excluded.
    Some(unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned())
}
