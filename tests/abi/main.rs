//! What crosses the boundary to Suricata is what Suricata 8.0 says it is.
//!
//! The plugin is compiled from this project's declaration of Suricata's C, and
//! loaded by programs that were compiled from Suricata's own. Nothing checks that
//! they agree when it is loaded; a difference is a crash. So this compares the
//! bindings that the plugin is built with, for the first 8.0 release and the
//! newest, to
//!
//! - `suricata-sys`, the official bindings to the C side;
//! - the crate `suricata`: the header made from it for the C side, and its source;
//! - the symbols of a real Suricata;
//! - the real headers, when `SURICATA_INCLUDE_DIR` names them.
//!
//! Cargo fetches the crates through the two packages beside this file; they are
//! read, not built, unless `IKEV2_ABI_FULL=1`, for which the crate `suricata` is
//! compiled too, for minutes. A check that lacks what it needs says on stderr that it is
//! skipped; with `IKEV2_ABI_REQUIRE=1` that fails.

mod compare;
mod full;
mod interface;
mod known;
mod layout;
mod sources;
mod symbols;

use compare::{declared, Pair, Strictness};
use interface::Interface;
use known::{
    EXCEPTIONS, HEADER_CONSTANTS, HEADER_FUNCTIONS, HEADER_RECORDS, RENAMED, REPEATED_CONSTANTS,
};
use layout::Layouts;
use sources::{Release, VERSIONS};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::LazyLock;
use symbols::Wanted;

/// Everything that is compared, read once.
struct World {
    ours: Interface,
    releases: Vec<Release>,
    our_layouts: Layouts,
    /// For each release, those of its three kinds of source.
    layouts: Vec<[Layouts; 3]>,
}

fn world() -> &'static World {
    static WORLD: LazyLock<Result<World, String>> = LazyLock::new(World::read);
    WORLD.as_ref().unwrap_or_else(|it| panic!("{it}"))
}

impl World {
    fn read() -> Result<Self, String> {
        let mut ours = Interface::parse("the plugin's bindings", &[built_bindings()])?;
        // Those made from the real headers have also what lies behind the host's pointers.
        ours.records.retain(|name, _| OWN.records.contains_key(name));
        ours.constants.retain(|name, _| OWN.constants.contains_key(name));
        let releases =
            VERSIONS.into_iter().map(sources::release).collect::<Result<Vec<_>, String>>()?;
        let mut interfaces = vec![&ours];
        interfaces.extend(releases.iter().flat_map(Release::interfaces));
        let mut measured = layout::measure("layouts", &interfaces, &ours)?.into_iter();
        let our_layouts = measured.next().unwrap_or_default();
        let layouts = releases
            .iter()
            .map(|_| std::array::from_fn(|_| measured.next().unwrap_or_default()))
            .collect();
        Ok(Self { ours, releases, our_layouts, layouts })
    }

    /// The comparison with one kind of source, release by release, and the
    /// layouts that this source's records have.
    fn pairs(&self, kind: Kind) -> impl Iterator<Item = (Pair<'_>, &Layouts)> {
        self.releases.iter().zip(&self.layouts).map(move |(release, layouts)| {
            let index = kind as usize;
            (kind.pair(&self.ours, release.interfaces()[index]), &layouts[index])
        })
    }
}

/// The kinds of source, in the order of `Release::interfaces`.
#[derive(Clone, Copy)]
enum Kind {
    Sys,
    Header,
    Rust,
}

const KINDS: [Kind; 3] = [Kind::Sys, Kind::Header, Kind::Rust];

impl Kind {
    fn pair<'a>(self, ours: &'a Interface, theirs: &'a Interface) -> Pair<'a> {
        match self {
            Self::Sys | Self::Header => same(ours, theirs),
            Self::Rust => Pair {
                ours,
                theirs,
                strictness: Strictness::Called,
                renamed: &RENAMED,
                exceptions: &EXCEPTIONS,
            },
        }
    }
}

fn same<'a>(ours: &'a Interface, theirs: &'a Interface) -> Pair<'a> {
    Pair { ours, theirs, strictness: Strictness::Same, renamed: &[], exceptions: &[] }
}

/// What the plugin is compiled from: build.rs's output.
fn built_bindings() -> &'static str {
    include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"))
}

/// What build.rs makes of the project's own header, even if the plugin is built with others.
fn own_bindings() -> &'static str {
    include_str!(concat!(env!("OUT_DIR"), "/own-bindings.rs"))
}

/// Prints past the test harness, which shows nothing of a test that passes.
fn tell(text: &str) {
    let _ = std::io::stderr().write_all(format!("abi: {text}\n").as_bytes());
}

fn skip(check: &str, why: &str) {
    assert!(std::env::var_os("IKEV2_ABI_REQUIRE").is_none(), "{check} cannot be checked: {why}");
    tell(&format!("SKIPPED: {check}: {why}"));
}

#[track_caller]
fn expect_none(what: &str, differences: &[String]) {
    assert!(differences.is_empty(), "{what}:\n    {}\n", differences.join("\n    "));
}

/// Fails for differences, and for a comparison that compared nothing.
#[track_caller]
fn report(what: &str, compared: usize, differences: &[String]) {
    expect_none(what, differences);
    assert_ne!(compared, 0, "{what}: nothing was compared");
    tell(&format!("{what}: {compared} compared"));
}

fn check_functions(kind: Kind) {
    for (pair, _) in world().pairs(kind) {
        let (compared, differences) = pair.functions();
        report(&format!("functions of {}", pair.theirs.name), compared, &differences);
    }
}

fn check_records(kind: Kind) {
    for (pair, layouts) in world().pairs(kind) {
        let (records, fields, mut differences) = pair.records();
        let (numbers, wrong) = pair.layouts(&world().our_layouts, layouts);
        differences.extend(wrong);
        let of = &pair.theirs.name;
        expect_none(&format!("structures of {of}"), &differences);
        // Two numbers a record and one a field: none was left out.
        assert_eq!(numbers, 2 * records + fields, "{of}: not every layout was measured");
        report(&format!("structures of {of}, {records} with {fields} fields"), records, &[]);
    }
}

#[test]
fn functions_are_as_suricata_sys_declares_them() {
    check_functions(Kind::Sys);
}

#[test]
fn functions_are_as_the_header_of_the_suricata_crate_declares_them() {
    check_functions(Kind::Header);
}

#[test]
fn functions_are_as_the_source_of_the_suricata_crate_calls_them() {
    check_functions(Kind::Rust);
}

#[test]
fn structures_are_as_suricata_sys_has_them() {
    check_records(Kind::Sys);
}

#[test]
fn structures_are_as_the_header_of_the_suricata_crate_has_them() {
    check_records(Kind::Header);
}

#[test]
fn structures_are_as_the_source_of_the_suricata_crate_has_them() {
    check_records(Kind::Rust);
}

#[test]
fn constants_are_the_official_ones() {
    let mut unchecked: BTreeSet<_> = world().ours.constants.keys().collect();
    for kind in KINDS {
        for (pair, _) in world().pairs(kind) {
            let (compared, differences) = pair.constants();
            expect_none("constants", &differences);
            unchecked.retain(|name| !pair.theirs.constants.contains_key(*name));
            tell(&format!("constants of {}: {compared} compared", pair.theirs.name));
        }
    }
    for (name, value) in HEADER_CONSTANTS {
        assert_eq!(world().ours.constants.get(name), Some(&value), "{name}");
    }
    unchecked.retain(|name| !HEADER_CONSTANTS.iter().any(|(known, _)| known == name));
    assert!(unchecked.is_empty(), "constants that no official source has: {unchecked:?}");
}

#[test]
fn constants_repeated_in_the_source_are_the_official_ones() {
    for (file, name, official) in REPEATED_CONSTANTS {
        let ours = repeated_constant(file, name);
        let mut compared = 0;
        for theirs in world().releases.iter().flat_map(Release::interfaces) {
            if let Some(value) = theirs.constants.get(official) {
                assert_eq!(ours, *value, "{file}: {name} is not {official} of {}", theirs.name);
                compared += 1;
            }
        }
        assert!(compared >= VERSIONS.len(), "{official} is not in every release");
    }
}

fn repeated_constant(file: &str, name: &str) -> i64 {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = std::fs::read_to_string(&path).unwrap_or_else(|it| panic!("{file}: {it}"));
    let interface = Interface::parse(file, &[source]).unwrap_or_else(|it| panic!("{it}"));
    let value = interface.constants.get(name);
    *value.unwrap_or_else(|| panic!("{file} has no constant {name}: tell tests/abi/known.rs"))
}

#[test]
fn every_function_is_in_the_first_release_and_in_the_newest() {
    for (release, version) in world().releases.iter().zip(VERSIONS) {
        let official = release.interfaces();
        let unknown: Vec<_> = world()
            .ours
            .functions
            .keys()
            .filter(|name| !official.iter().any(|it| declared(it, name).is_some()))
            .filter(|name| !HEADER_FUNCTIONS.iter().any(|it| it.name == *name))
            .collect();
        assert!(unknown.is_empty(), "functions that nothing of {version} declares: {unknown:?}");
    }
}

#[test]
fn every_structure_is_compared_with_each_release() {
    for (release, version) in world().releases.iter().zip(VERSIONS) {
        let official = release.interfaces();
        let unknown: Vec<_> = OWN
            .records
            .keys()
            .filter(|name| !official.iter().any(|it| it.records.contains_key(*name)))
            .filter(|name| !HEADER_RECORDS.iter().any(|it| it.name == *name))
            .collect();
        assert!(unknown.is_empty(), "structures that nothing of {version} has: {unknown:?}");
    }
}

/// The project's own header, as build.rs names it.
const OWN_HEADER: &str = "src/sys/suricata.h";

/// What the project's own header declares.
static OWN: LazyLock<Interface> = LazyLock::new(|| {
    Interface::parse(OWN_HEADER, &[own_bindings()]).unwrap_or_else(|it| panic!("{it}"))
});

#[test]
fn functions_that_only_c_headers_declare_are_as_they_were_read_there() {
    for function in &HEADER_FUNCTIONS {
        let (name, header) = (function.name, function.header);
        let ours = world().ours.functions.get(name);
        assert_eq!(ours.map(String::as_str), Some(function.spelled), "{name} of {header}");
        for theirs in world().releases.iter().flat_map(Release::interfaces) {
            assert!(declared(theirs, name).is_none(), "{name}: compare with {} too", theirs.name);
        }
    }
    tell(&format!("functions of C headers alone: {} compared", HEADER_FUNCTIONS.len()));
}

#[test]
fn structures_that_only_c_headers_have_are_as_they_were_read_there() {
    for record in &HEADER_RECORDS {
        let (name, header) = (record.name, record.header);
        let ours = world().ours.records.get(name).map(|it| it.fields.clone());
        let fields = record.fields.iter().map(|(field, is)| ((*field).into(), (*is).into()));
        assert_eq!(ours, Some(fields.collect()), "{name} of {header}");
        let layout = world().our_layouts.get(name).map(|it| (it.size, it.align));
        assert_eq!(layout, Some(record.size_and_align), "size and alignment of {name} of {header}");
    }
    tell(&format!("structures of C headers alone: {} compared", HEADER_RECORDS.len()));
}

#[test]
fn every_exception_is_still_one() {
    for exception in &EXCEPTIONS {
        for release in &world().releases {
            let ours = spelled(&world().ours, exception.what, false);
            let theirs = spelled(&release.rust, exception.what, true);
            let expected = (Some(exception.ours), Some(exception.theirs));
            assert_eq!((ours, theirs), expected, "{} of {}", exception.what, release.rust.name);
        }
    }
}

/// The type of a field or function.
fn spelled<'i>(interface: &'i Interface, what: &str, official: bool) -> Option<&'i str> {
    let Some((record, field)) = what.split_once('.') else {
        return declared(interface, what).map(String::as_str);
    };
    let renamed = RENAMED.iter().find(|(here, _)| *here == what);
    let field = renamed.filter(|_| official).map_or(field, |(_, there)| there);
    let fields = &interface.records.get(record)?.fields;
    fields.iter().find(|(name, _)| name == field).map(|(_, spelled)| spelled.as_str())
}

/// The project's header against the real ones, with build.rs's settings for both.
#[test]
fn the_real_headers_declare_the_same() {
    const CHECK: &str = "the real headers";
    if env!("IKEV2_BINDINGS_HEADER") == OWN_HEADER {
        return skip(CHECK, "SURICATA_INCLUDE_DIR is not set (scripts/suricata.sh --headers)");
    }
    let real = Interface::parse(CHECK, &[built_bindings()]).unwrap_or_else(|it| panic!("{it}"));
    let pair = same(&OWN, &real);
    let (functions, differences) = pair.functions();
    report("functions of the real headers", functions, &differences);
    assert_eq!(functions, OWN.functions.len(), "functions are missing in the real headers");
    let layouts = layout::measure("real", &[&OWN, &real], &OWN).unwrap_or_else(|it| panic!("{it}"));
    let (records, fields, mut differences) = pair.records();
    let (numbers, wrong) = pair.layouts(&layouts[0], &layouts[1]);
    differences.extend(wrong);
    expect_none("structures of the real headers", &differences);
    assert_eq!((records, numbers), (OWN.records.len(), 2 * records + fields), "some are missing");
    report(&format!("structures of the real headers, {fields} fields"), records, &[]);
    let (constants, differences) = pair.constants();
    report("constants of the real headers", constants, &differences);
}

#[test]
fn the_compiled_suricata_crate_has_the_same_layouts() {
    const CHECK: &str = "layouts of the compiled suricata crate";
    if std::env::var_os("IKEV2_ABI_FULL").is_none() {
        return tell(&format!("SKIPPED: {CHECK}: IKEV2_ABI_FULL is not set (it takes minutes)"));
    }
    for (release, version) in world().releases.iter().zip(VERSIONS) {
        let asserted = full::check(version, &world().ours, &release.rust, &world().our_layouts);
        let asserted = asserted.unwrap_or_else(|it| panic!("suricata {version}: {it}"));
        report(&format!("{CHECK} {version}"), asserted, &[]);
    }
}

#[test]
fn the_real_suricata_exports_every_function() {
    let Some(exports) = real_exports() else { return };
    let declared = world().ours.functions.keys().cloned().collect();
    look_up("functions of the bindings", &declared, &exports, "exported by the real Suricata");
}

#[test]
fn the_real_suricata_exports_every_symbol_the_plugin_wants() {
    let (Some(exports), Some(wanted)) = (real_exports(), wanted_names()) else { return };
    look_up("symbols of the plugin", &wanted, &exports, "exported by the real Suricata");
}

#[test]
fn the_plugin_wants_only_what_is_compared_here() {
    let Some(wanted) = wanted_names() else { return };
    let declared = world().ours.functions.keys().cloned().collect();
    look_up("symbols of the plugin", &wanted, &declared, "declared by the bindings");
}

/// Any Suricata loads a plugin whose references are weak, and is told by it which
/// one it is for. Only where the whole plugin is optimised together does what
/// `build.rs` says hold for all of it.
#[test]
fn a_released_plugin_is_loaded_whatever_the_host_lacks() {
    const CHECK: &str = "the references of a released plugin";
    if std::env::var_os("SURICATA_IKEV2_PLUGIN").is_none() {
        return skip(CHECK, "SURICATA_IKEV2_PLUGIN is not set");
    }
    let Some(wanted) = wanted() else { return };
    let strong: Vec<_> = wanted.iter().filter(|it| !it.weak).map(|it| it.name.clone()).collect();
    expect_none("references that are not weak", &strong);
    report(CHECK, wanted.len(), &[]);
}

/// Fails when a name is not among those that are there.
#[track_caller]
fn look_up(what: &str, names: &BTreeSet<String>, there: &BTreeSet<String>, are: &str) {
    let missing: Vec<_> = names.difference(there).cloned().collect();
    expect_none(&format!("{what} that are not {are}"), &missing);
    report(&format!("{what}, all {are}"), names.len(), &[]);
}

fn real_exports() -> Option<BTreeSet<String>> {
    let exports = symbols::suricata().and_then(|path| symbols::exports(&path));
    exports.map_err(|why| skip("the symbols of the real Suricata", &why)).ok()
}

fn wanted_names() -> Option<BTreeSet<String>> {
    wanted().map(|wanted| wanted.into_iter().map(|it| it.name).collect())
}

fn wanted() -> Option<BTreeSet<Wanted>> {
    let wanted = symbols::plugin().and_then(|path| symbols::wanted_from_host(&path));
    wanted.map_err(|why| skip("the symbols of the plugin", &why)).ok()
}

/// What the checks above say of an interface that is wrong in one place.
mod mistakes {
    use super::*;

    /// The differences from every release, after `mistake` is made in the bindings.
    fn found(kind: Kind, mistake: impl FnOnce(&mut Interface)) -> Vec<String> {
        let mut wrong = OWN.clone();
        mistake(&mut wrong);
        let theirs = |release| Release::interfaces(release)[kind as usize];
        let pairs = world().releases.iter().map(|release| kind.pair(&wrong, theirs(release)));
        pairs.flat_map(|pair| [pair.functions().1, pair.records().2].concat()).collect()
    }

    fn fields<'i>(interface: &'i mut Interface, name: &str) -> &'i mut Vec<(String, String)> {
        &mut interface.records.get_mut(name).expect("a record").fields
    }

    #[track_caller]
    fn assert_names(differences: &[String], what: &str) {
        assert!(differences.iter().any(|it| it.starts_with(what)), "{what} not in {differences:?}");
    }

    #[test]
    fn two_fields_of_one_type_in_the_wrong_order_are_named() {
        let header = found(Kind::Header, |it| fields(it, "AppLayerTxData").swap(1, 2));
        assert_names(&header, "AppLayerTxData.updated_ts: field 2 of AppLayerTxData is");
        let source = found(Kind::Rust, |it| fields(it, "AppLayerParser").swap(9, 10));
        assert_names(&source, "AppLayerParser.ParseTC: field 10 of AppLayerParser is");
    }

    #[test]
    fn a_missing_field_is_named() {
        let sys = found(Kind::Sys, |it| {
            fields(it, "SCSigTableAppLiteElmt").pop();
        });
        assert_names(&sys, "SCSigTableAppLiteElmt has 6 fields here, 7 in suricata-sys 8.0.0");
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        let sys = found(Kind::Sys, |it| fields(it, "SCAppLayerPlugin")[5].1 = "u32".to_owned());
        assert_names(&sys, "SCAppLayerPlugin.dir:");
    }

    #[test]
    fn a_function_with_the_wrong_parameter_is_named() {
        for (kind, name) in [(Kind::Sys, "SCConfGetNode"), (Kind::Rust, "FlowGetSourcePort")] {
            let differences = found(kind, |it| {
                it.functions.insert(name.to_owned(), "Option<fn(u8)>".to_owned());
            });
            assert_names(&differences, &format!("{name}:"));
        }
    }

    #[test]
    fn a_constant_of_the_wrong_value_is_named() {
        let mut wrong = OWN.clone();
        wrong.constants.insert("SC_LOG_INFO".to_owned(), 5);
        let (_, differences) = same(&wrong, &world().releases[0].sys).constants();
        assert_names(&differences, "SC_LOG_INFO is 5 here, 4 in suricata-sys 8.0.0");
    }

    #[test]
    fn a_wider_field_is_found_in_the_layout() {
        let mut wrong = OWN.clone();
        fields(&mut wrong, "AppLayerResult")[1].1 = "u64".to_owned();
        wrong.rewrite_source();
        let measured = layout::measure("wrong", &[&wrong], &OWN).expect("layouts");
        let pair = same(&wrong, &world().releases[0].header);
        let (_, differences) =
            pair.layouts(&measured[0], &world().layouts[0][Kind::Header as usize]);
        assert_names(&differences, "the size of AppLayerResult is 24 here, 12 in");
        assert_names(&differences, "the alignment of AppLayerResult is 8 here, 4 in");
        assert_names(&differences, "the offset of AppLayerResult.consumed is 8 here, 4 in");
    }
}
