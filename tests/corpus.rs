//! The fuzz targets' corpora: made from the captures and rules of the tests, and small.
//!
//! `SEEDS=folder cargo test --test corpus` writes the seeds of each target into a
//! folder of its name, and the dictionary of keywords beside them; `scripts/fuzz.sh
//! --minimise` makes the committed corpora of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use suricata_ikev2::decrypt::key_table::parse_line;
use suricata_ikev2::decrypt::suite::{ENCRYPTIONS, INTEGRITIES};
use suricata_ikev2::decrypt::{DecryptOutcome, Decryptor};
use suricata_ikev2::message::{Direction, Transport};
use suricata_ikev2::pipeline::{Engines, FlowContext};
use testkit::capture::{self, Datagram};
use testkit::message::MessageBuilder;
use testkit::project::{entries, files, project};
use testkit::registry::{CERT, IKE_AUTH};
use testkit::{input, keys};

/// Longer sequences make a target slow, and longer datagrams are rare.
const LONGEST_SEQUENCE: usize = 4096;
const LONGEST_DATAGRAM: usize = 4000;

type Seeds = BTreeSet<Vec<u8>>;

/// The captures of real peers, and those that cases of `tests/verify` have made.
fn captures() -> Vec<Vec<Datagram>> {
    let mut paths = files(&capture::folder(), "pcap");
    let cases = entries(&project().join("tests/verify"));
    let of_cases = cases.iter().map(|case| case.join("input.pcap"));
    paths.extend(of_cases.filter(|path| path.is_file()));
    assert!(paths.len() > 100, "only {} captures", paths.len());
    paths.iter().map(|path| capture::read(path)).collect()
}

fn transport(datagram: &Datagram) -> Transport {
    Transport::of_ports(datagram.source.port(), datagram.destination.port())
}

/// The flow of [`input::FLOWS`] that is most like a datagram's.
fn flow_of(datagram: &Datagram) -> usize {
    match (transport(datagram), datagram.source.is_ipv6()) {
        (Transport::Udp500, _) => 0,
        (Transport::Udp4500, false) => 1,
        (Transport::Udp4500, true) => 2,
        (Transport::Udp, _) => 3,
    }
}

/// The index of the pause that is nearest to a time.
fn pause_of(time: Duration) -> usize {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let distance = |place: &usize| input::PAUSES[*place].abs_diff(micros);
    (0..input::PAUSES.len()).min_by_key(distance).unwrap_or(0)
}

/// A capture as a sequence, as far as it fits; its first sender is the client.
fn sequence(capture: &[Datagram]) -> Vec<u8> {
    let mut sequence = Vec::new();
    let mut before = capture.first().map_or(Duration::ZERO, |datagram| datagram.time);
    for datagram in capture {
        let to_client = datagram.source.ip() != capture[0].source.ip();
        let pause = pause_of(datagram.time.saturating_sub(before));
        before = datagram.time;
        let mut longer = sequence.clone();
        input::push_step(&mut longer, flow_of(datagram), to_client, pause, &datagram.data);
        if longer.len() > LONGEST_SEQUENCE {
            break;
        }
        sequence = longer;
    }
    sequence
}

/// Single datagrams: flow and direction in front.
fn datagrams(captures: &[Vec<Datagram>]) -> Seeds {
    let all = captures.iter().flatten().filter(|it| it.data.len() < LONGEST_DATAGRAM);
    let seed = |it: &Datagram| [&[flow_of(it) as u8], &it.data[..]].concat();
    all.map(seed).collect()
}

/// The options of the rules of all cases and of the rule files, without `ikev2.`.
fn options() -> Seeds {
    let mut files = entries(&project().join("rules"));
    files.extend(
        entries(&project().join("tests/verify")).iter().map(|case| case.join("test.rules")),
    );
    let texts = files.iter().filter(|path| path.is_file()).map(fs::read_to_string);
    let mut options = Seeds::new();
    for text in texts {
        for option in text.expect("rules are text").split(['(', ';']) {
            if let Some(option) = option.trim().strip_prefix("ikev2.") {
                options.insert(option.as_bytes().to_vec());
            }
        }
    }
    options
}

/// The words of options, in the form of libFuzzer's dictionaries.
fn dictionary(options: &Seeds) -> String {
    let mut words = BTreeSet::new();
    for option in options {
        let option = String::from_utf8_lossy(option);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let split = |c: char| !is_word(c);
        let words_of = option.split(split).filter(|word| word.starts_with(char::is_alphabetic));
        words.extend(words_of.map(str::to_lowercase));
    }
    let lines: Vec<_> = words.iter().map(|word| format!("\"{word}\"\n")).collect();
    format!("# The words of keywords in the rules of tests/verify and rules.\n{}", lines.concat())
}

/// The decrypted payloads of a request of IKE_AUTH with nothing but a certificate.
fn certificate(file: &Path) -> Vec<u8> {
    let der = fs::read(file).expect("a certificate");
    let request = MessageBuilder::request(IKE_AUTH).payload(CERT, [&[4], &der[..]].concat());
    let payloads = request.chain();
    let decrypted =
        input::Decrypted { response: false, exchange: IKE_AUTH, first: CERT, payloads: &payloads };
    decrypted.input().expect("an exchange that has an input")
}

/// The decrypted payloads of the captures that have keys, and certificates.
fn decrypted() -> Seeds {
    let mut seeds: Seeds = entries(&project().join("tests/certificates"))
        .iter()
        .map(|file| certificate(file))
        .collect();
    for (capture, files) in keys::captures() {
        let decryptor = Decryptor::default();
        for (spis, keys) in keys::read(&files, parse_line) {
            decryptor.insert(spis, keys);
        }
        for datagram in capture::datagrams_of(&capture) {
            let mut flow = FlowContext::new(transport(&datagram));
            let all = flow.on_datagram(&Engines::default(), &Direction::ToServer, &datagram.data);
            let Some(tx) = all.and_then(|all| all.own) else { continue };
            let decryption = decryptor.decrypt(tx.message());
            let Some(DecryptOutcome::Plaintext(first, payloads)) = decryption else { continue };
            let header = tx.message().header.expect("a header");
            let (response, exchange) = (header.flags.response(), header.exchange_type.0);
            let decrypted =
                input::Decrypted { response, exchange, first: first.0, payloads: &payloads };
            let seed = decrypted.input().filter(|seed| seed.len() < LONGEST_DATAGRAM);
            seeds.extend(seed);
        }
    }
    seeds
}

fn lines(files: &[PathBuf]) -> Vec<String> {
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("a key table"));
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Key tables of the captures, cut in the middle, and a line of each pair of algorithms
/// with keys of a length that seldom fits.
fn key_tables() -> Seeds {
    let cut = |text: String| [&[128], text.as_bytes()].concat();
    let tables = keys::captures().into_values().map(|files| cut(lines(&files).join("\n") + "\n"));
    let line = |encryption, integrity| {
        let key = "0123456789abcdef".repeat(2);
        cut(format!("{0:.16},{0:.16},{0},{0},\"{encryption}\",{0},{0},\"{integrity}\"\r\n#", key))
    };
    let names = ENCRYPTIONS.iter().zip(INTEGRITIES.iter().cycle());
    tables.chain(names.map(|(one, other)| line(one.name, other.name))).collect()
}

fn seeds() -> [(&'static str, Seeds); 6] {
    let captures = captures();
    let datagrams = datagrams(&captures);
    let sequences = captures.iter().map(|capture| sequence(capture)).collect();
    [
        ("datagram", datagrams.clone()),
        ("probe", datagrams),
        ("sequence", sequences),
        ("inner", decrypted()),
        ("key_table", key_tables()),
        ("keyword", options()),
    ]
}

#[test]
fn captures_and_rules_become_seeds() {
    let seeds = seeds();
    for (target, seeds) in &seeds {
        assert!(seeds.len() > 80, "only {} seeds for {target}", seeds.len());
    }
    let Some(folder) = env::var_os("SEEDS") else { return };
    let [.., (_, options)] = &seeds;
    fs::create_dir_all(&folder).expect("a folder can be made");
    let dictionary = dictionary(options);
    fs::write(Path::new(&folder).join("keyword.dict"), dictionary).expect("it can be written");
    for (target, seeds) in &seeds {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder).expect("a folder can be made");
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).expect("a file can be written");
        }
    }
}

/// What a sequence has before each datagram.
const HEAD: usize = 4;

#[test]
fn a_sequence_is_read_as_it_was_written() {
    for capture in captures() {
        let input = sequence(&capture);
        let steps: Vec<_> = input::steps(&input).collect();
        let room = LONGEST_SEQUENCE - input.len();
        let next = capture.get(steps.len());
        assert!(next.is_none_or(|next| next.data.len() + HEAD > room), "{}", capture[0].place);
        for (step, datagram) in steps.iter().zip(&capture) {
            assert_eq!((step.data, step.times), (&datagram.data[..], 1), "{}", datagram.place);
            assert_eq!(step.flow, flow_of(datagram), "{}", datagram.place);
        }
    }
}

#[test]
fn the_dictionary_of_key_tables_has_every_algorithm() {
    let file = project().join("fuzz/dictionaries/key_table.dict");
    let words = fs::read_to_string(file).expect("a dictionary");
    let names =
        ENCRYPTIONS.iter().map(|row| row.name).chain(INTEGRITIES.iter().map(|row| row.name));
    for name in names {
        assert!(words.contains(&format!("\"{name}\"\n")), "{name} is missing");
    }
}

#[test]
fn what_is_decrypted_is_read_as_it_was_written() {
    for seed in decrypted() {
        assert_eq!(input::decrypted(&seed).and_then(|it| it.input()), Some(seed));
    }
}

#[test]
fn committed_corpora_are_small() {
    let mut bytes = 0;
    for target in ["datagram", "sequence", "probe", "inner", "keyword", "key_log", "key_table"] {
        let files = entries(&project().join("fuzz/corpus").join(target));
        assert!((10..=500).contains(&files.len()), "{target}: {} files", files.len());
        bytes += files.iter().map(|file| fs::read(file).expect("a file").len()).sum::<usize>();
    }
    assert!(bytes < 900_000, "{bytes} bytes");
}
