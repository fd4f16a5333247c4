//! Where the tests find Suricata and the plugin, and how they run them.
//!
//! Both runners, ours and upstream's, work in a folder laid out like a built
//! Suricata's sources: `target/suricata-verify` with `src/suricata`,
//! `suricata.yaml` and `etc/`. The configuration is the stock one of the
//! Suricata that was found, with the plugin added as a user would.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

use crate::project::{project, target};

/// Longer than any run takes on a slow machine.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A Suricata with the plugin, ready to run.
pub struct Suricata {
    /// The folder laid out like Suricata's sources.
    pub root: PathBuf,
}

impl Suricata {
    /// Finds Suricata and builds the plugin, once.
    ///
    /// # Panics
    ///
    /// When either cannot be had, since then there is nothing to test.
    pub fn get() -> &'static Self {
        static FOUND: OnceLock<Result<Suricata, String>> = OnceLock::new();
        match FOUND.get_or_init(Self::prepare) {
            Ok(suricata) => suricata,
            Err(error) => panic!("{error}"),
        }
    }

    fn prepare() -> Result<Self, String> {
        let binary = PathBuf::from(script("scripts/suricata.sh", &[])?);
        let stock = PathBuf::from(script("scripts/suricata.sh", &["--etc"])?);
        let root = target().join("suricata-verify");
        let failed = |error: io::Error| format!("{}: {error}", root.display());
        fs::create_dir_all(root.join("src")).map_err(failed)?;
        fs::create_dir_all(root.join("etc")).map_err(failed)?;
        link(&binary, &root.join("src/suricata")).map_err(failed)?;
        for name in ["classification.config", "reference.config"] {
            link(&stock.join(name), &root.join("etc").join(name)).map_err(failed)?;
        }
        let stock = stock.join("suricata.yaml");
        link(&stock, &root.join("etc/suricata.yaml")).map_err(failed)?;
        let text = fs::read_to_string(&stock).map_err(|e| format!("{}: {e}", stock.display()))?;
        // Cases with a configuration of their own find the plugin at this name.
        let plugin = plugin()?;
        link(&plugin, &root.join("ikev2.so")).map_err(failed)?;
        let text = with_plugin(&text, &plugin);
        put(&root.join("suricata.yaml"), |path| fs::write(path, &text)).map_err(failed)?;
        Ok(Self { root })
    }

    /// The binary, or a wrapper of it.
    pub fn binary(&self) -> PathBuf {
        self.root.join("src/suricata")
    }

    /// The configuration of cases that have none of their own.
    pub fn configuration(&self) -> PathBuf {
        self.root.join("suricata.yaml")
    }

    /// The configuration that comes with the Suricata that was found.
    pub fn stock(&self) -> PathBuf {
        self.root.join("etc/suricata.yaml")
    }

    /// The binary with the configuration of cases and [`file_options`](Self::file_options).
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.binary());
        command.arg("-c").arg(self.configuration()).args(self.file_options());
        command
    }

    /// The `--set` options that name the files of a stock installation, and keep
    /// Suricata from making a socket in a folder of the system.
    pub fn file_options(&self) -> Vec<String> {
        let option = |key, name| format!("{key}={}", self.root.join("etc").join(name).display());
        vec![
            "--set".to_owned(),
            option("classification-file", "classification.config"),
            "--set".to_owned(),
            option("reference-config-file", "reference.config"),
            "--set".to_owned(),
            "unix-command.enabled=no".to_owned(),
        ]
    }

    /// What `--build-info` and `-V` print.
    ///
    /// # Errors
    ///
    /// When Suricata does not run.
    pub fn describe(&self, option: &str) -> Result<String, String> {
        output(Command::new(self.binary()).arg(option))
    }
}

/// `SURICATA_IKEV2_PLUGIN`, else the release build of these sources.
///
/// # Errors
///
/// When there is no file of that name, or when the build fails.
pub fn plugin() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("SURICATA_IKEV2_PLUGIN") {
        let path = PathBuf::from(path);
        return path
            .canonicalize()
            .map_err(|error| format!("SURICATA_IKEV2_PLUGIN={}: {error}", path.display()));
    }
    let target = target();
    output(
        Command::new(env!("CARGO"))
            .args(["build", "--release", "--lib", "--quiet", "--target-dir"])
            .arg(&target)
            .current_dir(project()),
    )?;
    let built = target.join("release/libsuricata_ikev2.so");
    if built.is_file() {
        Ok(built)
    } else {
        Err(format!("{} was not built", built.display()))
    }
}

/// The configuration with one plugin more, and nothing else changed.
fn with_plugin(configuration: &str, plugin: &Path) -> String {
    let entry = format!("plugins:\n  - {}\n", plugin.display());
    match configuration.split_once("\nplugins:\n") {
        Some((before, after)) => format!("{before}\n{entry}{after}"),
        None => format!("{configuration}\n{entry}"),
    }
}

fn script(path: &str, arguments: &[&str]) -> Result<String, String> {
    output(Command::new(project().join(path)).args(arguments)).map(|text| text.trim().to_owned())
}

fn output(command: &mut Command) -> Result<String, String> {
    let result = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if result.status.success() {
        Ok(String::from_utf8_lossy(&result.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&result.stderr);
        Err(format!("{command:?}: {}\n{}", result.status, complaint.trim_end()))
    }
}

fn link(target: &Path, name: &Path) -> io::Result<()> {
    put(name, |path| std::os::unix::fs::symlink(target, path))
}

/// Makes a file under another name first, so that nobody sees half of it.
fn put(name: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut other = name.as_os_str().to_owned();
    other.push(format!(".{}", process::id()));
    make(other.as_ref())?;
    fs::rename(other, name)
}

/// Runs a command to its end with its output in `stdout` and `stderr` of a
/// folder. Its descendants end with it when the time is up.
///
/// # Errors
///
/// When the command cannot be run, or does not end in time.
pub fn run(command: &mut Command, folder: &Path) -> Result<ExitStatus, String> {
    let file = |name| fs::File::create(folder.join(name)).map_err(|error| error.to_string());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file("stdout")?)
        .stderr(file("stderr")?)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{}: {error}", Path::new(command.get_program()).display()))?;
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        if begin.elapsed() > TIME_LIMIT {
            let _ = signal("-KILL", -i64::from(child.id()));
            let _ = child.wait();
            return Err(format!("stopped after {} s", TIME_LIMIT.as_secs()));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a process, or to a group if the number is negative, which the
/// standard library cannot. Whether there was one. Bash does it itself: not every machine
/// has a program for it.
///
/// # Panics
///
/// When bash does not run.
pub fn signal(name: &str, process: i64) -> bool {
    let send = ["-c", r#"kill "$@""#, "kill", name, "--", &process.to_string()];
    Command::new("bash").args(send).status().expect("bash runs").success()
}
