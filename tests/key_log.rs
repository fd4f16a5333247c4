//! `ikev2-keys` reads logs of real daemons; `tests/key-log` has them with the captures that
//! their keys open.

mod encrypted;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use encrypted::{encrypted, sealed, table};
use suricata_ikev2::decrypt::log::{LogLines, LogOutcome, LogReader, MAX_LINE};
use suricata_ikev2::decrypt::Spis;
use testkit::capture::read;
use testkit::project::{files, project};

fn folder() -> PathBuf {
    project().join("tests/key-log")
}

/// The logs, by name.
fn logs() -> Vec<PathBuf> {
    let logs = files(&folder(), "log");
    assert!(logs.len() >= 7, "only {} logs", logs.len());
    logs
}

fn log(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a log")
}

/// What belongs to a log of this name: its table or its capture.
fn beside(log: &Path, extension: &str) -> PathBuf {
    let name = log.file_name().expect("a file").to_string_lossy();
    let front = name.split('.').next().expect("a name");
    folder().join(format!("{front}.{extension}"))
}

fn expected(log: &Path) -> String {
    fs::read_to_string(beside(log, "ikev2_decryption_table")).expect("a table")
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ikev2-keys"))
}

/// The program reads this from standard input.
fn filter(text: &str) -> Output {
    let mut command = program();
    command.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(text.as_bytes()).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_log_gives_its_table() {
    for log in logs() {
        let output = program().arg(&log).output().expect("the program runs");
        assert_eq!(text(&output.stderr), "", "{}", log.display());
        assert_eq!(text(&output.stdout), expected(&log), "{}", log.display());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn the_tables_open_every_message_of_the_captures() {
    let mut opened = 0;
    for log in logs() {
        let table = table([&beside(&log, "ikev2_decryption_table")]);
        for datagram in read(&beside(&log, "pcap")) {
            let Some((message, payload)) = encrypted(&datagram) else { continue };
            let epochs = table.get(&Spis(message.header.init_spi, message.header.resp_spi));
            let result = sealed(&message, &payload).decrypt(epochs);
            assert!(result.is_ok(), "{}: {:?}", datagram.place, result.err());
            opened += 1;
        }
    }
    assert!(opened > 80, "only {opened} messages");
}

/// The lines of a table that a log gives.
fn read_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let (mut reader, mut found) = (LogReader::default(), Vec::new());
    for line in lines {
        reader.read(Some(line.as_bytes()));
        while let Some(outcome) = reader.next_outcome() {
            if let LogOutcome::Keys(spis, keys) = outcome {
                found.push(keys.line(&spis).to_string());
            }
        }
    }
    found
}

/// Keys that are given out are right, whatever the log lacks.
fn assert_none_is_wrong<'a>(lines: impl IntoIterator<Item = &'a str>, table: &str, what: &str) {
    for line in read_lines(lines) {
        assert!(table.lines().any(|expected| expected == line), "{what}: {line}");
    }
}

#[test]
fn a_log_that_lacks_a_part_gives_no_wrong_keys() {
    for path in logs() {
        let (text, table) = (fs::read_to_string(&path).expect("a log"), expected(&path));
        let lines: Vec<&str> = text.lines().collect();
        for index in 0..lines.len() {
            let what = format!("{} at line {}", path.display(), index + 1);
            let (before, from) = lines.split_at(index);
            assert_none_is_wrong(from.iter().copied(), &table, &what);
            let without = before.iter().chain(&from[1..]).copied();
            assert_none_is_wrong(without, &table, &what);
            let cut = &lines[index][..lines[index].len() / 2];
            let damaged = before.iter().chain([&cut]).chain(&from[1..]).copied();
            assert_none_is_wrong(damaged, &table, &what);
        }
        for group in ["[MGR", "[NET", "[CFG", "[ENC", "[DMN", "state change", "natd", "SK_p"] {
            let rest = lines.iter().copied().filter(|line| !line.contains(group));
            assert_none_is_wrong(rest, &table, group);
        }
        let unnamed = |line: &str| match (line.find('<'), line.find("> ")) {
            (Some(start), Some(end)) if start < end => line[..start].to_owned() + &line[end + 2..],
            _ => line.to_owned(),
        };
        let unnamed: Vec<_> = lines.iter().map(|line| unnamed(line)).collect();
        assert_none_is_wrong(unnamed.iter().map(String::as_str), &table, "without ike_name");
    }
}

#[test]
fn each_line_cut_at_each_length_does_no_harm() {
    for path in logs() {
        let (text, table) = (fs::read_to_string(&path).expect("a log"), expected(&path));
        let cut = text.lines().flat_map(|line| (0..line.len()).map(move |end| &line[..end]));
        assert_none_is_wrong(cut, &table, &path.display().to_string());
    }
}

/// The messages of a log, each of one or more lines, with other threads and numbers.
fn messages(name: &str, more: usize) -> Vec<Vec<String>> {
    let mut messages: Vec<Vec<String>> = Vec::new();
    for line in log(name).lines() {
        let mut line = line.to_owned();
        let bracket = line.find("[IKE").or_else(|| line.find("[MGR")).or_else(|| line.find('['));
        let bracket = bracket.expect("a group");
        let thread: usize = line[bracket - 2..bracket].parse().expect("a thread");
        line.replace_range(bracket - 2..bracket, &format!("{:02}", thread + more));
        for id in 1..10 {
            for (before, behind) in [("net[", "]"), ("(unnamed)[", "]"), ("<net|", ">"), ("<", ">")]
            {
                let other = format!("{before}{}{behind}", id + more);
                line = line.replace(&format!("{before}{id}{behind}"), &other);
            }
        }
        match messages.last_mut() {
            Some(message) if line.contains("]   ") || line.contains(">   ") => message.push(line),
            _ => messages.push(vec![line]),
        }
    }
    messages
}

#[test]
fn keys_of_daemons_whose_lines_are_mixed_are_not() {
    let names = ["crossing", "mlkem", "old", "refused"];
    let mut state = 1_u64;
    for round in 0..20 {
        let mut logs: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| messages(&format!("{name}.log"), 100 * index).into_iter())
            .collect();
        let mut mixed = Vec::new();
        while !logs.is_empty() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let index = (state >> 33) as usize % logs.len();
            match logs[index].next() {
                // A daemon that starts anew would end the others.
                Some(message) if message[0].contains("[DMN]") => {}
                Some(message) => mixed.extend(message),
                None => drop(logs.remove(index)),
            }
        }
        let found: BTreeSet<_> = read_lines(mixed.iter().map(String::as_str)).into_iter().collect();
        let tables = names.map(|name| expected(Path::new(&format!("{name}.log"))));
        let expected: BTreeSet<_> =
            tables.iter().flat_map(|table| table.lines()).map(str::to_owned).collect();
        assert_eq!(found, expected, "round {round}");
    }
}

#[test]
fn lines_of_syslog_are_read_among_others() {
    let mut syslog = String::new();
    for line in log("crossing.log").lines() {
        syslog += "Nov 27 03:33:01 gate kernel: [ 12.5] IKE[1]: 06[x]\r\n";
        syslog += &format!("Nov 27 03:33:01 gate charon-systemd[815]: {line}\r\n");
    }
    let output = filter(&syslog);
    assert_eq!(text(&output.stdout), expected(Path::new("crossing.log")));
    assert_eq!(output.status.code(), Some(0));
}

/// A log of which each line stands several times, each behind its own front.
fn with_fronts(log: &str, fronts: &[&str]) -> String {
    let lines = log.lines().enumerate().flat_map(|(number, line)| {
        fronts.iter().map(move |front| {
            let time = format!("{:02}:{:02}", number / 60 % 60, number % 60);
            format!("{}{line}\n", front.replace("TIME", &time))
        })
    });
    lines.collect()
}

#[test]
fn lines_that_stand_twice_give_their_keys_once() {
    let tags = ["Nov 27 03:TIME r-20-VM ipsec[915]: ", "Nov 27 03:TIME r-20-VM charon: "];
    let rfc_5424 = [
        "<30>1 2026-11-27T03:TIMEZ gw charon 815 - - ",
        "<30>1 2026-11-27T03:TIMEZ gw ipsec 9 - - ",
    ];
    for path in logs() {
        let (text_of_log, table) = (fs::read_to_string(&path).expect("a log"), expected(&path));
        let is_pluto = text_of_log.contains("| ikev2 I ");
        for fronts in [
            &tags[..],
            &[tags[1], tags[0]],
            &[tags[0], tags[1], "03:TIME "],
            &["gw1 charon: ", "gw2 charon: "],
            &rfc_5424,
            &["", ""],
            &["03:TIME ", "03:TIME "],
        ] {
            // Behind something else than the bar, pluto's lines have a tag.
            let bare = |front: &&str| !front.is_empty() && !front.ends_with(": ");
            let is_json = text_of_log.starts_with('{') && fronts.concat() != "";
            if is_json || is_pluto && fronts.iter().any(bare) {
                continue;
            }
            let output = filter(&with_fronts(&text_of_log, fronts));
            let what = format!("{} {fronts:?}", path.display());
            assert_eq!(text(&output.stderr), "", "{what}");
            assert_eq!(text(&output.stdout), table, "{what}");
        }
    }
}

#[test]
fn what_a_copy_lacks_another_has() {
    let log = log("crossing.log");
    let whole = with_fronts(&log, &["gw charon: "]);
    let less: String =
        log.lines().filter(|line| !line.contains("[MGR")).collect::<Vec<_>>().join("\n");
    let less = with_fronts(&less, &["gw ipsec[9]: "]);
    for text_of_log in [format!("{less}{whole}"), format!("{whole}{less}")] {
        let output = filter(&text_of_log);
        assert_eq!(text(&output.stderr), "");
        let lines: BTreeSet<_> = text(&output.stdout).lines().map(str::to_owned).collect();
        let table = expected(Path::new("crossing.log"));
        assert_eq!(lines, table.lines().map(str::to_owned).collect());
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn json_has_copies_of_several_programs() {
    let quoted = |line: &str| line.replace('\\', "\\\\").replace('"', "\\\"");
    let record = |program: &str, line: &str| {
        format!("{{\"_HOSTNAME\":\"gw\",\"_PID\":\"9\",\"MESSAGE\":\"{}\",\"SYSLOG_IDENTIFIER\":\"{program}\"}}\n", quoted(line))
    };
    let log = log("refused.log");
    let lines = log.lines().flat_map(|line| [record("ipsec", line), record("charon", line)]);
    let output = filter(&lines.collect::<String>());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), expected(Path::new("refused.log")));
}

#[test]
fn marks_and_colours_do_no_harm() {
    for path in logs() {
        let log = fs::read_to_string(&path).expect("a log");
        let coloured = log.lines().map(|line| {
            let (front, rest) = line.split_at(line.len() / 2);
            format!("\x1b[1;32m{front}\x1b[0m{rest}\x1b[m\r\n")
        });
        for log in [format!("\u{feff}{log}"), coloured.collect()] {
            let output = filter(&log);
            assert_eq!(text(&output.stderr), "", "{}", path.display());
            assert_eq!(text(&output.stdout), expected(&path), "{}", path.display());
        }
    }
    let utf_16 = "\u{feff}06[IKE] a\n06[IKE] b\n".encode_utf16();
    let (mut lines, mut reader) = (LogLines::default(), LogReader::default());
    let bytes: Vec<u8> = utf_16.flat_map(u16::to_le_bytes).collect();
    lines.feed(&bytes, |line| reader.read(line));
    let Some(LogOutcome::Problem(problem)) = reader.next_outcome() else { panic!("a problem") };
    assert_eq!(problem.line, 1);
    assert!(problem.kind.to_string().contains("UTF-16"));
    assert!(reader.next_outcome().is_none());
}

#[test]
fn keys_that_cannot_be_tied_are_left_out_and_reported() {
    let without = |group: &str, name: &str| -> String {
        let log = log(name);
        log.lines().filter(|line| !line.contains(group)).map(|line| format!("{line}\n")).collect()
    };
    for (log, expected_lines, messages) in [
        (
            without("[MGR", "crossing.log"),
            1,
            &[
                (": keys of an IKE SA whose SPIs", "mgr = 2 and ike_name = yes"),
                (": keys of an IKE SA whose SPIs", "mgr = 2 and ike_name = yes"),
            ][..],
        ),
        (
            without("[CFG", "mlkem.log"),
            2,
            &[(": keys of an IKE SA whose algorithms", "cfg = 2 and ike_name = yes")],
        ),
        (without("newref", "pluto-gcm.log"), 0, &[(": keys without their salts", "refcnt"); 3]),
        (without("extract", "pluto-sha512.log"), 0, &[(": keys that are cut", "crypt"); 3]),
        (without("ikev2 R", "pluto-gcm.log"), 0, &[(": keys of one direction only", "out"); 3]),
        (
            log("crossing.log").replace("AES_CBC_256/", "SERPENT_CBC_256/"),
            0,
            &[(": keys for SERPENT_CBC_256", "out"); 3],
        ),
        (
            "charon[1]: Sk_ei secret => 32 bytes @ 0x7f\n".to_owned(),
            0,
            &[(":1: keys without the number of a thread", "journalctl --output=json")],
        ),
    ] {
        let output = filter(&log);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(stdout.lines().count(), expected_lines, "{stderr}");
        assert_eq!(stderr.lines().count(), messages.len(), "{stderr}");
        for (line, (front, end)) in stderr.lines().zip(messages) {
            assert!(line.starts_with("ikev2-keys: standard input:"), "{line}");
            assert!(line.contains(front) && line.contains(end), "{line}");
        }
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn two_responders_for_an_initiators_spi_are_not_told_apart() {
    // Without what tells the SA's number, and without the start, which would forget the other.
    let log = log("refused.log").replace("state change", "").replace("Starting", "");
    let place = log.find("natd_chunk").and_then(|natd| Some(natd + log[natd..].find(": ")? + 2));
    let spi_i = &log[place.expect("a dump")..][.."11 22 33 44 55 66 77 88".len()];
    let other = format!(
        "77[IKE] natd_chunk => 22 bytes @ 0x7f\n\
         77[IKE]    0: {spi_i} 01 02 03 04 05 06 07 08  ................\n\
         77[IKE]   16: C0 00 02 0A 01 F4                                ......\n"
    );
    assert_eq!(text(&filter(&log).stdout), expected(Path::new("refused.log")));
    let output = filter(&(other + &log));
    assert_eq!((text(&output.stdout), output.status.code()), (String::new(), Some(1)));
    assert!(text(&output.stderr).contains("whose SPIs are not in the log"));
}

#[test]
fn a_daemon_that_starts_anew_has_other_numbers() {
    let (first, second) = (log("old.log"), log("mlkem.log"));
    // All but the SPIs of the last SA.
    let cut = first.rfind("CONNECTING => ESTABLISHED").expect("a place");
    let end = cut + first[cut..].find('\n').expect("a line") + 1;
    let output = filter(&format!("{}00[DMN] Starting charon\n{second}", &first[..end]));
    let mut table: Vec<String> =
        expected(Path::new("old.log")).lines().map(str::to_owned).collect();
    table.pop();
    table.extend(expected(Path::new("mlkem.log")).lines().map(str::to_owned));
    assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), table);
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[test]
fn a_key_that_is_torn_is_left_out() {
    let log = log("refused.log");
    let mut lines: Vec<String> = log.lines().map(|line| format!("{line}\n")).collect();
    let place = lines.iter().position(|line| line.contains("Sk_er secret")).expect("a key");
    lines.remove(place + 1);
    let output = filter(&lines.concat());
    let message = format!("standard input:{}: an incomplete key is left out", place + 2);
    assert_eq!(text(&output.stderr), format!("ikev2-keys: {message}\n"));
    assert_eq!((text(&output.stdout), output.status.code()), (String::new(), Some(1)));
}

#[test]
fn a_line_without_end_is_left_out() {
    let log = format!("{}\n{}", "x".repeat(MAX_LINE + 1), log("refused.log"));
    let output = filter(&log);
    let message = format!("standard input:1: a line of more than {MAX_LINE} bytes is left out");
    assert_eq!(text(&output.stderr), format!("ikev2-keys: {message}\n"));
    assert_eq!(text(&output.stdout), expected(Path::new("refused.log")));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let (mut lines, mut reader) = (LogLines::default(), LogReader::default());
    let mut log = log("mlkem.log").into_bytes();
    let mut state = 7_u64;
    for _ in 0..log.len() / 50 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let place = (state >> 20) as usize % log.len();
        log[place] = (state >> 56) as u8;
    }
    for piece in log.chunks(97) {
        lines.feed(piece, |line| reader.read(line));
    }
    lines.finish(|line| reader.read(line));
    reader.report();
    while reader.next_outcome().is_some() {}
    assert!(reader.line() > 100);
}

#[test]
fn the_status_tells_how_it_went() {
    let run = |arguments: &[&str]| {
        let output = program().args(arguments).output().expect("the program runs");
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (status, stdout, stderr) = run(&["--help"]);
    assert!(status == Some(0) && stdout.starts_with("Usage:") && stderr.is_empty());
    let version = format!("ikev2-keys {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]), (Some(0), version, String::new()));
    let (status, stdout, stderr) = run(&[]);
    assert!(status == Some(2) && stdout.is_empty() && stderr.contains("--help"), "{stderr}");
    let (status, stdout, stderr) = run(&["/nonexistent/log"]);
    assert!(status == Some(2) && stdout.is_empty());
    assert!(stderr.contains("/nonexistent/log: No such file"), "{stderr}");
    let (status, _, stderr) = run(&["/dev/null"]);
    assert!(status == Some(1) && stderr.contains("there are no keys in the log"), "{stderr}");
}

/// A folder for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("key-log-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str, mode: u32) -> File {
        let file = File::create(self.0.join(name)).expect("a file");
        file.set_permissions(PermissionsExt::from_mode(mode)).expect("its mode");
        file
    }
}

#[test]
fn a_table_that_others_can_open_is_warned_about() {
    let folder = Folder::new("mode");
    for (mode, warning) in [
        (0o600, ""),
        (0o640, "ikev2-keys: warning: others can open the table (mode 640): chmod 600\n"),
    ] {
        let log = self::folder().join("refused.log");
        let mut command = program();
        command.arg(&log).stdout(folder.file("table", mode));
        let output = command.output().expect("the program runs");
        assert_eq!((text(&output.stderr).as_str(), output.status.code()), (warning, Some(0)));
        assert_eq!(fs::read_to_string(folder.0.join("table")).expect("a table"), expected(&log));
    }
}

/// Ends the program also when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_grows_and_is_replaced_is_followed() {
    let folder = Folder::new("follow");
    let path = folder.0.join("charon.log");
    let wait_for = |lines: usize| {
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(folder.0.join("table")).expect("a table");
            if text.lines().count() >= lines {
                return text;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{lines} lines: {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let text = log("crossing.log");
    // Within a line and within a dump.
    let [one, two] =
        [" Sk_ar secret", "rekey collision lost"].map(|part| text.rfind(part).expect("a place"));
    let (first, second, third) = (&text[..one], &text[one..two], &text[two..]);
    let third = third.split_at(third.find('\n').expect("a line") + 1);
    let mut old = folder.file("charon.log", 0o600);
    old.write_all(first.as_bytes()).expect("a log");
    let mut command = program();
    command.arg("--follow").arg(&path).stdout(folder.file("table", 0o600));
    let running = Running(command.stderr(Stdio::piped()).spawn().expect("it starts"));
    wait_for(1);
    old.write_all(second.as_bytes()).expect("a log");
    fs::rename(&path, folder.0.join("charon.log.1")).expect("a new name");
    // As logrotate does it: the daemon goes on with the old file for a while.
    let mut new = folder.file("charon.log", 0o600);
    std::thread::sleep(Duration::from_millis(600));
    old.write_all(third.0.as_bytes()).expect("a log");
    new.write_all(third.1.as_bytes()).expect("a log");
    let mut table = expected(Path::new("crossing.log"));
    assert_eq!(wait_for(3), table);
    // And as it does it with copytruncate.
    fs::write(&path, "").expect("an empty log");
    std::thread::sleep(Duration::from_millis(600));
    fs::write(&path, log("refused.log")).expect("a log");
    table += &expected(Path::new("refused.log"));
    assert_eq!(wait_for(4), table);
    drop(running);
}
