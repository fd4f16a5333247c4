//! What an operator learns when the plugin cannot work: an error that says what to do, and
//! a failure where Suricata is told to fail (`-T`, `--init-errors-fatal`).
//!
//! The real Suricata, changed in a copy: it says that it has another version, lacks a
//! function, or has one that refuses what it is asked for.

use std::env::consts::ARCH;
use std::fs::{self, Permissions};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol};

use testkit::project::{fresh_folder, project};
use testkit::suricata::{self, Suricata};
use testkit::work::{on_all_cores, say};

/// What a copy of Suricata has that the released one has not.
enum Change {
    /// None.
    Nothing,
    /// It calls itself this, which is as long as what it was called.
    Version(&'static str),
    /// It exports no function of this name.
    Without(&'static str),
    /// None, but its configuration names another copy of the plugin too.
    Twice,
    /// This function does nothing but return this.
    Returns(&'static str, i32),
    /// This function writes its second argument, of 16 bits, three times to this offset of what
    /// the first one points to.
    WritesTo(&'static str, u8),
}

/// What `suricata -T` says and how it ends.
struct Case {
    name: &'static str,
    change: Change,
    options: &'static [&'static str],
    fails: bool,
    /// Of the error, if there is one; else no line of the plugin's may be one.
    says: Option<&'static str>,
}

const TEST: &[&str] = &["-T"];

const CASES: &[Case] = &[
    Case {
        name: "as it was released",
        change: Change::Nothing,
        options: TEST,
        fails: false,
        says: None,
    },
    Case {
        name: "another version, tested",
        change: Change::Version("8.1.0"),
        options: TEST,
        fails: true,
        says: Some(
            "and this is 8.1.0 RELEASE: the plugin stays off; install the release of the plugin",
        ),
    },
    Case {
        name: "another version, with errors that end it",
        change: Change::Version("8.1.0"),
        options: &["--init-errors-fatal", "-r"],
        fails: true,
        says: Some("and this is 8.1.0 RELEASE: the plugin stays off"),
    },
    Case {
        name: "another version, with errors that do not end it",
        change: Change::Version("8.1.0"),
        options: &["-r"],
        fails: false,
        says: Some("and this is 8.1.0 RELEASE: the plugin stays off"),
    },
    Case {
        name: "another version, and the plugin is off",
        change: Change::Version("8.1.0"),
        options: &["-T", "--set", "app-layer.protocols.ikev2.enabled=no"],
        fails: false,
        says: None,
    },
    Case {
        name: "an older form of plugins",
        change: Change::Version("7.0.9"),
        options: TEST,
        fails: true,
        says: Some("and this is 7.0.9 RELEASE: the plugin stays off"),
    },
    Case {
        name: "a function is missing",
        change: Change::Without("FlowGetFlags"),
        options: TEST,
        fails: true,
        says: Some("does not have FlowGetFlags: the plugin stays off; use an unchanged release"),
    },
    Case {
        name: "a function that only the prefilter needs is missing",
        change: Change::Without("SigAlloc"),
        options: TEST,
        fails: false,
        says: Some("does not have SigAlloc: rules with keywords of ikev2 have no prefilter"),
    },
    Case {
        name: "the plugin is loaded twice",
        change: Change::Twice,
        options: TEST,
        fails: true,
        says: Some("another copy of the plugin is loaded: this one stays off; name the plugin"),
    },
    Case {
        name: "no parser is accepted",
        change: Change::Returns("SCPluginRegisterAppLayer", 1),
        options: TEST,
        fails: true,
        says: Some("Suricata did not accept the parser"),
    },
    Case {
        name: "no parser is accepted, with errors that do not end it",
        change: Change::Returns("SCPluginRegisterAppLayer", 1),
        options: &["-r"],
        fails: false,
        says: Some("Suricata did not accept the parser"),
    },
    Case {
        name: "the name goes to another parser",
        change: Change::Returns("AppLayerGetProtoByName", 1),
        options: TEST,
        fails: true,
        says: Some("the name ikev2 belongs to another parser"),
    },
    Case {
        name: "keywords are not taken",
        change: Change::Returns("SCDetectHelperMultiBufferMpmRegister", -1),
        options: TEST,
        fails: true,
        says: Some("Suricata did not accept the keywords ikev2."),
    },
];

/// Where Suricata keeps something that it has no function for is found out at its start. If that
/// goes wrong, all else works.
const LAYOUTS: &[Case] = &[
    Case {
        name: "the place of a flow's protocol is not found",
        change: Change::Returns("SCAppLayerForceProtocolChange", 0),
        options: &["-r"],
        fails: false,
        says: Some("keeps the protocol of a flow at an unknown place"),
    },
    Case {
        name: "the place of a flow's protocol is found wrong",
        change: Change::WritesTo("SCAppLayerForceProtocolChange", 0),
        options: &["-r"],
        fails: false,
        says: Some("keeps the protocol of a flow at an unknown place"),
    },
    Case {
        name: "the place of a packet's time is not found",
        change: Change::Returns("SCPacketSetTime", 0),
        options: &["-r"],
        fails: false,
        says: Some("keeps the time of a packet at an unknown place"),
    },
];

#[test]
fn an_unknown_layout_is_reported_and_messages_are_decoded() {
    let suricata = Suricata::get();
    check(LAYOUTS);
    for case in LAYOUTS.iter().filter(|case| case.change.applies()) {
        let eve = fs::read_to_string(case.folder(suricata).join("eve.json")).expect("records");
        let records = eve.lines().filter(|line| line.contains("\"event_type\":\"ikev2\""));
        assert!(records.count() > 3, "{}", case.name);
    }
}

#[test]
fn an_operator_is_told_when_the_plugin_cannot_work() {
    check(CASES);
}

fn check(cases: &[Case]) {
    let suricata = Suricata::get();
    let program = program();
    let image = fs::read(&program).expect("Suricata's program");
    let faults = on_all_cores(cases, |case| {
        let applies = case.change.applies();
        if !applies {
            say(&format!("skipped: {}", case.name));
        }
        applies.then(|| case.fault(suricata, &program, &image)).flatten()
    });
    let faults: Vec<_> = faults.into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

impl Case {
    fn folder(&self, suricata: &Suricata) -> PathBuf {
        suricata.root.join("start").join(self.name.replace([' ', ',', '\''], "-"))
    }

    /// Runs it; what is not as it should be.
    fn fault(&self, suricata: &Suricata, program: &Path, image: &[u8]) -> Option<String> {
        let folder = self.folder(suricata);
        fresh_folder(&folder).expect("a folder");
        let changed = copy(suricata, program, &self.change.apply(image), &folder);
        let mut command = Command::new(changed);
        command.arg("-c").arg(suricata.configuration()).args(suricata.file_options());
        command.args(["-S", "/dev/null", "-l"]).arg(&folder).args(self.options);
        if matches!(self.change, Change::Twice) {
            let plugin = folder.join("copy.so");
            fs::copy(suricata::plugin().expect("a plugin"), &plugin).expect("a copy");
            command.arg("--set").arg(format!("plugins.copy={}", plugin.display()));
        }
        if self.options.contains(&"-r") {
            command.arg(project().join("tests/verify/cookie/input.pcap"));
        }
        let status = suricata::run(&mut command, &folder).expect("a run");
        let log = fs::read_to_string(folder.join("stderr")).expect("a log");
        let log = log + &fs::read_to_string(folder.join("stdout")).expect("a log");
        let is_error =
            |line: &&str| line.starts_with("E: ikev2: ") || line.starts_with("W: ikev2: ");
        let errors: Vec<_> = log.lines().filter(is_error).collect();
        let works = log.contains(": parser on, EVE records, ");
        let said = match self.says {
            None => errors.is_empty() && works == matches!(self.change, Change::Nothing),
            Some(text) => errors.len() == 1 && errors[0].contains(text),
        };
        let ended = status.success() != self.fails && status.code().is_some();
        (!said || !ended).then(|| format!("{}: {status}, {errors:?}\n{log}", self.name))
    }
}

impl Change {
    /// Whether it can be made here, and be seen.
    fn applies(&self) -> bool {
        match self {
            // Else the loader says what is missing, and the plugin is not asked.
            Self::Without(_) => references_are_weak(),
            Self::Returns(..) | Self::WritesTo(..) => ARCH == "x86_64",
            _ => true,
        }
    }

    fn apply(&self, image: &[u8]) -> Vec<u8> {
        let mut changed = image.to_vec();
        match self {
            Self::Nothing | Self::Twice => {}
            Self::Version(version) => {
                let end = find(image, b" RELEASE\0").expect("a release");
                let text = format!("{version} RELEASE\0");
                changed[end + 9 - text.len()..end + 9].copy_from_slice(text.as_bytes());
            }
            Self::Without(name) => {
                let start = find(image, format!("\0{name}\0").as_bytes()).expect("a name") + 1;
                changed[start + name.len() - 1] = b'_';
            }
            Self::Returns(name, value) => {
                let start = offset(image, name);
                // mov eax, VALUE; ret
                changed[start] = 0xb8;
                changed[start + 1..start + 5].copy_from_slice(&value.to_le_bytes());
                changed[start + 5] = 0xc3;
            }
            Self::WritesTo(name, place) => {
                let start = offset(image, name);
                // mov [rdi + PLACE], si; and so on; ret
                let write = |place| [0x66, 0x89, 0x77, place];
                let code = [write(*place), write(place + 2), write(place + 4)].concat();
                changed[start..start + code.len()].copy_from_slice(&code);
                changed[start + code.len()] = 0xc3;
            }
        }
        changed
    }
}

fn find(image: &[u8], text: &[u8]) -> Option<usize> {
    let mut found = image.windows(text.len()).enumerate().filter(|(_, window)| *window == text);
    let (place, _) = found.next()?;
    assert_eq!(found.next(), None, "more than one of {text:?}");
    Some(place)
}

/// Where a function begins in a program's file.
fn offset(image: &[u8], name: &str) -> usize {
    let elf = object::File::parse(image).expect("a program");
    let symbol = elf.dynamic_symbols().find(|it| it.name() == Ok(name)).expect("a function");
    let section = symbol.section_index().expect("code");
    let section = elf.section_by_index(section).expect("a section");
    let (start, _) = section.file_range().expect("a part of the file");
    (start + symbol.address() - section.address()) as usize
}

/// The program of the Suricata at hand, which may be started by a wrapper.
fn program() -> PathBuf {
    let script = project().join("scripts/suricata.sh");
    let found = Command::new(script).arg("--elf").output().expect("a script");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    PathBuf::from(String::from_utf8_lossy(&found.stdout).trim_end())
}

/// Puts a changed program into a folder; what starts it. The wrapper of a Suricata that was
/// unpacked finds the program and its libraries beside itself.
fn copy(suricata: &Suricata, program: &Path, changed: &[u8], folder: &Path) -> PathBuf {
    let binary = suricata.binary().canonicalize().expect("a program");
    let put = |path: &Path| {
        fs::write(path, changed).expect("a program");
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("rights");
    };
    if binary == program {
        put(&folder.join("suricata"));
        return folder.join("suricata");
    }
    let usr = folder.join("usr");
    fs::create_dir_all(usr.join("bin")).expect("a folder");
    for name in ["lib", "share"] {
        symlink(binary.with_file_name("usr").join(name), usr.join(name)).expect("a link");
    }
    put(&usr.join("bin/suricata"));
    let wrapper = folder.join("run-suricata");
    fs::copy(&binary, &wrapper).expect("a wrapper");
    wrapper
}

/// As those of a released plugin are, for which the whole crate is compiled at once.
fn references_are_weak() -> bool {
    let plugin = fs::read(suricata::plugin().expect("a plugin")).expect("a plugin");
    let elf = object::File::parse(&*plugin).expect("a plugin");
    let weak = elf.dynamic_symbols().any(|it| it.name() == Ok("FlowGetFlags") && it.is_weak());
    weak
}
