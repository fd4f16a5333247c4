//! Every setting: one row each, with the value that the rest of the plugin gets.

use std::path::PathBuf;

use super::form::Form;
use crate::host::records::{self, RecordSelection};
use crate::policy::Policy;
use crate::render::MAX_RECORD;
use crate::sa::Limits;

/// A setting below `app-layer.protocols.ikev2`. Only the test that writes the documentation reads
/// `default` and `meaning`.
#[cfg_attr(not(test), allow(dead_code))]
pub(super) struct Setting {
    /// Its key. What stands before the dot is the section.
    pub(super) key: &'static str,
    /// Which values are allowed, and where they go.
    pub(super) form: Form,
    /// The default as it may stand in suricata.yaml; empty if there is none.
    pub(super) default: &'static str,
    /// Documentation for docs/configuration.md, as Markdown.
    pub(super) meaning: &'static str,
}

/// How much of the plugin is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Mode {
    /// Detection and parsing.
    On,
    /// Flows are named `ikev2`, and nothing is parsed.
    DetectionOnly,
    /// Nothing: IKEv2 is left to the built-in parser.
    Off,
}

/// The modes in the order of their words.
const MODES: [Mode; 3] = [Mode::On, Mode::Off, Mode::DetectionOnly];

/// What happens with the ESP packets of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum EncryptionHandling {
    /// They are counted. Rules do not look for contents in them.
    TrackOnly,
    /// They are counted. Suricata does nothing else with them.
    Bypass,
    /// They are inspected like all other packets.
    Full,
}

/// The ways of handling in the order of their words.
const HANDLINGS: [EncryptionHandling; 3] =
    [EncryptionHandling::TrackOnly, EncryptionHandling::Bypass, EncryptionHandling::Full];

/// The values of all settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) struct Settings {
    /// `enabled`
    pub(in crate::host) mode: Mode,
    /// `max-tx`: the most transactions of a flow that are kept at once.
    pub(in crate::host) max_tx: usize,
    /// `encryption-handling`: what happens with the ESP packets of a flow.
    pub(in crate::host) encryption_handling: EncryptionHandling,
    /// `max-record-size`: the most bytes of a message in a record.
    pub(in crate::host) max_record: usize,
    /// `records`: which messages have a record.
    pub(in crate::host) records: RecordSelection,
    /// `policy`: what judges the proposals of every message.
    pub(in crate::host) policy: &'static Policy,
    /// `custom-policy`: what the name `custom` means; none without lists.
    pub(in crate::host) custom_policy: Option<&'static Policy>,
    /// `rule-prefilter`
    pub(in crate::host) prefilter: bool,
    /// `sa-tracking.enabled`
    pub(in crate::host) sa_tracking: bool,
    /// `sa-tracking`: memory and times.
    pub(in crate::host) sa_limits: Limits,
    /// `decryption.enabled`
    pub(in crate::host) decryption: bool,
    /// `decryption.key-table`
    pub(in crate::host) key_tables: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::On,
            max_tx: 256,
            encryption_handling: EncryptionHandling::TrackOnly,
            max_record: MAX_RECORD,
            records: RecordSelection::ALL,
            policy: Policy::standard(),
            custom_policy: None,
            prefilter: true,
            sa_tracking: true,
            sa_limits: Limits::default(),
            decryption: false,
            key_tables: Vec::new(),
        }
    }
}

/// The longest time that can be set: four weeks, in seconds.
const LONGEST: u32 = 28 * 86_400;

/// Every setting, in the order of the documentation.
pub(super) const TABLE: &[Setting] = &[
    Setting {
        key: "enabled",
        form: Form::Words {
            words: &["yes", "no", "detection-only"],
            is_list: false,
            set: |it, places| it.mode = MODES[places[0]],
        },
        default: "yes",
        meaning: "How much of the plugin is on",
    },
    Setting {
        key: "detection-ports",
        form: Form::ReadBySuricata { allowed: "`dp` with one text in the syntax of rules" },
        default: "dp: \"[500, 848, 4500]\"",
        meaning: "The ports of the server on which a message with an odd header is recognised too",
    },
    Setting {
        key: "max-tx",
        form: Form::Number { range: 1..=65_535, unit: "", set: |it, n| it.max_tx = n as usize },
        default: "256",
        meaning: "The most messages of one flow that are kept at once",
    },
    Setting {
        key: "records",
        form: Form::Words {
            words: records::WORDS,
            is_list: true,
            set: |it, places| it.records = RecordSelection::of(places),
        },
        default: "all",
        meaning:
            "Which messages have a record beside the records of SAs. `sa`: none. `handshakes`: \
                  those that make SAs or their keys, and each message with an event. `all`: all \
                  messages. Rules, alerts and anomalies are the same with each value",
    },
    Setting {
        key: "encryption-handling",
        form: Form::Words {
            words: &["track-only", "bypass", "full"],
            is_list: false,
            set: |it, places| it.encryption_handling = HANDLINGS[places[0]],
        },
        default: "track-only",
        meaning: "What happens with the ESP packets of a flow: see \
                  [below](#esp-packets-encryption-handling)",
    },
    Setting {
        key: "policy",
        form: Form::Policy { set: |it, policy| it.policy = policy },
        default: "rfc8247",
        meaning: "The policy that says which algorithms are weak",
    },
    Setting {
        key: "custom-policy",
        form: Form::Algorithms {
            // A policy lives as long as the settings: as long as the process.
            set: |it, lists| it.custom_policy = Some(Box::leak(Box::new(Policy::custom(lists)))),
        },
        default: "",
        meaning: "The algorithms that the policy `custom` allows",
    },
    Setting {
        key: "rule-prefilter",
        form: Form::Switch { set: |it, on| it.prefilter = on },
        default: "yes",
        meaning: "Whether Suricata's pattern matcher sorts out the rules whose `ikev2` keywords \
                  cannot match a message. With `no` each message costs time for each rule, and \
                  the alerts are the same",
    },
    Setting {
        key: "sa-tracking.enabled",
        form: Form::Switch { set: |it, on| it.sa_tracking = on },
        default: "yes",
        meaning: "Whether IKE SAs are tracked. With `no` each message is decoded alone: there is \
                  no object `sa`, the keywords that look at it load and match nothing, and there \
                  are no events and no counters of SAs",
    },
    Setting {
        key: "sa-tracking.memcap",
        form: Form::Size { least_mb: 1, set: |it, bytes| it.sa_limits.memcap = bytes },
        default: "64mb",
        meaning: "The most memory that SAs may take, in Suricata's notation (`kb`, `mb`, `gb`). \
                  64 MiB hold about 130,000 SAs. When the memory is full, the oldest half-open \
                  SA is removed first, and established SAs last",
    },
    Setting {
        key: "sa-tracking.half-open-timeout",
        form: seconds(|it, seconds| it.sa_limits.half_open_timeout = seconds),
        default: "30",
        meaning: "Seconds without a message after which an unanswered IKE_SA_INIT is given up. \
                  If it was repeated for that long, the SA failed with the reason `no_answer`. \
                  An answered handshake has four times as long, because a person may have to \
                  confirm a round of EAP",
    },
    Setting {
        key: "sa-tracking.established-timeout",
        form: seconds(|it, seconds| it.sa_limits.established_timeout = seconds),
        default: "86400",
        meaning: "Seconds without a message after which an SA in use is given up. The next \
                  message makes a new SA, and what was known of the old one is lost. So choose \
                  more than the longest lifetime of your peers' SAs that have no liveness checks",
    },
    Setting {
        key: "sa-tracking.closed-timeout",
        form: seconds(|it, seconds| it.sa_limits.closed_timeout = seconds),
        default: "60",
        meaning: "Seconds for which a closed or failed SA is still known, so that late \
                  retransmissions do not look like a new SA",
    },
    Setting {
        key: "sa-tracking.window",
        form: seconds(|it, seconds| it.sa_limits.window = seconds),
        default: "60",
        meaning: "Seconds over which `init_rate` and `auth_failures` count what a source did",
    },
    Setting {
        key: "decryption.enabled",
        form: Form::Switch { set: |it, on| it.decryption = on },
        default: "no",
        meaning: "Whether messages are decrypted",
    },
    Setting {
        key: "decryption.key-table",
        form: Form::Files { set: |it, files| it.key_tables = files },
        default: "",
        meaning: "The files with the keys, in the form of Wireshark's `ikev2_decryption_table`. \
                  They are read at the start, and again when they grow or are replaced",
    },
    Setting {
        key: "max-record-size",
        form: Form::Number {
            range: 2048..=1_048_576,
            unit: "bytes",
            set: |it, bytes| it.max_record = bytes as usize,
        },
        default: "8192",
        meaning: "The most bytes of the object `ikev2` in a message's record. Longer lists are \
                  cut, and `omitted` counts what was left out",
    },
];

const fn seconds(set: fn(&mut Settings, u32)) -> Form {
    Form::Number { range: 1..=LONGEST, unit: "seconds", set }
}
