//! The official sources: the crates `suricata` and `suricata-sys` as cargo
//! fetches them, and the headers of a Suricata.

use crate::interface::Interface;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The versions compared with: the first 8.0 and the newest.
pub(crate) const VERSIONS: [&str; 2] = ["8.0.0", "8.0.8"];

/// What one version says, each kind of source for itself.
pub(crate) struct Release {
    /// The crate `suricata-sys`: bindgen's output for Suricata's C.
    pub(crate) sys: Interface,
    /// The header that cbindgen wrote for the crate `suricata`.
    pub(crate) header: Interface,
    /// The crate `suricata` itself, as far as it declares C and what C calls.
    pub(crate) rust: Interface,
}

impl Release {
    /// All kinds of source.
    pub(crate) fn interfaces(&self) -> [&Interface; 3] {
        [&self.sys, &self.header, &self.rust]
    }
}

/// Reads one version's sources.
pub(crate) fn release(version: &str) -> Result<Release, String> {
    let [suricata, sys] = fetch(version, ["suricata", "suricata-sys"])?;
    let generated = [read(&sys, "src/sys.rs")?, read(&sys, "src/jsonbuilder.rs")?];
    let rust = [
        read(&suricata, "src/applayer.rs")?,
        read(&suricata, "src/core.rs")?,
        read(&suricata, "src/flow.rs")?,
        read(&suricata, "src/detect/mod.rs")?,
        // For the types that those take from it.
        generated[0].clone(),
    ];
    let mut rust = Interface::parse(&format!("the source of suricata {version}"), &rust)?;
    let sys = Interface::parse(&format!("suricata-sys {version}"), &generated)?;
    rust.functions.retain(|name, _| !sys.functions.contains_key(name));
    rust.records.retain(|name, _| !sys.records.contains_key(name));
    rust.rewrite_source();
    let header = bind_header(&suricata)?;
    let header = Interface::parse(&format!("rust-bindings.h of suricata {version}"), &[header])?;
    Ok(Release { sys, header, rust })
}

/// The folder of this test's files.
pub(crate) fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi")
}

fn read(folder: &Path, file: &str) -> Result<String, String> {
    let path = folder.join(file);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The package that names the crates of a version.
pub(crate) fn package(version: &str) -> PathBuf {
    here().join(format!("v{}", version.replace('.', "_")))
}

/// The folders of a version's crates. Cargo downloads what it does not have; it
/// builds nothing.
fn fetch<const N: usize>(version: &str, names: [&str; N]) -> Result<[PathBuf; N], String> {
    let package = package(version);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(package.join("Cargo.toml"))
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cargo could not fetch suricata {version}: {why}"));
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let mut folders = std::array::from_fn(|_| PathBuf::new());
    for (folder, name) in folders.iter_mut().zip(names) {
        *folder = manifest_folder(&metadata, name, version)
            .ok_or_else(|| format!("cargo metadata has no {name} {version}"))?;
    }
    Ok(folders)
}

fn manifest_folder(metadata: &serde_json::Value, name: &str, version: &str) -> Option<PathBuf> {
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|it| it["name"] == name && it["version"] == version)?;
    Some(Path::new(package["manifest_path"].as_str()?).parent()?.to_owned())
}

/// bindgen's output for the crate's header.
fn bind_header(suricata: &Path) -> Result<String, String> {
    let bindings = bindgen::Builder::default()
        .header(here().join("prelude.h").to_string_lossy())
        .header(suricata.join("gen/rust-bindings.h").to_string_lossy())
        .constified_enum("AppLayerEventType")
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate()
        .map_err(|error| error.to_string())?;
    Ok(bindings.to_string())
}
