//! The program `openssl`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::bytes::hex;

/// Whether the program is there, in a version that makes every kind of checksum.
pub fn is_there() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let output = Command::new("openssl").arg("version").output();
        output.is_ok_and(|output| output.stdout.starts_with(b"OpenSSL 3"))
    })
}

/// What it makes of an input.
pub(super) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    child.stdin.take().expect("a pipe").write_all(input).expect("openssl reads");
    let output = child.wait_with_output().expect("openssl ends");
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

/// A text encrypted by a cipher and mode of this name, without padding.
pub(super) fn encrypt(name: &str, key: &[u8], iv: &[u8], text: &[u8]) -> Vec<u8> {
    openssl(&["enc", &format!("-{name}"), "-nopad", "-K", &hex(key), "-iv", &hex(iv)], text)
}
