//! Runs every case of `tests/verify` in the real Suricata.
//!
//! The cases are in the format of suricata-verify, whose own runner takes them
//! as they are: run this test once, change to `target/suricata-verify`, and call
//! `run.py --testdir` with the folder of the cases.
//!
//! Every record the plugin writes on the way is held against
//! `suricata-config/ikev2-eve.schema.json`.
//!
//! `VERIFY=WORD` runs only the cases whose name has the word in it.
//! `SURICATA` names another Suricata, `SURICATA_IKEV2_PLUGIN` another plugin.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::case::Case;
use testkit::project::{entries, project};
use testkit::suricata::Suricata;
use testkit::work::{on_all_cores, say};
use testkit::{craft, eve};

/// How a case ended.
enum Outcome {
    Passed { checks: usize, records: usize },
    Skipped(String),
    Failed(String),
}

#[test]
fn cases() {
    let suricata = Suricata::get();
    let folders = folders();
    assert!(!folders.is_empty(), "no case has '{}' in its name", filter());
    let outcomes = on_all_cores(&folders, |folder| {
        let outcome = run(suricata, folder).unwrap_or_else(Outcome::Failed);
        report(&name(folder), &outcome);
        outcome
    });
    let skipped = outcomes.iter().filter(|one| matches!(one, Outcome::Skipped(_))).count();
    let failed = outcomes.iter().filter(|one| matches!(one, Outcome::Failed(_))).count();
    let (checks, records) = outcomes.iter().fold((0, 0), |sums, outcome| match outcome {
        Outcome::Passed { checks, records } => (sums.0 + checks, sums.1 + records),
        _ => sums,
    });
    say(&format!(
        "{} cases, {skipped} skipped, {failed} failed; {checks} checks passed, \
         {records} records are valid",
        outcomes.len()
    ));
    assert_eq!(failed, 0, "cases failed; see above");
    assert!(records > 0 || !filter().is_empty(), "no record was validated");
}

#[test]
fn crafted_captures_are_as_made() {
    for (case, capture) in craft::captures() {
        craft::compare(case, &capture).unwrap_or_else(|error| panic!("{error}"));
    }
}

fn run(suricata: &Suricata, folder: &Path) -> Result<Outcome, String> {
    let case = Case::read(folder)?;
    if let Some(obstacle) = case.obstacle(suricata)? {
        return Ok(Outcome::Skipped(obstacle));
    }
    let output = suricata.root.join("output").join(&case.name);
    let kept = |error: String| format!("{error}\noutput: {}", output.display());
    let mut faults = case.run(suricata, &output).map_err(kept)?;
    let records = output.join("eve.json");
    let (mut count, mut invalid) = (0, Vec::new());
    if records.exists() {
        (count, invalid) = eve::validate(&records).map_err(kept)?;
    }
    faults.append(&mut invalid);
    if !faults.is_empty() {
        return Err(kept(faults.join("\n")));
    }
    fs::remove_dir_all(&output).map_err(|error| error.to_string())?;
    Ok(Outcome::Passed { checks: case.checks(), records: count })
}

fn folders() -> Vec<PathBuf> {
    let filter = filter();
    let mut folders = entries(&project().join("tests/verify"));
    folders.retain(|path| path.is_dir() && name(path).contains(&filter));
    folders
}

fn filter() -> String {
    std::env::var("VERIFY").unwrap_or_default()
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn report(name: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Passed { checks, .. } => say(&format!("verify {name} ... ok ({checks} checks)")),
        Outcome::Skipped(why) => say(&format!("verify {name} ... skipped: {why}")),
        Outcome::Failed(why) => {
            say(&format!("verify {name} ... FAILED\n    {}", why.replace('\n', "\n    ")));
        }
    }
}
