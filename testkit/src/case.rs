//! A case: a folder with a `test.yaml` in the format of suricata-verify.
//!
//! The keys that are understood here mean what they mean upstream; any other is
//! an error of the case, so that nothing is taken for checked that is not.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::check::{Check, Fields, Place};
use crate::project::fresh_folder;
use crate::suricata::{self, Suricata};
use crate::yaml;

/// What a `test.yaml` says.
#[derive(Debug)]
pub struct Case {
    /// The name of the folder.
    pub name: String,
    folder: PathBuf,
    requires: Requires,
    command: Option<String>,
    arguments: Vec<String>,
    pcap: Option<String>,
    rules: Option<String>,
    exit_code: i64,
    checks: Vec<Check>,
}

#[derive(Debug, Default)]
struct Requires {
    min_version: Option<String>,
    lt_version: Option<String>,
    features: Vec<String>,
    no_pcap: bool,
}

impl Case {
    /// Reads the case in a folder.
    ///
    /// # Errors
    ///
    /// When its `test.yaml` cannot be read, or says what is not understood.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let file = folder.join("test.yaml");
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let mut fields = Fields::of(yaml::parse(&text)?, "test.yaml")?;
        let case = Self {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            requires: Requires::parse(fields.take("requires"))?,
            command: fields.text("command")?,
            arguments: texts(fields.take("args"), "args")?,
            pcap: fields.text("pcap")?,
            rules: fields.text("rules")?,
            exit_code: integer(fields.take("exit-code"))?,
            checks: list(fields.take("checks"), "checks")?
                .into_iter()
                .map(Check::parse)
                .collect::<Result<_, _>>()?,
        };
        fields.end()?;
        Ok(case)
    }

    /// How many checks there are of its output.
    pub fn checks(&self) -> usize {
        self.checks.len()
    }

    /// Why the case cannot run with this Suricata, if it cannot.
    ///
    /// # Errors
    ///
    /// When Suricata does not say what it is.
    pub fn obstacle(&self, suricata: &Suricata) -> Result<Option<String>, String> {
        self.requires.unmet(suricata)
    }

    /// Runs Suricata and then the checks; each failure is a text.
    ///
    /// # Errors
    ///
    /// When the checks could not be run.
    pub fn run(&self, suricata: &Suricata, output: &Path) -> Result<Vec<String>, String> {
        fresh_folder(output).map_err(|e| format!("{}: {e}", output.display()))?;
        let environment = self.environment(suricata, output);
        let mut command = self.invocation(suricata, output, &environment)?;
        command.current_dir(&self.folder).envs(environment.iter().cloned());
        let status = suricata::run(&mut command, output)?;
        let code = status.code().or(status.signal().map(|signal| -signal));
        if code.map(i64::from) != Some(self.exit_code) {
            let tail = last_lines(&output.join("stderr"));
            return Err(format!("exit code: expected {}, found {code:?}\n{tail}", self.exit_code));
        }
        let place = Place { case: &self.folder, output, environment: &environment };
        let run = |(number, check): (usize, &Check)| {
            check.run(&place).err().map(|error| format!("check {}: {error}", number + 1))
        };
        Ok(self.checks.iter().enumerate().filter_map(run).collect())
    }

    fn environment(&self, suricata: &Suricata, output: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("SRCDIR", suricata.root.display().to_string()),
            ("TEST_DIR", self.folder.display().to_string()),
            ("OUTPUT_DIR", output.display().to_string()),
            ("TZ", "UTC".to_owned()),
        ]
    }

    fn invocation(
        &self,
        suricata: &Suricata,
        output: &Path,
        environment: &[(&'static str, String)],
    ) -> Result<Command, String> {
        if let Some(line) = &self.command {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(substitute(line, environment)?);
            return Ok(command);
        }
        let mut command = Command::new(suricata.binary());
        for argument in self.arguments.iter().flat_map(|text| text.split(char::is_whitespace)) {
            command.arg(substitute(argument, environment)?);
        }
        command.args(suricata.file_options());
        command.arg("--init-errors-fatal").arg("-l").arg(output);
        if self.name.contains("ips") {
            command.arg("--simulate-ips");
        }
        let own = self.folder.join("suricata.yaml");
        command.arg("-c").arg(if own.exists() { own } else { suricata.configuration() });
        if let Some(pcap) = self.pcap()? {
            command.arg("-r").arg(pcap);
        }
        match self.rules()? {
            Some(rules) => command.arg("-S").arg(rules),
            None => command.arg("--disable-detection"),
        };
        Ok(command)
    }

    fn pcap(&self) -> Result<Option<PathBuf>, String> {
        let found = self.file(self.pcap.as_deref(), &["pcap", "pcapng"])?;
        if found.is_none() && !self.requires.no_pcap {
            return Err(
                "there is no capture; say 'requires: {pcap: false}' if that is meant".into()
            );
        }
        Ok(found)
    }

    fn rules(&self) -> Result<Option<PathBuf>, String> {
        self.file(self.rules.as_deref(), &["rules"])
    }

    /// The file that is named, else the only one in the folder with a suffix.
    fn file(&self, named: Option<&str>, suffixes: &[&str]) -> Result<Option<PathBuf>, String> {
        if let Some(name) = named {
            let file = self.folder.join(name);
            return file.canonicalize().map(Some).map_err(|e| format!("{}: {e}", file.display()));
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let suffix = path.extension().unwrap_or_default();
            if suffixes.iter().any(|wanted| suffix == *wanted) {
                found.push(path);
            }
        }
        match found.len() {
            0 | 1 => Ok(found.pop()),
            count => Err(format!("{count} files end with .{}", suffixes.join(" or ."))),
        }
    }
}

impl Requires {
    fn parse(value: Option<Value>) -> Result<Self, String> {
        let Some(value) = value else { return Ok(Self::default()) };
        let mut fields = Fields::of(value, "requires")?;
        let parsed = Self {
            min_version: fields.take("min-version").map(|version| bare(&version)),
            lt_version: fields.take("lt-version").map(|version| bare(&version)),
            features: texts(fields.take("features"), "features")?,
            no_pcap: fields.take("pcap") == Some(Value::Bool(false)),
        };
        fields.end()?;
        Ok(parsed)
    }

    fn unmet(&self, suricata: &Suricata) -> Result<Option<String>, String> {
        let is = version(&suricata.describe("-V")?);
        if let Some(wanted) = self.min_version.as_deref().filter(|wanted| is < version(wanted)) {
            return Ok(Some(format!("requires at least version {wanted}")));
        }
        if let Some(wanted) = self.lt_version.as_deref().filter(|wanted| is >= version(wanted)) {
            return Ok(Some(format!("requires a version before {wanted}")));
        }
        if self.features.is_empty() {
            return Ok(None);
        }
        let information = suricata.describe("--build-info")?;
        let line = information.lines().find_map(|line| line.strip_prefix("Features:"));
        let present: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
        let missing = self.features.iter().find(|feature| !present.contains(&feature.as_str()));
        Ok(missing.map(|feature| format!("requires the feature {feature}")))
    }
}

/// The first run of numbers and dots in a text; what is left out counts as 0.
fn version(text: &str) -> [u32; 3] {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let mut numbers = text[start..]
        .split(|c: char| c != '.' && !c.is_ascii_digit())
        .next()
        .unwrap_or_default()
        .split('.')
        .map(|number| number.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

/// Replaces `$NAME` and `${NAME}`; `$$` is a dollar sign.
fn substitute(text: &str, environment: &[(&'static str, String)]) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
            continue;
        }
        let (name, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or_else(|| format!("no '}}' in {text:?}"))?,
            None => after.split_at(name_length(after)),
        };
        let value = environment.iter().find(|(known, _)| *known == name);
        result.push_str(&value.ok_or_else(|| format!("${name} is not known in {text:?}"))?.1);
        rest = after;
    }
    Ok(result + rest)
}

fn name_length(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len())
}

fn list(value: Option<Value>, what: &str) -> Result<Vec<Value>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(format!("{what} is not a list: {other}")),
    }
}

fn texts(value: Option<Value>, what: &str) -> Result<Vec<String>, String> {
    let text = |item: Value| match item {
        Value::String(text) => Ok(text),
        other => Err(format!("{what} has what is not a text: {other}")),
    };
    list(value, what)?.into_iter().map(text).collect()
}

fn integer(value: Option<Value>) -> Result<i64, String> {
    match value {
        None => Ok(0),
        Some(value) => value.as_i64().ok_or_else(|| format!("exit-code is not a number: {value}")),
    }
}

/// A version may be given as a text or as a number.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn last_lines(file: &Path) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::target;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert_eq!(version("This is Suricata version 8.0.10 RELEASE"), [8, 0, 10]);
        assert!(version("8.0.10") > version("8.0.9"));
        assert_eq!(version("8"), [8, 0, 0]);
    }

    #[test]
    fn variables_are_replaced_and_unknown_ones_are_errors() {
        let environment = [("TEST_DIR", "/case".to_owned())];
        let substitute = |text| substitute(text, &environment);
        assert_eq!(substitute("${TEST_DIR}/a $TEST_DIR/b $$c"), Ok("/case/a /case/b $c".into()));
        assert!(substitute("${HOME}").is_err());
        assert!(substitute("${TEST_DIR").is_err());
    }

    #[test]
    fn keys_that_are_not_understood_are_errors_of_the_case() {
        let folder = target().join("tmp/case-with-unknown-key");
        fresh_folder(&folder).expect("a folder");
        for (text, word) in [
            ("retry: 3\n", "retry"),
            ("requires:\n  lambda: 'True'\n", "lambda"),
            ("checks:\n  - filter: {count: 1, match: {}, requires: {}}\n", "requires"),
            ("exit-code: x\n", "exit-code"),
        ] {
            fs::write(folder.join("test.yaml"), text).expect("written");
            let error = Case::read(&folder).expect_err(text);
            assert!(error.contains(word), "{error}");
        }
    }
}
