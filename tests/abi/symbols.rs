//! The symbols of the plugin and of the Suricata that loads it.

use crate::layout::run;
use object::elf::{FileHeader64, VER_NDX_GLOBAL};
use object::read::elf::ElfFile;
use object::{Endianness, Object, ObjectSymbol};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

type Elf<'data> = ElfFile<'data, FileHeader64<Endianness>>;

/// The names that a binary exports.
pub(crate) fn exports(path: &Path) -> Result<BTreeSet<String>, String> {
    with_symbols(path, |elf| {
        let defined = elf.dynamic_symbols().filter(|symbol| symbol.is_definition());
        Ok(defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect())
    })
}

/// A name that a plugin wants from the program that loads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    /// Whether the plugin is loaded without it too.
    pub(crate) weak: bool,
}

/// What the C compiler's start files look for; no program has to have it.
const OF_START_FILES: [&str; 3] =
    ["__gmon_start__", "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"];

/// The names that a plugin wants from the program that loads it. A symbol of a
/// library that it is linked with has a version.
pub(crate) fn wanted_from_host(path: &Path) -> Result<BTreeSet<Wanted>, String> {
    with_symbols(path, |elf| {
        // The indices up to VER_NDX_GLOBAL stand for no version.
        let versions = elf
            .elf_section_table()
            .versions(elf.endian(), elf.data())
            .map_err(|error| error.to_string())?;
        let mut wanted = BTreeSet::new();
        for symbol in elf.dynamic_symbols().filter(|it| it.is_undefined()) {
            let index = versions.as_ref().map(|it| it.version_index(elf.endian(), symbol.index()));
            let name = symbol.name().unwrap_or_default();
            let versioned = index.is_some_and(|it| it.index() > VER_NDX_GLOBAL);
            if !name.is_empty() && !versioned && !OF_START_FILES.contains(&name) {
                wanted.insert(Wanted { name: name.to_owned(), weak: symbol.is_weak() });
            }
        }
        Ok(wanted)
    })
}

fn with_symbols<T>(
    path: &Path,
    read: impl FnOnce(&Elf<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let name = |error: String| format!("{}: {error}", path.display());
    let data = std::fs::read(path).map_err(|error| name(error.to_string()))?;
    let elf = Elf::parse(&*data).map_err(|error| name(error.to_string()))?;
    read(&elf).map_err(name)
}

/// The plugin to check: `SURICATA_IKEV2_PLUGIN`, else the one that cargo built
/// together with this test.
pub(crate) fn plugin() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("SURICATA_IKEV2_PLUGIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = test.parent().unwrap_or(Path::new("."));
    let beside = folder.join("libsuricata_ikev2.so");
    if beside.is_file() {
        return Ok(beside);
    }
    Err(format!("no plugin: {} is missing and SURICATA_IKEV2_PLUGIN is not set", beside.display()))
}

/// The program of the Suricata that `scripts/suricata.sh` finds or fetches.
pub(crate) fn suricata() -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/suricata.sh");
    run(Command::new(script).arg("--elf")).map(|printed| printed.trim_end().into())
}
