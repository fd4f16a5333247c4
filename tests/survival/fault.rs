//! A panic in each of the plugin's callbacks: one message, and Suricata goes on.
//!
//! The plugin is a build for tests with the feature `fault-injection`, which makes the
//! callback panic that the environment names.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::project::{entries, fresh_folder, project, target};
use testkit::suricata::{self, Suricata};
use testkit::work::{on_all_cores, say};

use crate::{command, folder, printed, put_capture, stats};

/// What a panic in a callback costs.
#[derive(Clone, Copy, PartialEq)]
enum Cost {
    /// All that the plugin does, or much of it.
    Start,
    /// Every flow that is asked about, if all panic.
    Flow,
    /// Rules, records or counters.
    Less,
}

/// The callbacks by the function that does the work, with the one that has the guard
/// where these are two.
const CALLBACKS: &[(&str, &str, Cost)] = &[
    ("SCPluginRegister", "", Cost::Start),
    ("initialise", "", Cost::Start),
    ("register", "register_parser", Cost::Start),
    ("register_keywords", "", Cost::Start),
    ("probe_content", "", Cost::Flow),
    ("probe_port", "", Cost::Flow),
    ("thread_starts", "thread_start", Cost::Less),
    ("thread_ends", "thread_end", Cost::Less),
    ("state_new", "", Cost::Flow),
    ("state_free", "", Cost::Less),
    ("parse_to_server", "", Cost::Flow),
    ("parse_to_client", "", Cost::Flow),
    ("get_tx_count", "", Cost::Flow),
    ("get_tx", "", Cost::Flow),
    ("tx_free", "", Cost::Flow),
    ("get_tx_iterator", "", Cost::Flow),
    ("get_state_data", "", Cost::Flow),
    ("get_event_info", "", Cost::Less),
    ("get_event_info_by_id", "", Cost::Less),
    ("log_transaction", "", Cost::Less),
    ("setup", "", Cost::Less),
    ("free", "", Cost::Less),
    ("match_transaction", "", Cost::Less),
    ("single_buffer", "", Cost::Less),
    ("multi_buffer", "", Cost::Less),
    ("rule_was_read", "", Cost::Less),
    ("token_buffer", "", Cost::Less),
    ("free_sas", "", Cost::Less),
    ("on_record", "", Cost::Less),
    ("free_candidate", "", Cost::Less),
    ("on_packet", "", Cost::Less),
    ("count", "", Cost::Less),
];

/// Guarded, and not to be reached here: the loader's call in a build for release, the
/// plugin's own thread, which runs with a key table, and the guard's own callers.
const NOT_REACHED: &[&str] = &["on_load", "begin_watching", "guard_flow"];

/// The functions of the host's part that run in a guard, as its sources have it.
fn guarded() -> BTreeSet<String> {
    let mut guarded = BTreeSet::new();
    let mut folders = vec![project().join("src/host")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("guard.rs") {
                guarded.extend(guarded_in(&path));
            }
        }
    }
    guarded
}

fn guarded_in(file: &Path) -> Vec<String> {
    let (mut guarded, mut function) = (Vec::new(), String::new());
    for line in fs::read_to_string(file).expect("a source").lines() {
        if let Some((_, rest)) =
            line.split_once("fn ").filter(|_| line.contains('(') || line.ends_with('<'))
        {
            let end = rest.find(['(', '<']).unwrap_or(rest.len());
            rest[..end].clone_into(&mut function);
        }
        let calls = ["guard(", "guard_flow("].iter().any(|call| line.contains(call));
        if calls && !line.contains("fn ") {
            guarded.push(function.clone());
        }
    }
    guarded
}

#[test]
fn every_callback_that_is_guarded_is_tried() {
    let tried =
        CALLBACKS.iter().map(|(name, outer, _)| if outer.is_empty() { name } else { outer });
    let known: BTreeSet<_> = tried.chain(NOT_REACHED).map(|name| (*name).to_owned()).collect();
    assert_eq!(guarded(), known);
}

/// Builds the plugin with the feature, beside the tests' own builds; its path.
fn plugin() -> PathBuf {
    let folder = target().join("fault-injection");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--lib", "--quiet", "--features", "fault-injection", "--target-dir"])
        .arg(target())
        .current_dir(project())
        .status();
    assert!(status.expect("cargo runs").success(), "the plugin was not built");
    fresh_folder(&folder).expect("a folder can be made");
    let plugin = folder.join("ikev2.so");
    fs::rename(target().join("debug/libsuricata_ikev2.so"), &plugin).expect("the plugin is there");
    plugin
}

/// The stock configuration with this plugin.
fn configuration(plugin: &Path) -> PathBuf {
    let suricata = Suricata::get();
    let text = fs::read_to_string(suricata.configuration()).expect("the configuration");
    let (before, rest) = text.split_once("\nplugins:\n  - ").expect("a plugin in it");
    let (_, after) = rest.split_once('\n').expect("lines behind it");
    let file = plugin.with_extension("yaml");
    let text = format!("{before}\nplugins:\n  - {}\n{after}", plugin.display());
    fs::write(&file, text).expect("a file can be written");
    file
}

/// What is left of a run: packets that Suricata saw, messages parsed, and what it said of
/// a panic.
struct Rest {
    packets: u64,
    messages: u64,
    said: Vec<String>,
}

fn run(configuration: &Path, capture: &Path, fault: &str) -> Rest {
    let folder = folder(&format!("fault-{}", fault.replace('/', "-")));
    let mut command = command(&folder, configuration);
    // What the project's rules have another way for.
    let others = "alert ikev2 any any -> any any (ikev2.init_spi; content:\"0\"; sid:1;)
alert ikev2 any any -> any any (app-layer-event:ikev2.malformed_data; sid:2;)
";
    let rules = folder.join("all.rules");
    let text = fs::read_to_string(&rules).expect("the rules") + others;
    fs::write(rules, text).expect("a file can be written");
    command.args(["-k", "none", "-r"]).arg(capture).env("SURICATA_IKEV2_FAULT", fault);
    let status = suricata::run(&mut command, &folder).expect("Suricata runs");
    assert!(status.success(), "{fault}: {status}, see {}", folder.display());
    let is_panic = |line: &&str| line.contains("internal error") || line.contains("panicked at");
    let said = printed(&folder).lines().filter(is_panic).map(str::to_owned).collect();
    let stats = stats(&folder);
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
    let rest = Rest {
        packets: number(&stats["decoder"]["pkts"]),
        messages: number(&stats["app_layer"]["tx"]["ikev2"]),
        said,
    };
    fs::remove_dir_all(folder).expect("the folder is ours");
    rest
}

/// Whether `suricata -T` takes the configuration.
fn passes_test(configuration: &Path, fault: &str) -> bool {
    let folder = folder(&format!("fault-test-{fault}"));
    let mut command = command(&folder, configuration);
    command.arg("-T").env("SURICATA_IKEV2_FAULT", fault);
    let passes = suricata::run(&mut command, &folder).expect("Suricata runs").success();
    fs::remove_dir_all(folder).expect("the folder is ours");
    passes
}

#[test]
fn a_panic_in_any_callback_costs_no_more_than_it_has_to() {
    let plugin = plugin();
    let configuration = configuration(&plugin);
    let (capture, packets) = put_capture(plugin.parent().expect("a folder"), 48);
    let none = run(&configuration, &capture, "none");
    assert_eq!((none.packets, none.said.len()), (packets, 0));
    assert!(passes_test(&configuration, "none"));
    assert!(none.messages > packets / 4, "{} messages", none.messages);
    on_all_cores(CALLBACKS, |(name, _, cost)| {
        let rest = run(&configuration, &capture, name);
        assert_eq!(rest.packets, packets, "{name}");
        assert_eq!(rest.said.len(), 1, "{name}: {:?}", rest.said);
        match cost {
            // Nobody finds out from silence.
            Cost::Start => assert!(!passes_test(&configuration, name), "{name}"),
            Cost::Flow => {}
            Cost::Less => assert!(rest.messages > none.messages / 2, "{name}: {}", rest.messages),
        }
        if *cost == Cost::Flow {
            let rest = run(&configuration, &capture, &format!("{name}/1"));
            assert_eq!(rest.said.len(), 1, "{name}/1: {:?}", rest.said);
            assert!(rest.messages > none.messages * 9 / 10, "{name}/1: {}", rest.messages);
        }
    });
    say(&format!("{} callbacks panicked, and Suricata went on", CALLBACKS.len()));
    fs::remove_dir_all(plugin.parent().expect("a folder")).expect("the folder is ours");
}
