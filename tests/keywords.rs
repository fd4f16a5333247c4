//! Every keyword of `docs/keywords.md` in the real Suricata: it has a case that tries
//! each form it takes, its examples load, and wrong arguments of it do not.
//!
//! The cases themselves run with all others, in `verify.rs`.
//!
//! `CRAFT=1` in the environment writes the captures of the cases for which no peer at
//! hand sends what is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use testkit::craft;
use testkit::project::{fresh_folder, project};
use testkit::suricata::{self, Suricata};
use testkit::work::say;
use testkit::yaml;

/// A keyword as the documentation has it.
struct Keyword {
    name: String,
    /// The second column of the table.
    form: String,
    /// The third one.
    summary: String,
    /// The names that may stand for numbers.
    names: Vec<String>,
}

impl Keyword {
    /// Reads a row of the table; its section has the names.
    fn parse(row: &str, text: &str) -> Option<Self> {
        let (name, rest) = row.strip_prefix("| [`")?.split_once("`](")?;
        let mut columns = rest.split('|').skip(1).map(|column| column.trim().to_owned());
        let section = text.split(&format!("\n## {name}\n")).nth(1)?;
        let section = section.split("\n## ").next()?;
        let names = section.lines().find_map(|line| line.strip_prefix("Names: "));
        let names = names.unwrap_or_default().trim_end_matches('.').split(", ");
        let names = names.map(|name| name.trim_matches('`').to_owned());
        Some(Self {
            name: name.to_owned(),
            form: columns.next()?,
            summary: columns.next()?,
            names: names.filter(|name| !name.is_empty()).collect(),
        })
    }

    fn is_buffer(&self) -> bool {
        self.form.starts_with("sticky buffer")
    }

    /// The folder of its case.
    fn folder(&self) -> PathBuf {
        let name = self.name.strip_prefix("ikev2.").expect("a keyword of ikev2");
        let case = format!("keyword-{}", name.replace(['.', '_'], "-"));
        project().join("tests/verify").join(case)
    }
}

fn documentation() -> String {
    fs::read_to_string(project().join("docs/keywords.md")).expect("docs/keywords.md")
}

/// The keywords in the order of the table.
fn keywords() -> Vec<Keyword> {
    let text = documentation();
    let (_, table) = text.split_once("\n|---|---|---|\n").expect("a table");
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let parse = |row: &&str| Keyword::parse(row, &text).unwrap_or_else(|| panic!("{row}"));
    let keywords: Vec<_> = rows.iter().map(parse).collect();
    assert!(keywords.len() > 40, "only {} keywords", keywords.len());
    keywords
}

/// A rule of a case.
struct Rule {
    /// The text between the parentheses.
    options: String,
    /// How often it has to match.
    count: u64,
}

impl Rule {
    /// The arguments of a keyword in it; empty ones where there is none.
    fn arguments<'a>(&'a self, keyword: &str) -> Vec<&'a str> {
        let options = self.options.split(';').map(str::trim);
        let after = options.filter_map(|option| option.strip_prefix(keyword));
        after
            .filter_map(|rest| if rest.is_empty() { Some("") } else { rest.strip_prefix(':') })
            .collect()
    }
}

/// The rules of a case, each with what its check wants.
fn rules(folder: &Path) -> Vec<Rule> {
    let read = |name| {
        let file = folder.join(name);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    };
    let counts = counts(&read("test.yaml")).unwrap_or_else(|| panic!("{}", folder.display()));
    let rule = |line: &str| {
        let options = line.split_once('(').expect("a rule").1;
        let sid = options.rsplit_once("sid:").and_then(|(_, rest)| rest.split(';').next());
        let count = sid.and_then(|sid| counts.get(&sid.parse().ok()?));
        let count = *count.unwrap_or_else(|| panic!("{}: no check of {line}", folder.display()));
        Rule { options: options.to_owned(), count }
    };
    read("test.rules").lines().filter(|line| line.starts_with("alert ")).map(rule).collect()
}

/// How many alerts the checks of a case want of each sid.
fn counts(text: &str) -> Option<BTreeMap<u64, u64>> {
    let case = yaml::parse(text).ok()?;
    let filters = case["checks"].as_array()?.iter().map(|check| &check["filter"]);
    let count = |filter: &serde_json::Value| {
        Some((filter["match"]["alert.signature_id"].as_u64()?, filter["count"].as_u64()?))
    };
    Some(filters.filter_map(count).collect())
}

#[test]
fn every_keyword_has_a_case_that_matches_and_one_that_must_not() {
    let (mut cases, mut checks) = (BTreeSet::new(), 0);
    for keyword in keywords() {
        let folder = keyword.folder();
        assert!(folder.join("README.md").is_file(), "{}", folder.display());
        let mut rules = rules(&folder);
        rules.retain(|rule| !rule.arguments(&keyword.name).is_empty());
        assert!(rules.iter().any(|rule| rule.count > 0), "{}: nothing matches", keyword.name);
        assert!(rules.iter().any(|rule| rule.count == 0), "{}: all match", keyword.name);
        assert!(cases.insert(folder), "{}: the case of another keyword", keyword.name);
        checks += rules.len();
    }
    say(&format!("keywords: {} have a case; {checks} rules use them", cases.len()));
}

/// What a rule is asked for: its keyword, the keyword's argument and the whole rule.
type Form = (&'static str, fn(&Keyword, &str, &Rule) -> bool);

const INTEGER: &[Form] = &[
    ("a number", |_, argument, _| argument.starts_with(|c: char| c.is_ascii_digit())),
    ("a hexadecimal number", |_, argument, _| argument.starts_with("0x")),
    ("a negation", |_, argument, _| argument.starts_with('!')),
    (">", |_, argument, _| argument.starts_with('>') && !argument.starts_with(">=")),
    (">=", |_, argument, _| argument.starts_with(">=")),
    ("<", |_, argument, _| argument.starts_with('<') && !argument.starts_with("<=")),
    ("<=", |_, argument, _| argument.starts_with("<=")),
    ("a range with -", |_, argument, _| argument.contains('-')),
    ("a range with <>", |_, argument, _| argument.contains("<>")),
    ("a name", |keyword, argument, _| {
        keyword.names.is_empty()
            || keyword.names.iter().any(|name| name.eq_ignore_ascii_case(argument))
    }),
];

const BUFFER: &[Form] = &[
    ("content", |_, _, rule| rule.options.contains(" content:\"")),
    ("pcre", |_, _, rule| rule.options.contains(" pcre:")),
    ("bsize", |_, _, rule| rule.options.contains(" bsize:")),
    ("a transform", |_, _, rule| rule.options.contains(" to_")),
    ("dataset:isset", |_, _, rule| rule.options.contains(" dataset:isset,")),
    ("dataset:isnotset", |_, _, rule| rule.options.contains(" dataset:isnotset,")),
    ("fast_pattern", |_, _, rule| rule.options.contains(" fast_pattern;")),
    ("flow:to_server", |_, _, rule| rule.options.contains(" flow:to_server;")),
    ("flow:to_client", |_, _, rule| rule.options.contains(" flow:to_client;")),
];

const INSTANCES: &[Form] =
    &[("two instances", |keyword, _, rule| rule.arguments(&keyword.name).len() == 2)];

const WORDS: &[Form] = &[
    ("a word or number", |_, argument, _| argument.starts_with(char::is_alphanumeric)),
    ("a negation", |_, argument, _| argument.starts_with('!')),
];

const YES_OR_NO: &[Form] = &[
    ("no argument", |_, argument, _| argument.is_empty()),
    ("yes", |_, argument, _| argument == "yes"),
    ("no", |_, argument, _| argument == "no"),
];

const LIST: &[Form] = &[
    ("no argument", |_, argument, _| argument.is_empty()),
    ("several words", |_, argument, _| argument.contains(',')),
    ("offered", |_, argument, _| argument.contains("offered")),
    ("chosen", |_, argument, _| argument.contains("chosen")),
    ("a policy", |_, argument, _| argument.contains("policy ")),
];

const GROUP: &[Form] = &[("a group", |_, argument, _| argument.starts_with(char::is_alphanumeric))];

/// The forms that the case of a keyword has to try, each in a rule that matches.
fn forms(form: &str) -> Vec<&'static Form> {
    let lists: &[&'static [Form]] = match form {
        "8-bit integer" | "16-bit integer" | "32-bit integer" => &[INTEGER],
        "sticky buffer" => &[BUFFER],
        "sticky buffer, several instances" => &[BUFFER, INSTANCES],
        "version" | "flags" | "choice" => &[WORDS],
        "yes or no" => &[YES_OR_NO],
        "list" => &[LIST],
        "group" => &[GROUP],
        other => panic!("what is to be tried with a {other}?"),
    };
    lists.iter().copied().flatten().collect()
}

#[test]
fn the_case_of_a_keyword_tries_all_its_forms() {
    let mut missing = Vec::new();
    for keyword in keywords() {
        let rules = rules(&keyword.folder());
        let matching: Vec<_> = rules.iter().filter(|rule| rule.count > 0).collect();
        for (what, is_tried) in forms(&keyword.form) {
            let mut tries = matching.iter().flat_map(|rule| {
                rule.arguments(&keyword.name).into_iter().map(move |argument| (argument, rule))
            });
            if !tries.any(|(argument, rule)| is_tried(&keyword, argument, rule)) {
                missing.push(format!("{}: {what}", keyword.name));
            }
        }
    }
    assert!(missing.is_empty(), "no rule of the case matches with\n{}", missing.join("\n"));
}

/// Loads rules and does no more; how Suricata ended and what it said.
fn load(name: &str, rules: &[String]) -> (ExitStatus, String) {
    let suricata = Suricata::get();
    let folder = suricata.root.join("keywords").join(name);
    fresh_folder(&folder).expect("a folder");
    let file = folder.join("test.rules");
    fs::write(&file, rules.join("\n") + "\n").expect("a file");
    let mut command = suricata.command();
    command.args(["-T", "-v", "-l"]).arg(&folder).arg("-S").arg(&file);
    let status = suricata::run(&mut command, &folder).expect("a run");
    let said = ["stdout", "stderr"].map(|name| fs::read(folder.join(name)).expect("its output"));
    (status, String::from_utf8_lossy(&said.concat()).into_owned())
}

fn is_complaint(line: &&str) -> bool {
    line.starts_with("Error: ") || line.starts_with("Warning: ")
}

/// A rule with some options, with its place from 0 as sid and message.
fn rule((place, options): (usize, &str)) -> String {
    let sid = place + 1;
    format!("alert ikev2 any any -> any any (msg:\"{sid}\"; {options} sid:{sid};)")
}

#[test]
fn suricata_describes_the_keywords_of_a_preloaded_plugin() {
    let suricata = Suricata::get();
    let listed = Command::new(suricata.binary())
        .arg("--list-keywords=all")
        .env("LD_PRELOAD", suricata.root.join("ikev2.so"))
        .output()
        .expect("Suricata runs");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success(), "{text}");
    for Keyword { name, summary, .. } in keywords() {
        let entry = format!("\n{name}:\n\tDescription: {summary}\n");
        assert!(text.contains(&entry), "no {entry} in {text}");
    }
    assert!(!text.contains("Error: "), "{text}");
}

#[test]
fn every_example_of_the_documentation_loads() {
    let text = documentation();
    let examples: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let rules: Vec<_> = examples.iter().copied().enumerate().map(rule).collect();
    let shown = |keyword: &Keyword| {
        let rules = examples.iter().map(|it| Rule { options: (*it).to_owned(), count: 0 });
        rules.filter(|rule| !rule.arguments(&keyword.name).is_empty()).count() > 0
    };
    for keyword in keywords() {
        assert!(shown(&keyword), "{}: no example", keyword.name);
    }
    let (status, log) = load("examples", &rules);
    let complaints: Vec<_> = log.lines().filter(is_complaint).collect();
    assert!(status.success() && complaints.is_empty(), "{status}\n{}", complaints.join("\n"));
    let loaded = format!("{} rules successfully loaded, 0 rules failed", rules.len());
    assert!(log.contains(&loaded), "Suricata did not say '{loaded}'");
    say(&format!("keywords: {loaded}"));
}

/// A wrong argument, and what is wrong with it. Buffers, and what lacks its argument,
/// Suricata refuses itself; it names the keyword behind the reason.
type Wrong = (String, String);

const MISSING: &str = "invalid formatting or malformed option to";
const UNEXPECTED: &str = "unexpected option to";

/// Wrong for every integer: no number, nothing below or between, syntax of no form.
const NO_NUMBERS: &[&str] = &[
    "-1", "!", ">=", "34-", "-34", "5-4", "4-5", "4<>5", "1 2", "0x", "0b1", "!!4", "!>4", "<0",
    ">=0", "=>4", "4!", "1-3-5",
];

fn wrong_numbers(keyword: &Keyword) -> Vec<Wrong> {
    let bits: u32 = keyword.form.split('-').next().and_then(|n| n.parse().ok()).expect("bits");
    let largest = (1_u64 << bits) - 1;
    let large = [
        format!("{}", largest + 1),
        format!("{:#x}", largest + 1),
        format!(">{largest}"),
        format!("!{}", largest + 1),
        format!("1-{}", largest + 1),
    ];
    let reason = format!("is not a number from 0 to {largest}, ");
    let arguments = NO_NUMBERS.iter().map(|it| (*it).to_owned()).chain(large);
    let mut wrong: Vec<_> =
        arguments.map(|argument| (argument.clone(), format!("'{argument}' {reason}"))).collect();
    let nonsense = match keyword.names.is_empty() {
        true => "'nonsense' is not a number, and the keyword has no names",
        false => "no value is called 'nonsense'",
    };
    for argument in ["nonsense", "!nonsense", ">=nonsense", "1-nonsense"] {
        wrong.push((argument.to_owned(), nonsense.to_owned()));
    }
    wrong.push((",offered".to_owned(), parts(keyword, "offered")));
    wrong.push(("1,both".to_owned(), parts(keyword, "both")));
    wrong
}

/// What is said of a word behind a number.
fn parts(keyword: &Keyword, word: &str) -> String {
    match (keyword.name.as_str(), word) {
        ("ikev2.dh_group", "offered") => "a number or a name is missing".to_owned(),
        ("ikev2.esp.packets" | "ikev2.esp.bytes", _) => {
            format!("'{word}' is not one of initiator, responder")
        }
        ("ikev2.dh_group", _) => format!("'{word}' is not one of offered, chosen, ke"),
        (name, _) if name.starts_with("ikev2.chosen.") => format!("'{word}' is not one of sa"),
        _ => format!("'{word}' is not understood: the keyword takes one value or range"),
    }
}

/// Wrong arguments that are a keyword's own, with the reasons. Each keyword with names
/// has a misspelled one, and each with a list of words has wrong and contradictory ones.
#[rustfmt::skip]
const OWN: &[(&str, &[(&str, &str)])] = &[
    ("ikev2.exchange_type", &[
        ("ike_sa_exit", "no value is called 'ike_sa_exit'; did you mean 'ike_sa_init'?"),
        ("!ike_auht", "no value is called 'ike_auht'; did you mean 'ike_auth'?"),
        ("ike_sa_init-ike_auth", "'34-35' is not a number from 0 to 255"),
        ("ike_auth,informational", "'informational' is not understood"),
    ]),
    ("ikev2.version", &[
        ("two", "'two' is not MAJOR or MAJOR.MINOR, each from 0 to 15"),
        ("16", "'16' is not MAJOR"), ("2.16", "'16' is not MAJOR"), ("2.", "'' is not MAJOR"),
        (".0", "'' is not MAJOR"), ("2.0.0", "'0.0' is not MAJOR"), (">2", "'>2' is not MAJOR"),
        ("!!2", "'!2' is not MAJOR"), ("!", "'' is not MAJOR"), ("1-3", "'1-3' is not MAJOR"),
        ("0x2", "'0x2' is not MAJOR"), ("-2", "'-2' is not MAJOR"), ("2,3", "'2,3' is not MAJOR"),
    ]),
    ("ikev2.flags", &[
        ("respons", "'respons' is not one of initiator, version, response"),
        ("initiator,reserved", "'reserved' is not one of"), ("8", "'8' is not one of"),
        ("initiator,", "'' is not one of"), ("!", "'' is not one of"), (",", "'' is not one of"),
        ("!!response", "'!response' is not one of"),
        ("initiator response", "'initiator response' is not one of"),
        ("initiator,!initiator", "a flag cannot be set and clear at once"),
    ]),
    ("ikev2.role", &[
        ("client", "'client' is not one of initiator, responder"), ("!", "'' is not one of"),
        ("initiator,", "'' is not one of"), ("!!responder", "'!responder' is not one of"),
        ("responder,responder", "'responder' occurs twice"),
        ("initiator,responder", "a list of all words is always true"),
        ("!initiator,responder", "a list of all words is never true"),
    ]),
    ("ikev2.next_payload", &[
        ("none_", "no value is called 'none_'; did you mean 'none'?"),
        ("cerreq", "no value is called 'cerreq'; did you mean 'certreq'?"),
        ("ike_sa_init", "no value is called 'ike_sa_init'"),
    ]),
    ("ikev2.transport", &[
        ("tcp", "'tcp' is not one of udp500, udp4500, udp"), ("500", "'500' is not one of"),
        ("udp500,", "'' is not one of"), ("!", "'' is not one of"), ("!!udp", "'!udp' is not one of"),
        ("!udp500,!udp", "'!udp' is not one of"), ("udp500 udp", "'udp500 udp' is not one of"),
        ("udp,udp", "'udp' occurs twice"),
        ("udp500,udp4500,udp", "a list of all words is always true"),
        ("!udp500,udp4500,udp", "a list of all words is never true"),
    ]),
    ("ikev2.nat_t", &[
        ("maybe", "'maybe' is not one of yes, no"), ("!yes", "'!yes' is not one of"),
        ("1", "'1' is not one of"), ("yes,no", "'yes,no' is not one of"),
    ]),
    ("ikev2.id.type", &[
        ("id_fqnd", "no value is called 'id_fqnd'; did you mean 'id_fqdn'?"),
        ("fqdn", "no value is called 'fqdn'"),
    ]),
    ("ikev2.auth_method", &[
        ("shared_key_mac", "no value is called 'shared_key_mac'; did you mean 'shared_key_mic'?"),
    ]),
    ("ikev2.cert.encoding", &[
        ("x509_signatures", "no value is called 'x509_signatures'; did you mean 'x509_signature'?"),
    ]),
    ("ikev2.eap.code", &[
        ("sucess", "no value is called 'sucess'; did you mean 'success'?"),
    ]),
    ("ikev2.eap.type", &[
        ("eap_tsl", "no value is called 'eap_tsl'; did you mean 'eap_tls'?"),
    ]),
    ("ikev2.cp.type", &[
        ("cfg_replay", "no value is called 'cfg_replay'; did you mean 'cfg_reply'?"),
    ]),
    ("ikev2.delete.protocol", &[
        ("eps", "no value is called 'eps'"), ("isakmp", "no value is called 'isakmp'"),
    ]),
    ("ikev2.decrypted", &[
        ("late", "'late' is not one of yes, no"), ("!no", "'!no' is not one of"),
    ]),
    ("ikev2.payload.type", &[
        ("nonces", "no value is called 'nonces'; did you mean 'nonce'?"),
        (">vendor_id", "no value is called 'vendor_id'; did you mean 'vendorid'?"),
    ]),
    ("ikev2.notify.type", &[
        ("no_proposal_chosn", "no value is called 'no_proposal_chosn'; did you mean 'no_proposal_chosen'?"),
        ("cookie<>cookies", "no value is called 'cookies'; did you mean 'cookie'?"),
    ]),
    ("ikev2.dh_group", &[
        ("modp_99", "no value is called 'modp_99'"),
        ("curve_25519", "no value is called 'curve_25519'; did you mean 'curve25519'?"),
        ("14,", "'' is not one of offered, chosen, ke"),
        ("14,offered,chosen", "'offered,chosen' is not one of"),
        ("14,!offered", "'!offered' is not one of"), ("14 offered", "no value is called 'offered'"),
        ("offered", "no value is called 'offered'"),
    ]),
    ("ikev2.weak_proposal", &[
        ("rsa", "'rsa' is not one of encr, prf, integ, dh, key_length, esn, no_dh, no_integ, offered, chosen, policy NAME"),
        ("dh,rsa", "'rsa' is not one of"), ("!dh", "'!dh' is not one of"), ("dh encr", "'dh encr' is not one of"),
        ("14", "'14' is not one of"),
        ("dh,offered,chosen", "more than one of offered and chosen"),
        (",", "'' is not one of"), ("dh,", "'' is not one of"), ("dh,dh", "'dh' occurs twice"),
        ("policy", "'policy' is not one of"),
        ("policy rfc8248", "\"rfc8248\" is not a known policy (rfc8247, nist-sp800-77r1, bsi-tr-02102-3, anssi, cnsa-1, cnsa-2, custom); did you mean \"rfc8247\"?"),
        ("policy cnsa", "\"cnsa\" is not a known policy"),
        ("dh,policy nonsense,chosen", "\"nonsense\" is not a known policy"),
        ("policy custom", "\"custom\" needs lists of algorithms in custom-policy"),
        ("policy anssi,policy cnsa-1", "more than one policy"),
    ]),
    ("ikev2.pq", &[
        ("classic", "'classic' is not one of none, hybrid, pure, ppk"), ("!", "'' is not one of"),
        ("none,", "'' is not one of"), ("none,!pure", "'!pure' is not one of"),
        ("yes", "'yes' is not one of"), ("pure ppk", "'pure ppk' is not one of"),
    ]),
    ("ikev2.sa.state", &[
        ("open", "'open' is not one of half_open, cookie, init_done, authenticating, established, failed, closed"),
        ("half-open", "'half-open' is not one of"), ("!", "'' is not one of"), (",", "'' is not one of"),
        ("established,", "'' is not one of"), ("failed failed", "'failed failed' is not one of"),
        ("failed,!closed", "'!closed' is not one of"), ("!!failed", "'!failed' is not one of"),
        ("5", "'5' is not one of"), ("failed,closed,failed", "'failed' occurs twice"),
        ("half_open,cookie,init_done,authenticating,established,failed,closed", "a list of all words is always true"),
        ("!half_open,cookie,init_done,authenticating,established,failed,closed", "a list of all words is never true"),
    ]),
    ("ikev2.sa.age", &[("1h", "'1h' is not a number from 0 to 4294967295"), ("1.5", "'1.5' is not a number from 0 to 4294967295")]),
    ("ikev2.sa.handshake_time", &[("5s", "'5s' is not a number from 0 to 4294967295"), ("100ms", "'100ms' is not a number")]),
    ("ikev2.sa.retransmissions", &[(">10,60", "'60' is not understood: the keyword takes one value or range")]),
    ("ikev2.sa.auth_failures", &[(">=5,seconds 60", "'seconds 60' is not understood: the keyword takes one value or range")]),
    ("ikev2.sa.half_open", &[("yes", "'yes' is not a number, and the keyword has no names")]),
    ("ikev2.sa.init_rate", &[(">100,seconds 60", "'seconds 60' is not understood: the keyword takes one value or range")]),
    ("ikev2.sa.confirmed", &[("maybe", "'maybe' is not one of yes, no"), ("!", "'!' is not one of yes, no"), ("yes,no", "'yes,no' is not one of yes, no")]),
    ("ikev2.esp.packets", ESP),
    ("ikev2.esp.bytes", ESP),
    ("ikev2.esp.abnormal", &[(">0,initiator", "'initiator' is not understood: the keyword takes one value or range")]),
    ("ikev2.nat", &[
        ("yes", "'yes' is not one of unknown, none, initiator, responder, both, forced"),
        ("source", "'source' is not one of"), ("!", "'' is not one of"), ("both,", "'' is not one of"),
        ("none,!both", "'!both' is not one of"), ("both,both", "'both' occurs twice"),
        ("initiator responder", "'initiator responder' is not one of"),
        ("unknown,none,initiator,responder,both,forced", "a list of all words is always true"),
    ]),
    ("ikev2.event", &[
        ("malformed", "'malformed' is not one of malformed_data, "), ("!", "'' is not one of"),
        ("malformed-data", "'malformed-data' is not one of"), ("retransmission,", "'' is not one of"),
        ("ikev2.retransmission", "'ikev2.retransmission' is not one of"),
        ("retransmission,retransmission", "'retransmission' occurs twice"),
    ]),
    ("ikev2.fragment.status", &[
        ("overlap", "'overlap' is not one of complete, incomplete, duplicate, conflict, total_changed, invalid, mixed, timeout, too_many"),
        ("total-changed", "'total-changed' is not one of"), ("!", "'' is not one of"), (",", "'' is not one of"),
        ("conflict,", "'' is not one of"), ("!!conflict", "'!conflict' is not one of"),
        ("conflict,!mixed", "'!mixed' is not one of"), ("mixed,mixed", "'mixed' occurs twice"),
    ]),
    ("ikev2.offered.encr", ENCR),
    ("ikev2.chosen.encr", ENCR),
    ("ikev2.offered.prf", PRF),
    ("ikev2.chosen.prf", PRF),
    ("ikev2.offered.integ", INTEG),
    ("ikev2.chosen.integ", INTEG),
    ("ikev2.offered.dh", KE),
    ("ikev2.chosen.dh", KE),
    ("ikev2.offered.addke", KE),
    ("ikev2.chosen.addke", KE),
    ("ikev2.offered.esn", ESN),
    ("ikev2.chosen.esn", ESN),
];

#[rustfmt::skip]
const ESP: &[(&str, &str)] = &[
    ("10,client", "'client' is not one of initiator, responder"), ("10,", "'' is not one of initiator, responder"),
    ("10,initiator,responder", "'initiator,responder' is not one of"), ("initiator", "'initiator' is not a number, and the keyword has no names"),
];

#[rustfmt::skip]
const ENCR: &[(&str, &str)] = &[
    ("encr_3desx", "no value is called 'encr_3desx'; did you mean 'encr_3des'?"),
    ("encr_aes_cbc_256", "no value is called 'encr_aes_cbc_256'"),
    ("encr_3des,chosen", "'chosen' is not "),
    ("modp_2048", "no value is called 'modp_2048'"),
];

const PRF: &[(&str, &str)] = &[
    ("prf_hmac_md4", "no value is called 'prf_hmac_md4'; did you mean 'prf_hmac_md5'?"),
    ("auth_hmac_md5_96", "no value is called 'auth_hmac_md5_96'"),
];

const INTEG: &[(&str, &str)] = &[
    (
        "auth_hmac_sha1_69",
        "no value is called 'auth_hmac_sha1_69'; did you mean 'auth_hmac_sha1_96'?",
    ),
    ("prf_hmac_md5", "no value is called 'prf_hmac_md5'"),
];

const KE: &[(&str, &str)] = &[
    ("modp_2408", "no value is called 'modp_2408'; did you mean 'modp_2048'?"),
    ("encr_3des", "no value is called 'encr_3des'"),
    ("modp_2048,ke", "'ke' is not "),
];

const ESN: &[(&str, &str)] = &[
    ("no_ens", "no value is called 'no_ens'; did you mean 'no_esn'?"),
    ("yes", "no value is called 'yes'"),
];

/// Wrong arguments of a keyword, with what Suricata has to say of each.
fn wrong_arguments(keyword: &Keyword) -> Vec<Wrong> {
    let own = OWN.iter().filter(|(name, _)| *name == keyword.name).flat_map(|(_, own)| *own);
    let mut wrong: Vec<Wrong> =
        own.map(|(argument, reason)| ((*argument).to_owned(), (*reason).to_owned())).collect();
    assert!(keyword.names.is_empty() || !wrong.is_empty(), "{}: no wrong name", keyword.name);
    if keyword.form.ends_with("integer") {
        wrong.extend(wrong_numbers(keyword));
    }
    let said = |reason: &str| format!("{reason} {} keyword", keyword.name);
    if keyword.is_buffer() {
        let arguments = ["x", "1", "!", "offered"].map(str::to_owned);
        return arguments.map(|argument| (argument, said(UNEXPECTED))).into();
    }
    for (argument, reason) in &mut wrong {
        *reason = format!("ikev2: {}: bad argument \"{argument}\": {reason}", keyword.name);
    }
    if !["yes or no", "list"].contains(&keyword.form.as_str()) {
        wrong.push((String::new(), said(MISSING)));
    }
    wrong
}

/// What Suricata said of each rule that it refused, by the rule's line; the rule itself
/// is at the end.
fn refusals(log: &str) -> BTreeMap<usize, String> {
    let (mut refusals, mut said) = (BTreeMap::new(), String::new());
    for line in log.lines().filter(is_complaint) {
        said += line;
        if line.contains("error parsing signature \"") {
            let number = line.rsplit_once(" at line ").and_then(|(_, number)| number.parse().ok());
            refusals.insert(number.expect("a line"), std::mem::take(&mut said));
        }
    }
    refusals
}

/// The option of a rule.
fn option(keyword: &str, argument: &str) -> String {
    if argument.is_empty() {
        format!("{keyword};")
    } else {
        format!("{keyword}:{argument};")
    }
}

#[test]
fn a_wrong_argument_refuses_the_rule_and_is_named_with_its_keyword() {
    let (mut options, mut reasons) = (Vec::new(), Vec::new());
    for keyword in keywords() {
        let wrong = wrong_arguments(&keyword);
        assert!(!wrong.is_empty(), "{}: no wrong argument", keyword.name);
        for (argument, reason) in wrong {
            options.push(option(&keyword.name, &argument));
            reasons.push(reason);
        }
    }
    let rules: Vec<_> = options.iter().map(String::as_str).enumerate().map(rule).collect();
    let (status, log) = load("wrong-arguments", &rules);
    assert_eq!(status.code(), Some(1), "{status}");
    let refusals = refusals(&log);
    let mut faults = Vec::new();
    for (place, (option, reason)) in options.iter().zip(&reasons).enumerate() {
        match refusals.get(&(place + 1)) {
            None => faults.push(format!("{option} was taken")),
            Some(said) if said.contains(reason) && said.contains(&format!("; {option} sid:")) => {}
            Some(said) => faults.push(format!("{option}\n  wanted {reason}\n  found {said}")),
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), rules.len(), faults.join("\n"));
    say(&format!("keywords: {} wrong arguments are refused", rules.len()));
}

#[test]
fn wrong_arguments_are_of_keywords_that_exist() {
    let keywords: BTreeSet<_> = keywords().into_iter().map(|keyword| keyword.name).collect();
    for (name, wrong) in OWN {
        assert!(keywords.contains(*name), "{name} is no keyword");
        assert!(!wrong.is_empty(), "{name}: no wrong argument");
    }
}

#[test]
fn crafted_captures_are_as_made() {
    for (case, capture) in craft::keywords::captures() {
        let case = format!("keyword-{case}");
        craft::compare(&case, &capture).unwrap_or_else(|error| panic!("{error}"));
    }
}
