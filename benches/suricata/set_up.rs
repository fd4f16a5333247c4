//! In which ways Suricata reads a capture.

use testkit::rules::rule_pack;

use crate::workload::{built_in_rules, integer_rules};

/// What makes IKE out in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parser {
    /// Nothing: the built-in parser is off.
    None,
    /// The built-in parser.
    BuiltIn,
    /// The plugin, beside the built-in parser as in a stock configuration.
    Plugin,
}

/// A parser with settings and rules.
pub(crate) struct SetUp {
    pub(crate) name: String,
    pub(crate) parser: Parser,
    /// A setting of the plugin that is not the default.
    pub(crate) setting: Option<(&'static str, &'static str)>,
    pub(crate) rules: String,
    /// Whether the rules are many about integers. The plugin with them is compared with the
    /// built-in parser with as many of its own.
    pub(crate) integers: bool,
}

impl SetUp {
    pub(crate) fn new(name: impl Into<String>, parser: Parser) -> Self {
        Self { name: name.into(), parser, setting: None, rules: String::new(), integers: false }
    }

    /// The plugin with these rules.
    pub(crate) fn ruled(name: &str, rules: String) -> Self {
        Self { rules, ..Self::new(name, Parser::Plugin) }
    }

    /// The plugin with this value of a setting.
    pub(crate) fn set(setting: &'static str, value: &'static str) -> Self {
        let name = format!("plugin, `{setting}: {value}`");
        Self { setting: Some((setting, value)), ..Self::new(name, Parser::Plugin) }
    }
}

/// Those that each capture is read in.
pub(crate) fn common(rules: u32) -> Vec<SetUp> {
    let integers = |name, parser, text| SetUp {
        rules: text,
        integers: true,
        ..SetUp::new(format!("{name}, {rules} integer rules"), parser)
    };
    vec![
        SetUp::new("no IKE parser", Parser::None),
        SetUp::new("built-in `ike`", Parser::BuiltIn),
        integers("built-in `ike`", Parser::BuiltIn, built_in_rules(rules)),
        SetUp::new("plugin", Parser::Plugin),
        SetUp::ruled("plugin, rule pack", rule_pack()),
        integers("plugin", Parser::Plugin, integer_rules(rules)),
    ]
}

/// For captures of messages.
pub(crate) fn of_messages(rules: u32) -> Vec<SetUp> {
    let mut set_ups = common(rules);
    set_ups.push(SetUp::set("records", "sa"));
    set_ups
}

/// For tunnels that are up for some time, where most messages are liveness checks.
pub(crate) fn of_tunnels(rules: u32) -> Vec<SetUp> {
    let mut set_ups = common(rules);
    set_ups.extend(["handshakes", "sa"].map(|value| SetUp::set("records", value)));
    set_ups
}

/// For captures of ESP.
pub(crate) fn of_esp(rules: u32) -> Vec<SetUp> {
    let mut set_ups = common(rules);
    set_ups.extend(other_esp_handlings());
    set_ups
}

/// For captures of ESP, each with these rules.
pub(crate) fn of_esp_with(rules: &str) -> Vec<SetUp> {
    let mut set_ups = vec![
        SetUp::new("no IKE parser", Parser::None),
        SetUp::new("built-in `ike`", Parser::BuiltIn),
        SetUp::new("plugin", Parser::Plugin),
    ];
    set_ups.extend(other_esp_handlings());
    set_ups.iter_mut().for_each(|set_up| set_up.rules = rules.to_owned());
    set_ups
}

/// The plugin with each value of `encryption-handling` that is not the default `track-only`.
fn other_esp_handlings() -> [SetUp; 2] {
    ["bypass", "full"].map(|value| SetUp::set("encryption-handling", value))
}
