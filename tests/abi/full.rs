//! The layouts that the compiler gives the crate `suricata` itself: compiling it
//! takes minutes, so this is done on request.

use crate::interface::Interface;
use crate::known::{PUBLIC_RECORDS, RENAMED};
use crate::layout::{run, Layout, Layouts};
use crate::sources::package;
use std::path::Path;
use std::process::Command;

/// Type-checks assertions that a version's records have `layouts`. The number of
/// assertions, or what the compiler said.
pub(crate) fn check(
    version: &str,
    ours: &Interface,
    theirs: &Interface,
    layouts: &Layouts,
) -> Result<usize, String> {
    let shared = layouts.iter().filter(|(name, _)| theirs.records.contains_key(*name));
    let asserted: Vec<_> =
        shared.flat_map(|(name, layout)| assertions(ours, name, layout)).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("full-{version}"));
    let complain = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(complain)?;
    let package = package(version);
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).map_err(complain)?;
    let manifest = manifest.replace("../empty.rs", "lib.rs");
    std::fs::write(folder.join("Cargo.toml"), manifest).map_err(complain)?;
    std::fs::copy(package.join("Cargo.lock"), folder.join("Cargo.lock")).map_err(complain)?;
    let source = format!("use suricata::applayer::*;\n{}", asserted.concat());
    std::fs::write(folder.join("lib.rs"), source).map_err(complain)?;
    let target = folder.join("target");
    let cargo = || Command::new(env!("CARGO"));
    run(cargo()
        .args(["check", "--locked", "--quiet", "--target-dir"])
        .arg(target)
        .current_dir(folder))?;
    Ok(asserted.len())
}

/// One line a number, with a message that names it.
fn assertions(ours: &Interface, name: &str, layout: &Layout) -> Vec<String> {
    let is = |what: String, number: usize, title: String| {
        let message = format!("{title} is not {number}");
        format!("const _: () = assert!(core::mem::{what} == {number}, {message:?});\n")
    };
    let official = if name == "AppLayerParser" { "RustParser" } else { name };
    let mut lines = vec![
        is(format!("size_of::<{official}>()"), layout.size, format!("the size of {name}")),
        is(format!("align_of::<{official}>()"), layout.align, format!("the alignment of {name}")),
    ];
    let fields = ours.records.get(name).filter(|_| PUBLIC_RECORDS.contains(&name));
    for ((field, _), offset) in fields.iter().flat_map(|it| &it.fields).zip(&layout.offsets) {
        let path = format!("{name}.{field}");
        let there = RENAMED.iter().find(|(here, _)| *here == path).map_or(&**field, |it| it.1);
        let what = format!("offset_of!({official}, {there})");
        lines.push(is(what, *offset, format!("the offset of {path}")));
    }
    lines
}
