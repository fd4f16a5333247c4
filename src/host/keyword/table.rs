//! The keywords. Each has one row.

use super::args::ValueSource;
use super::kind::{Choice, Integer, Keyword, Kind, Names, Values, Width};
use crate::message::{Event, Scope, Transport};
use crate::message::{Message, Remainders};
use crate::policy::PostQuantum;
use crate::sa::SentEsp;
use crate::tx::Transaction;
use crate::wire::registry::{
    Encr, ExchangeType, Integ, KeyExchangeMethod, NotifyType, PayloadType, Prf, SequenceNumbers,
    TransformType,
};
use crate::wire::Flags;

/// The names of a registry, for [`Integer::names`].
macro_rules! names {
    ($registry:ident) => {
        Some(Names {
            number: |name| $registry::from_name(name).map(|entry| entry.0.into()),
            all: || $registry::ALL.iter().filter_map(|entry| entry.name()).collect(),
        })
    };
}

/// An integer keyword whose values a function returns.
macro_rules! integer {
    ($width:ident, $names:expr, $any:expr) => {
        Kind::Integer(Integer {
            width: Width::$width,
            names: $names,
            parts: &[],
            values: Values::Of($any),
        })
    };
}

pub(super) use {integer, names};

/// An integer keyword over what is known about the IKE SA.
macro_rules! sa {
    (|$sa:ident| $value:expr) => {
        integer!(U32, None, |tx, _, test| {
            tx.sa().and_then(|$sa| $value).is_some_and(|value| test(value))
        })
    };
}

/// An integer keyword over the ESP traffic of an IKE SA: of one end, or the sum of both.
macro_rules! esp {
    (|$sent:ident| $value:expr) => {
        Kind::Integer(Integer {
            width: Width::U32,
            names: None,
            parts: &[ValueSource::Initiator, ValueSource::Responder],
            values: Values::Of(|tx, part, test| {
                let Some(sa) = tx.sa() else { return false };
                let ($sent, other) = (sa.esp.from_initiator(), sa.esp.from_responder());
                let value = |$sent: SentEsp| $value;
                test(match part {
                    Some(ValueSource::Initiator) => value($sent),
                    Some(ValueSource::Responder) => value(other),
                    _ => value($sent + other),
                })
            }),
        })
    };
}

/// A chosen transform can also be looked up in the SA, with the word `sa`.
macro_rules! parts {
    (Offered) => {
        &[]
    };
    (Chosen) => {
        &[ValueSource::Sa]
    };
}

/// An integer keyword over the offered or chosen transforms of some types.
macro_rules! transforms {
    ($scope:ident, $registry:ident, $first:ident, $last:ident) => {
        Kind::Integer(Integer {
            width: Width::U16,
            names: names!($registry),
            parts: parts!($scope),
            values: Values::Transforms(Scope::$scope, TransformType::$first, TransformType::$last),
        })
    };
}

const KEY_LENGTHS_OFFERED: Kind = Kind::Integer(Integer {
    width: Width::U16,
    names: None,
    parts: &[],
    values: Values::KeyLengths(Scope::Offered),
});

const KEY_LENGTHS_CHOSEN: Kind = Kind::Integer(Integer {
    width: Width::U16,
    names: None,
    parts: parts!(Chosen),
    values: Values::KeyLengths(Scope::Chosen),
});

/// The names of all events, as rules write them.
const EVENTS: [&str; Event::ALL.len()] = {
    let mut names = [""; Event::ALL.len()];
    let mut place = 0;
    while place < names.len() {
        if let Ok(name) = Event::ALL[place].name().to_str() {
            names[place] = name;
        }
        place += 1;
    }
    names
};

super::keywords! {
    ExchangeTypeKeyword {
        name: c"ikev2.exchange_type",
        summary: c"exchange type in the header",
        details: "",
        examples: &["ikev2.exchange_type:ike_auth;", "ikev2.exchange_type:>ike_followup_ke;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U8, names!(ExchangeType), |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.exchange_type.0.into()))
        }),
        is_common: true,
    }
    VersionKeyword {
        name: c"ikev2.version",
        summary: c"version in the header",
        details: "`2` matches any minor version of 2. `2.0` matches only version 2.0.",
        examples: &["ikev2.version:2.0;", "ikev2.version:!2.0;"],
        source: "RFC 7296, 3.1 and 2.5",
        kind: Kind::Version,
        is_common: true,
    }
    FlagsKeyword {
        name: c"ikev2.flags",
        summary: c"flags in the header",
        details: "All flags in the list must be as written. A flag with `!` must be clear.",
        examples: &["ikev2.flags:initiator,!response;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Flags(&[
            ("initiator", Flags::INITIATOR),
            ("version", Flags::VERSION),
            ("response", Flags::RESPONSE),
        ]),
        is_common: true,
    }
    RoleKeyword {
        name: c"ikev2.role",
        summary: c"which peer of the IKE SA sent the message",
        details: "In IKE_SA_INIT, IKE_AUTH and the exchanges between them, the Response flag decides. In all other exchanges the Initiator flag decides. Both peers may send requests: use `ikev2.flags` to tell requests from responses. The role does not depend on the direction of the flow.",
        examples: &["ikev2.role:responder;", "ikev2.role:initiator; ikev2.exchange_type:informational;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Choice(Choice {
            names: &["initiator", "responder"],
            get: |tx| tx.message().role().map(|role| 1 << role as u32),
        }),
        is_common: true,
    }
    MessageIdKeyword {
        name: c"ikev2.message_id",
        summary: c"Message ID in the header",
        details: "",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.message_id:>0;"],
        source: "RFC 7296, 3.1 and 2.2",
        kind: integer!(U32, None, |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.message_id))
        }),
    }
    LengthKeyword {
        name: c"ikev2.length",
        summary: c"Length field of the header: the size of the whole message in bytes, as the sender states it",
        details: "",
        examples: &["ikev2.length:>3000;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U32, None, |tx, _, test| tx.message().header.is_some_and(|header| test(header.length))),
    }
    NextPayloadKeyword {
        name: c"ikev2.next_payload",
        summary: c"Next Payload field of the header: the type of the first payload",
        details: "",
        examples: &["ikev2.next_payload:132;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U8, names!(PayloadType), |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.next_payload.0.into()))
        }),
    }
    InitSpiKeyword {
        name: c"ikev2.init_spi",
        summary: c"SPI of the IKE SA's initiator, as 16 lower-case hex digits",
        details: "The buffer is the same in requests and responses.",
        examples: &["ikev2.init_spi; content:\"c0ffee\"; startswith;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Buffer(|tx| tx.message().init_spi_text()),
    }
    RespSpiKeyword {
        name: c"ikev2.resp_spi",
        summary: c"SPI of the IKE SA's responder, as 16 lower-case hex digits",
        details: "The buffer exists in requests and responses. In the first request it is all zeros.",
        examples: &["ikev2.resp_spi; content:\"0000000000000000\";"],
        source: "RFC 7296, 3.1",
        kind: Kind::Buffer(|tx| tx.message().resp_spi_text()),
    }
    EventKeyword {
        name: c"ikev2.event",
        summary: c"events of the message",
        details: "These are the events of `app-layer-event:ikev2.NAME`, but one keyword can name several of them. Suricata checks a rule that has only an `app-layer-event` for each packet of an IKE flow, ESP included. It checks a rule with `ikev2.event` only for messages. docs/performance.md has the cost of both.",
        examples: &["ikev2.event:malformed_header;", "ikev2.event:downgrade_ke,downgrade_retry;"],
        source: "docs/rules.md",
        kind: Kind::Choice(Choice { names: &EVENTS, get: |tx| Some(tx.message().events.bits()) }),
    }
    OnceKeyword {
        name: c"ikev2.once",
        summary: c"whether no other rule of the same group has matched the message before",
        details: "Only the first rule of a group that matches a message raises an alert. Suricata checks rules in the order of their priority, then in the order of the files. The plugin checks `ikev2.once` after all other conditions of the rule. If a `threshold` or a suppression hides the alert of a rule, the other rules of the group stay silent all the same. The rules in `rules/` use the groups `message` and `inside`. Use `local` in your own rules.",
        examples: &["ikev2.event:malformed_data; ikev2.once:local;"],
        source: "docs/rules.md",
        kind: Kind::Once(&["message", "inside", "local"]),
    }
    TransportKeyword {
        name: c"ikev2.transport",
        summary: c"what carried the message",
        details: "`udp500` and `udp4500` mean that the port is on either side. If both ports are there, the value is `udp500`. `udp` means UDP between other ports, port 848 of G-IKEv2 included.",
        examples: &["ikev2.transport:udp;", "ikev2.transport:!udp500,udp4500;"],
        source: "RFC 7296, 2",
        kind: Kind::Choice(Choice {
            names: &["udp500", "udp4500", "udp"],
            get: |tx| Some(match tx.message().transport {
                Transport::Udp500 => 1,
                Transport::Udp4500 => 1 << 1,
                Transport::Udp => 1 << 2,
            }),
        }),
        is_common: true,
    }
    NatTKeyword {
        name: c"ikev2.nat_t",
        summary: c"whether the non-ESP marker precedes the message",
        details: "",
        examples: &["ikev2.nat_t;", "ikev2.transport:udp4500; ikev2.nat_t:no;"],
        source: "RFC 3948, 2.2",
        kind: Kind::Presence(|tx| tx.message().nat_t()),
        is_common: true,
    }
    PayloadTypeKeyword {
        name: c"ikev2.payload.type",
        summary: c"type of any payload",
        details: "After decryption this includes the payloads of the encrypted payload.",
        examples: &["ikev2.payload.type:certreq;", "ikev2.payload.type:>ps;"],
        source: "RFC 7296, 3.2",
        kind: integer!(U8, names!(PayloadType), |tx, _, test| {
            tx.message().payloads.iter().any(|payload| test(payload.kind.0.into()))
        }),
    }
    PayloadLengthKeyword {
        name: c"ikev2.payload.length",
        summary: c"Payload Length of any payload in bytes, generic header included",
        details: "",
        examples: &["ikev2.next_payload:132; ikev2.payload.length:<8;"],
        source: "RFC 7296, 3.2",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().payloads.iter().any(|payload| test(payload.length.into()))
        }),
    }
    PayloadDataKeyword {
        name: c"ikev2.payload.data",
        summary: c"bodies of the payloads, without their generic headers",
        details: "",
        examples: &["ikev2.payload.data; content:\"|de ad be ef|\"; startswith;"],
        source: "RFC 7296, 3.2",
        kind: Kind::MultiBuffer(|tx, index| {
            tx.message().payloads.get(index).map(|entry| tx.message().payload(entry).body)
        }),
    }
    KeyExchangePayloadKeyword {
        name: c"ikev2.key_exchange_payload",
        summary: c"Key Exchange Data of the KE payload",
        details: "This is the public value, without the number of the key exchange method.",
        examples: &["ikev2.key_exchange_payload; content:\"|00 00 00 00|\"; startswith;"],
        source: "RFC 7296, 3.4",
        kind: Kind::Buffer(|tx| tx.message().key_exchanges().next().map(|exchange| exchange.data)),
    }
    KeyExchangePayloadLengthKeyword {
        name: c"ikev2.key_exchange_payload_length",
        summary: c"length of the Key Exchange Data in bytes",
        details: "",
        examples: &["ikev2.dh_group:modp_2048,ke; ikev2.key_exchange_payload_length:!256;"],
        source: "RFC 7296, 3.4",
        kind: integer!(U32, None, |tx, _, test| {
            tx.message().key_exchanges().any(|exchange| test(length(exchange.data)))
        }),
    }
    NoncePayloadKeyword {
        name: c"ikev2.nonce_payload",
        summary: c"Nonce Data of the Nonce payload",
        details: "",
        examples: &["ikev2.nonce_payload; bsize:<16;"],
        source: "RFC 7296, 3.9",
        kind: Kind::Buffer(|tx| tx.message().payloads_of(PayloadType::NONCE).next().map(|nonce| nonce.body)),
    }
    NoncePayloadLengthKeyword {
        name: c"ikev2.nonce_payload_length",
        summary: c"length of the Nonce Data in bytes",
        details: "",
        examples: &["ikev2.nonce_payload_length:<16;"],
        source: "RFC 7296, 3.9: 16 to 256 bytes",
        kind: integer!(U32, None, |tx, _, test| {
            tx.message().payloads_of(PayloadType::NONCE).any(|nonce| test(length(nonce.body)))
        }),
    }
    NotifyTypeKeyword {
        name: c"ikev2.notify.type",
        summary: c"Notify Message Type of any notify",
        details: "After decryption this includes the notifies of the encrypted payload. Types below 16384 are errors.",
        examples: &["ikev2.notify.type:no_proposal_chosen;", "ikev2.flags:!response; ikev2.notify.type:<16384;"],
        source: "RFC 7296, 3.10.1",
        kind: integer!(U16, names!(NotifyType), |tx, _, test| {
            tx.message().notifies().any(|notify| test(notify.kind.0.into()))
        }),
    }
    NotifyDataKeyword {
        name: c"ikev2.notify.data",
        summary: c"Notification Data of the notifies",
        details: "",
        examples: &["ikev2.notify.type:no_proposal_chosen; ikev2.notify.data; bsize:>0;"],
        source: "RFC 7296, 3.10",
        kind: Kind::MultiBuffer(|tx, index| tx.notify(index).map(|notify| notify.data)),
    }
    VendorIdKeyword {
        name: c"ikev2.vendor_id",
        summary: c"Vendor IDs as raw bytes",
        details: "The buffer exists in requests and responses.",
        examples: &["ikev2.vendor_id; content:\"strongSwan\";"],
        source: "RFC 7296, 3.12",
        kind: Kind::MultiBuffer(Transaction::vendor_id),
    }
    VendorKeyword {
        name: c"ikev2.vendor",
        summary: c"product names of the known Vendor IDs",
        details: "The buffer exists in requests and responses. docs/vendor-ids.md says where the names come from.",
        examples: &["ikev2.vendor; content:\"strongSwan\"; startswith;"],
        source: "docs/vendor-ids.md",
        kind: Kind::MultiBuffer(|tx, index| {
            tx.positions().products.get(index).map(|name| name.as_bytes())
        }),
    }
    FingerprintKeyword {
        name: c"ikev2.fingerprint",
        summary: c"hash that identifies the sender's implementation, from an IKE_SA_INIT message",
        details: "The hash has 32 lower-case hex digits. Requests have one, and so have responses with proposals.",
        examples: &["ikev2.role:initiator; ikev2.fingerprint; content:\"7e0ebc6bca5571e471284324507d802c\";"],
        source: "docs/fingerprint.md",
        kind: Kind::Buffer(|tx| tx.fingerprint().map(|fingerprint| &fingerprint.hash[..])),
    }
    FingerprintStringKeyword {
        name: c"ikev2.fingerprint.string",
        summary: c"the fingerprint in readable form",
        details: "",
        examples: &["ikev2.fingerprint.string; content:\"i1:\"; startswith;"],
        source: "docs/fingerprint.md",
        kind: Kind::Buffer(|tx| {
            tx.fingerprint().map(|fingerprint| fingerprint.string.as_bytes())
        }),
    }
    FragmentNumberKeyword {
        name: c"ikev2.fragment.number",
        summary: c"Fragment Number of an encrypted fragment, counted from 1",
        details: "",
        examples: &["ikev2.fragment.number:0;"],
        source: "RFC 7383, 2.5",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().fragment().is_some_and(|fragment| test(fragment.number.into()))
        }),
    }
    FragmentTotalKeyword {
        name: c"ikev2.fragment.total",
        summary: c"Total Fragments of an encrypted fragment",
        details: "",
        examples: &["ikev2.fragment.total:>20;"],
        source: "RFC 7383, 2.5",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().fragment().is_some_and(|fragment| test(fragment.total.into()))
        }),
    }
    EncryptedLengthKeyword {
        name: c"ikev2.encrypted_length",
        summary: c"length of the encrypted contents in bytes, from initialization vector to checksum",
        details: "The encrypted contents are those of the SK payload or of the fragment.",
        examples: &["ikev2.exchange_type:ike_auth; ikev2.encrypted_length:>4000;"],
        source: "RFC 7296, 3.14; RFC 7383, 2.5",
        kind: integer!(U32, None, |tx, _, test| tx.message().encrypted().is_some_and(|body| test(length(body)))),
    }
    DhGroupKeyword {
        name: c"ikev2.dh_group",
        summary: c"any key exchange method of the message",
        details: "The keyword looks at the transforms of type 4, at those of the additional key exchanges 1 to 7 (RFC 9370), and at the KE payload. With `sa` it looks at what the IKE SA has negotiated, in any message of the SA. The `chosen` keywords take `sa` too.",
        examples: &[
            "ikev2.dh_group:modp_1024,offered;",
            "ikev2.dh_group:<14,chosen;",
            "ikev2.dh_group:>=ml_kem_512;",
            "ikev2.exchange_type:informational; ikev2.dh_group:<14,sa;",
        ],
        source: "RFC 7296, 3.3.2 and 3.4",
        kind: Kind::Integer(Integer {
            width: Width::U16,
            names: names!(KeyExchangeMethod),
            parts: &[ValueSource::Offered, ValueSource::Chosen, ValueSource::Ke, ValueSource::Sa],
            values: Values::Prefiltered(any_key_exchange_method, prefiltered_key_exchange_methods),
        }),
    }
    WeakProposalKeyword {
        name: c"ikev2.weak_proposal",
        summary: c"what a policy finds weak in the proposals",
        details: "Without a kind, any finding matches. Without `policy NAME`, the configured policy judges. docs/policies.md describes the policies.",
        examples: &[
            "ikev2.weak_proposal:chosen;",
            "ikev2.weak_proposal:encr,dh,chosen;",
            "ikev2.weak_proposal:dh,policy bsi-tr-02102-3;",
        ],
        source: "docs/policies.md",
        kind: Kind::Weak,
    }
    SecurityBitsKeyword {
        name: c"ikev2.security_bits",
        summary: c"strength in bits: of the strongest proposal in an offer, or of the chosen proposal",
        details: "A proposal is as strong as its weakest part. docs/policies.md says how the parts are estimated.",
        examples: &["ikev2.flags:response; ikev2.security_bits:<112;"],
        source: "NIST SP 800-57 part 1, after docs/policies.md",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().security_bits().is_some_and(|bits| test(bits.into()))
        }),
    }
    PqKeyword {
        name: c"ikev2.pq",
        summary: c"post-quantum protection in the proposals and notifies",
        details: "`hybrid` is ML-KEM together with another method. `pure` is ML-KEM alone. `ppk` is a preshared key (RFC 8784) without ML-KEM. A message without proposals has no value.",
        examples: &["ikev2.flags:response; ikev2.pq:none;", "ikev2.flags:!response; ikev2.pq:!hybrid,pure;"],
        source: "RFC 9370, RFC 8784",
        kind: Kind::Choice(Choice {
            names: &["none", "hybrid", "pure", "ppk"],
            get: |tx| tx.message().post_quantum().map(|state| match state {
                PostQuantum::None => 1,
                PostQuantum::Hybrid => 1 << 1,
                PostQuantum::Pure => 1 << 2,
                PostQuantum::Ppk => 1 << 3,
            }),
        }),
        is_common: true,
    }
    ProposalKeyword {
        name: c"ikev2.proposal",
        summary: c"proposals as canonical text",
        details: "docs/proposals.md has the grammar and shows how to make an allow-list of proposals.",
        examples: &[
            "ikev2.proposal; content:\"MODP_1024\";",
            "ikev2.flags:response; ikev2.proposal; pcre:\"/^IKE:AES_GCM_16_256/\";",
        ],
        source: "docs/proposals.md",
        kind: Kind::MultiBuffer(|tx, index| tx.message().proposal_texts().get(index).map(String::as_bytes)),
    }
    SaStateKeyword {
        name: c"ikev2.sa.state",
        summary: c"state of the IKE SA after the message",
        details: "",
        examples: &["ikev2.sa.state:failed;", "ikev2.sa.state:!established,closed;"],
        source: "docs/sa-tracking.md",
        kind: Kind::Choice(Choice {
            names: &["half_open", "cookie", "init_done", "authenticating", "established", "failed", "closed"],
            get: |tx| tx.sa().map(|sa| 1 << sa.state as u32),
        }),
        is_common: true,
    }
    SaAgeKeyword {
        name: c"ikev2.sa.age",
        summary: c"seconds since the first captured message of the IKE SA",
        details: "",
        examples: &["ikev2.sa.age:>86400;"],
        source: "docs/sa-tracking.md",
        kind: sa!(|sa| Some(sa.age_s)),
    }
    SaHandshakeTimeKeyword {
        name: c"ikev2.sa.handshake_time",
        summary: c"milliseconds from the first IKE_SA_INIT to the end of IKE_AUTH",
        details: "Only SAs whose whole handshake was captured have a value.",
        examples: &["ikev2.sa.handshake_time:>5000;"],
        source: "docs/sa-tracking.md",
        kind: sa!(|sa| sa.handshake_ms),
    }
    SaRetransmissionsKeyword {
        name: c"ikev2.sa.retransmissions",
        summary: c"number of retransmissions in the IKE SA: messages that repeat an earlier one byte for byte",
        details: "",
        examples: &["ikev2.sa.retransmissions:>10;"],
        source: "RFC 7296, 2.1",
        kind: sa!(|sa| Some(sa.retransmissions)),
    }
    SaAuthFailuresKeyword {
        name: c"ikev2.sa.auth_failures",
        summary: c"refused authentications of the initiator's address within the window",
        details: "`sa-tracking.window` sets the window: see docs/configuration.md.",
        examples: &["ikev2.sa.auth_failures:>=5;"],
        source: "docs/sa-tracking.md",
        kind: sa!(|sa| Some(sa.auth_failures)),
    }
    SaHalfOpenKeyword {
        name: c"ikev2.sa.half_open",
        summary: c"half-open SAs of the responder's address",
        details: "",
        examples: &["ikev2.sa.half_open:>1000;"],
        source: "RFC 8019, 3",
        kind: sa!(|sa| Some(sa.half_open)),
    }
    SaInitRateKeyword {
        name: c"ikev2.sa.init_rate",
        summary: c"IKE_SA_INIT requests of the initiator's address within the window",
        details: "A retransmission does not count. A request that is repeated with a cookie, or for another group, counts again. `sa-tracking.window` sets the window: see docs/configuration.md.",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.sa.init_rate:>100;"],
        source: "RFC 8019, 3",
        kind: sa!(|sa| Some(sa.init_rate)),
    }
    SaConfirmedKeyword {
        name: c"ikev2.sa.confirmed",
        summary: c"whether the messages after the handshake prove that the IKE SA is established",
        details: "`no` matches every other message, messages of a handshake included. A message that looks like the last response of IKE_AUTH may be the first response of EAP.",
        examples: &["ikev2.sa.confirmed;", "ikev2.sa.state:established; ikev2.sa.confirmed:no;"],
        source: "docs/sa-tracking.md",
        kind: Kind::Presence(|tx| tx.sa().is_some_and(|sa| sa.confirmed)),
        is_common: true,
    }
    EspPacketsKeyword {
        name: c"ikev2.esp.packets",
        summary: c"ESP packets in UDP that the IKE SA's flows carried before the message",
        details: "By default both directions count together. `initiator` and `responder` count only what that peer sent. ESP outside UDP is not counted.",
        examples: &["ikev2.esp.packets:>0,initiator; ikev2.esp.packets:0,responder;"],
        source: "RFC 3948, 2.1",
        kind: esp!(|sent| sent.packets),
    }
    EspBytesKeyword {
        name: c"ikev2.esp.bytes",
        summary: c"bytes of the ESP packets in UDP that the IKE SA's flows carried before the message, counted from the SPI",
        details: "By default both directions count together. `initiator` and `responder` count only what that peer sent. The largest value, 4294967295, also stands for more.",
        examples: &["ikev2.esp.bytes:>1000000000,initiator;"],
        source: "RFC 3948, 2.1",
        kind: esp!(|sent| u32::try_from(sent.bytes).unwrap_or(u32::MAX)),
    }
    EspAbnormalKeyword {
        name: c"ikev2.esp.abnormal",
        summary: c"ESP packets in UDP of the IKE SA's flows that have a size no peer sends",
        details: "Both directions count together. A size is abnormal if it is below 24 bytes, above 9288 bytes, or not a multiple of 4: see docs/sa-tracking.md.",
        examples: &["ikev2.esp.abnormal:>10;"],
        source: "RFC 4303, 2",
        kind: sa!(|sa| Some(sa.esp.abnormal())),
    }
    NatKeyword {
        name: c"ikev2.nat",
        summary: c"which peer is behind a NAT, according to the NAT_DETECTION hashes in the IKE SA's messages",
        details: "`forced` means that a peer sent a hash that fits no address. Some peers do this to get ESP in UDP. docs/sa-tracking.md says what an observer can know.",
        examples: &["ikev2.nat:responder,both;"],
        source: "RFC 7296, 2.23",
        kind: Kind::Choice(Choice {
            names: &["unknown", "none", "initiator", "responder", "both", "forced"],
            get: |tx| tx.sa().map(|sa| 1 << sa.nat as u32),
        }),
        is_common: true,
    }
    SaFullTranscriptAuthKeyword {
        name: c"ikev2.sa.full_transcript_auth",
        summary: c"which peers announced IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, which prevents downgrades",
        details: "The value covers the IKE_SA_INIT messages up to this one, so in the request it is `none` or `initiator`. The protection is in force with `both`. The keyword matches nothing if no IKE_SA_INIT with a key exchange was captured.",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.flags:response; ikev2.sa.full_transcript_auth:!both;"],
        source: "draft-ietf-ipsecme-ikev2-downgrade-prevention",
        kind: Kind::Choice(Choice {
            names: &["none", "initiator", "responder", "both"],
            get: |tx| tx.sa()?.full_transcript.map(|posture| 1 << posture as u32),
        }),
        is_common: true,
    }
    FragmentStatusKeyword {
        name: c"ikev2.fragment.status",
        summary: c"how a fragment relates to the other fragments of its message",
        details: "",
        examples: &["ikev2.fragment.status:conflict,total_changed;"],
        source: "RFC 7383, 2.5 and 2.6",
        kind: Kind::Choice(Choice {
            names: &["complete", "incomplete", "duplicate", "conflict", "total_changed", "invalid", "mixed", "timeout", "too_many"],
            get: |tx| {
                let status = tx.sa().and_then(|sa| sa.fragments)?;
                Some(status.conditions.iter().fold(0, |bits, it| bits | 1 << it as u32))
            },
        }),
    }
    OfferedEncrKeyword {
        name: c"ikev2.offered.encr",
        summary: c"any encryption algorithm in the proposals of a request",
        details: "",
        examples: &["ikev2.offered.encr:encr_3des;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Encr, ENCR, ENCR),
    }
    OfferedPrfKeyword {
        name: c"ikev2.offered.prf",
        summary: c"any pseudorandom function in the proposals of a request",
        details: "",
        examples: &["ikev2.offered.prf:prf_hmac_md5;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Prf, PRF, PRF),
    }
    OfferedIntegKeyword {
        name: c"ikev2.offered.integ",
        summary: c"any integrity algorithm in the proposals of a request",
        details: "",
        examples: &["ikev2.offered.integ:auth_hmac_md5_96;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Integ, INTEG, INTEG),
    }
    OfferedDhKeyword {
        name: c"ikev2.offered.dh",
        summary: c"any key exchange method in the proposals of a request, without additional key exchanges",
        details: "",
        examples: &["ikev2.offered.dh:modp_768;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, KeyExchangeMethod, KE, KE),
    }
    OfferedEsnKeyword {
        name: c"ikev2.offered.esn",
        summary: c"any Sequence Numbers transform in the proposals of a request",
        details: "",
        examples: &["ikev2.offered.esn:no_esn;"],
        source: "RFC 7296, 3.3.2; RFC 9827",
        kind: transforms!(Offered, SequenceNumbers, SN, SN),
    }
    OfferedAddkeKeyword {
        name: c"ikev2.offered.addke",
        summary: c"any additional key exchange method in the proposals of a request",
        details: "",
        examples: &["ikev2.offered.addke:ml_kem_768;"],
        source: "RFC 9370, 2.2.2",
        kind: transforms!(Offered, KeyExchangeMethod, ADDKE1, ADDKE7),
    }
    OfferedKeyLengthKeyword {
        name: c"ikev2.offered.key_length",
        summary: c"any Key Length attribute in the proposals of a request, in bits",
        details: "",
        examples: &["ikev2.offered.key_length:<256;"],
        source: "RFC 7296, 3.3.5",
        kind: KEY_LENGTHS_OFFERED,
    }
    ChosenEncrKeyword {
        name: c"ikev2.chosen.encr",
        summary: c"encryption algorithm in the proposal of a response",
        details: "",
        examples: &["ikev2.chosen.encr:encr_3des;", "ikev2.chosen.encr:encr_3des,sa;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Encr, ENCR, ENCR),
    }
    ChosenPrfKeyword {
        name: c"ikev2.chosen.prf",
        summary: c"pseudorandom function in the proposal of a response",
        details: "",
        examples: &["ikev2.chosen.prf:prf_hmac_md5;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Prf, PRF, PRF),
    }
    ChosenIntegKeyword {
        name: c"ikev2.chosen.integ",
        summary: c"integrity algorithm in the proposal of a response",
        details: "",
        examples: &["ikev2.chosen.integ:auth_hmac_sha1_96;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Integ, INTEG, INTEG),
    }
    ChosenDhKeyword {
        name: c"ikev2.chosen.dh",
        summary: c"key exchange method in the proposal of a response, without additional key exchanges",
        details: "",
        examples: &["ikev2.chosen.dh:<14;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, KeyExchangeMethod, KE, KE),
    }
    ChosenEsnKeyword {
        name: c"ikev2.chosen.esn",
        summary: c"Sequence Numbers transform in the proposal of a response",
        details: "",
        examples: &["ikev2.chosen.esn:esn;"],
        source: "RFC 7296, 3.3.2; RFC 9827",
        kind: transforms!(Chosen, SequenceNumbers, SN, SN),
    }
    ChosenAddkeKeyword {
        name: c"ikev2.chosen.addke",
        summary: c"any additional key exchange method in the proposal of a response",
        details: "",
        examples: &["ikev2.chosen.addke:ml_kem_768;"],
        source: "RFC 9370, 2.2.2",
        kind: transforms!(Chosen, KeyExchangeMethod, ADDKE1, ADDKE7),
    }
    ChosenKeyLengthKeyword {
        name: c"ikev2.chosen.key_length",
        summary: c"any Key Length attribute in the proposal of a response, in bits",
        details: "",
        examples: &["ikev2.chosen.key_length:<256;"],
        source: "RFC 7296, 3.3.5",
        kind: KEY_LENGTHS_CHOSEN,
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn any_key_exchange_method(
    tx: &Transaction,
    part: Option<ValueSource>,
    test: &mut dyn FnMut(u32) -> bool,
) -> bool {
    if part == Some(ValueSource::Sa) {
        let chosen = tx.sa().and_then(|sa| sa.chosen);
        let mut transforms = chosen.iter().flat_map(|chosen| chosen.transforms());
        return transforms.any(|it| it.kind.is_key_exchange() && test(it.id.into()));
    }
    let transforms = tx.message().proposals.all_transforms().iter();
    if ValueSource::admits(part, tx.message().scope())
        && transforms
            .filter(|transform| transform.kind.is_key_exchange())
            .any(|transform| test(transform.id.into()))
    {
        return true;
    }
    matches!(part, None | Some(ValueSource::Ke))
        && tx.message().key_exchanges().any(|exchange| test(exchange.method.0.into()))
}

fn prefiltered_key_exchange_methods(message: &Message) -> Remainders {
    // The range of types includes sequence numbers. They may pass the prefilter, but the
    // keyword itself does not look at them.
    let of_transforms = message.prefilter().transforms(TransformType::KE..=TransformType::ADDKE7);
    of_transforms.and(message.key_exchanges().map(|exchange| exchange.method.0.into()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Role;
    use crate::sa::fragment::Condition;
    use crate::sa::{FullTranscript, Nat, State};

    #[test]
    fn states_have_the_names_and_the_order_of_their_types() {
        let names = |wanted: &str| {
            let named = |keyword: &&&Keyword| keyword.name.to_bytes() == wanted.as_bytes();
            match KEYWORDS.iter().find(named).map(|keyword| &keyword.kind) {
                Some(Kind::Choice(choice)) => choice.names.to_vec(),
                _ => panic!("{wanted}"),
            }
        };
        let states: Vec<_> = State::ALL.iter().map(|state| state.name()).collect();
        assert_eq!(names("ikev2.sa.state"), states);
        assert_eq!(names("ikev2.role"), [Role::Initiator, Role::Responder].map(|it| it.name()));
        let nats: Vec<_> = Nat::ALL.iter().map(|nat| nat.name()).collect();
        assert_eq!(names("ikev2.nat"), nats);
        let postures: Vec<_> = FullTranscript::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names("ikev2.sa.full_transcript_auth"), postures);
        let conditions: Vec<_> = Condition::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names("ikev2.fragment.status"), conditions);
        let kinds: Vec<_> = PostQuantum::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names("ikev2.pq"), kinds);
    }

    #[test]
    fn every_keyword_has_a_name_of_its_own_in_the_plugins_space() {
        let mut names: Vec<_> = super::super::all().map(|keyword| keyword.name).collect();
        assert!(names.iter().all(|name| name.to_bytes().starts_with(b"ikev2.")));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
