//! The keywords: one row each.

use super::args::Part;
use super::kind::{Choice, Integer, Keyword, Kind, Names, Values, Width};
use crate::message::{Event, Scope, Transport};
use crate::message::{Prefilter, Remainders};
use crate::policy::PostQuantum;
use crate::sa::Sent;
use crate::tx::Transaction;
use crate::wire::registry::{
    Encr, ExchangeType, Integ, KeyExchangeMethod, NotifyType, PayloadType, Prf, SequenceNumbers,
    TransformType,
};
use crate::wire::Flags;

/// A registry as a source of names.
macro_rules! names {
    ($registry:ident) => {
        Some(Names {
            number: |name| $registry::from_name(name).map(|entry| entry.0.into()),
            all: || $registry::ALL.iter().filter_map(|entry| entry.name()).collect(),
        })
    };
}

/// An integer keyword whose values a function gives.
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

/// An integer keyword over what is known of the IKE SA.
macro_rules! sa {
    (|$sa:ident| $value:expr) => {
        integer!(U32, None, |tx, _, test| {
            tx.sa().and_then(|$sa| $value).is_some_and(|value| test(value))
        })
    };
}

/// An integer keyword over the ESP of an IKE SA: of one of its ends, or of both.
macro_rules! esp {
    (|$sent:ident| $value:expr) => {
        Kind::Integer(Integer {
            width: Width::U32,
            names: None,
            parts: &[Part::Initiator, Part::Responder],
            values: Values::Of(|tx, part, test| {
                let Some(sa) = tx.sa() else { return false };
                let ($sent, other) = (sa.esp.from_initiator(), sa.esp.from_responder());
                let value = |$sent: Sent| $value;
                test(match part {
                    Some(Part::Initiator) => value($sent),
                    Some(Part::Responder) => value(other),
                    _ => value($sent + other),
                })
            }),
        })
    };
}

/// A choice can also be looked up in what is known of the SA.
macro_rules! parts {
    (Offered) => {
        &[]
    };
    (Chosen) => {
        &[Part::Sa]
    };
}

/// An integer keyword over the transforms of some types in offers or choices.
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

/// The events' names, as rules write them.
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
        summary: c"exchange type of the header",
        details: "",
        examples: &["ikev2.exchange_type:ike_auth;", "ikev2.exchange_type:>ike_followup_ke;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U8, names!(ExchangeType), |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.exchange_type.0.into()))
        }),
    }
    VersionKeyword {
        name: c"ikev2.version",
        summary: c"version of the header",
        details: "`2` is any minor version of 2; `2.0` is exactly that.",
        examples: &["ikev2.version:2.0;", "ikev2.version:!2.0;"],
        source: "RFC 7296, 3.1 and 2.5",
        kind: Kind::Version,
    }
    FlagsKeyword {
        name: c"ikev2.flags",
        summary: c"flags of the header",
        details: "All words must hold; `!` asks for a clear flag.",
        examples: &["ikev2.flags:initiator,!response;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Flags(&[
            ("initiator", Flags::INITIATOR),
            ("version", Flags::VERSION),
            ("response", Flags::RESPONSE),
        ]),
    }
    RoleKeyword {
        name: c"ikev2.role",
        summary: c"which end of its IKE SA sent the message",
        details: "By the Response flag in IKE_SA_INIT, IKE_AUTH and what comes between them, else by the Initiator flag. Either end may send requests: `ikev2.flags` tells those from responses. Neither has to do with the direction of the flow.",
        examples: &["ikev2.role:responder;", "ikev2.role:initiator; ikev2.exchange_type:informational;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Choice(Choice {
            names: &["initiator", "responder"],
            get: |tx| tx.message().role().map(|role| 1 << role as u32),
        }),
    }
    MessageIdKeyword {
        name: c"ikev2.message_id",
        summary: c"Message ID of the header",
        details: "",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.message_id:>0;"],
        source: "RFC 7296, 3.1 and 2.2",
        kind: integer!(U32, None, |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.message_id))
        }),
    }
    LengthKeyword {
        name: c"ikev2.length",
        summary: c"Length of the header: the whole message in bytes, as it says itself",
        details: "",
        examples: &["ikev2.length:>3000;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U32, None, |tx, _, test| tx.message().header.is_some_and(|header| test(header.length))),
    }
    NextPayloadKeyword {
        name: c"ikev2.next_payload",
        summary: c"Next Payload of the header: the type of the first payload",
        details: "",
        examples: &["ikev2.next_payload:132;"],
        source: "RFC 7296, 3.1",
        kind: integer!(U8, names!(PayloadType), |tx, _, test| {
            tx.message().header.is_some_and(|header| test(header.next_payload.0.into()))
        }),
    }
    InitSpiKeyword {
        name: c"ikev2.init_spi",
        summary: c"IKE SA initiator's SPI as 16 lower-case hex digits",
        details: "In both directions.",
        examples: &["ikev2.init_spi; content:\"c0ffee\"; startswith;"],
        source: "RFC 7296, 3.1",
        kind: Kind::Buffer(|tx| tx.message().init_spi_text()),
    }
    RespSpiKeyword {
        name: c"ikev2.resp_spi",
        summary: c"IKE SA responder's SPI as 16 lower-case hex digits",
        details: "In both directions; all zeros in the first request.",
        examples: &["ikev2.resp_spi; content:\"0000000000000000\";"],
        source: "RFC 7296, 3.1",
        kind: Kind::Buffer(|tx| tx.message().resp_spi_text()),
    }
    EventKeyword {
        name: c"ikev2.event",
        summary: c"events of the message",
        details: "The events of `app-layer-event:ikev2.NAME`, here any of several. Suricata comes to a rule that has only an `app-layer-event` for each packet of a flow of IKE, ESP included, to this one for messages alone: docs/performance.md says what that costs.",
        examples: &["ikev2.event:malformed_header;", "ikev2.event:downgrade_ke,downgrade_retry;"],
        source: "docs/rules.md",
        kind: Kind::Choice(Choice { names: &EVENTS, get: |tx| Some(tx.message().events.bits()) }),
    }
    OnceKeyword {
        name: c"ikev2.once",
        summary: c"whether no other rule of a group has matched the message before",
        details: "Of the rules with the same group the first that matches a message is the only one. Suricata comes to rules by their priority, then in the order of the files. It stands behind everything else that the rule asks for; with a `threshold` or a suppression the group is taken by an alert that nobody sees. The rules of `rules/` have `message` and `inside`; `local` is for yours.",
        examples: &["ikev2.event:malformed_data; ikev2.once:local;"],
        source: "docs/rules.md",
        kind: Kind::Once(&["message", "inside", "local"]),
    }
    TransportKeyword {
        name: c"ikev2.transport",
        summary: c"what carried the message",
        details: "`udp500` and `udp4500` have that port on either side, 500 before 4500; `udp` is UDP between other ports, 848 of G-IKEv2 among them.",
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
    }
    NatTKeyword {
        name: c"ikev2.nat_t",
        summary: c"whether the non-ESP marker stands before the message",
        details: "",
        examples: &["ikev2.nat_t;", "ikev2.transport:udp4500; ikev2.nat_t:no;"],
        source: "RFC 3948, 2.2",
        kind: Kind::Presence(|tx| tx.message().nat_t()),
    }
    PayloadTypeKeyword {
        name: c"ikev2.payload.type",
        summary: c"type of any payload",
        details: "Of those inside the encrypted one too, where it was decrypted.",
        examples: &["ikev2.payload.type:certreq;", "ikev2.payload.type:>ps;"],
        source: "RFC 7296, 3.2",
        kind: integer!(U8, names!(PayloadType), |tx, _, test| {
            tx.message().payloads.iter().any(|payload| test(payload.kind.0.into()))
        }),
    }
    PayloadLengthKeyword {
        name: c"ikev2.payload.length",
        summary: c"Payload Length of any payload, generic header included, in bytes",
        details: "",
        examples: &["ikev2.next_payload:132; ikev2.payload.length:<8;"],
        source: "RFC 7296, 3.2",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().payloads.iter().any(|payload| test(payload.length.into()))
        }),
    }
    PayloadDataKeyword {
        name: c"ikev2.payload.data",
        summary: c"bodies of the payloads, behind their generic headers",
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
        details: "The public value, behind the method's number.",
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
        details: "Of those inside the encrypted payload too, where it was decrypted. Below 16384 are errors.",
        examples: &["ikev2.notify.type:no_proposal_chosen;", "ikev2.flags:!response; ikev2.notify.type:<16384;"],
        source: "RFC 7296, 3.10.1",
        kind: Kind::Integer(Integer {
            width: Width::U16,
            names: names!(NotifyType),
            parts: &[],
            values: Values::Sieved(
                |tx, _, test| tx.message().notifies().any(|notify| test(notify.kind.0.into())),
                |sieve| sieve.notifies,
            ),
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
        summary: c"Vendor IDs, raw bytes",
        details: "In both directions.",
        examples: &["ikev2.vendor_id; content:\"strongSwan\";"],
        source: "RFC 7296, 3.12",
        kind: Kind::MultiBuffer(Transaction::vendor_id),
    }
    VendorKeyword {
        name: c"ikev2.vendor",
        summary: c"names of the Vendor IDs that are known",
        details: "In both directions; see docs/vendor-ids.md.",
        examples: &["ikev2.vendor; content:\"strongSwan\"; startswith;"],
        source: "docs/vendor-ids.md",
        kind: Kind::MultiBuffer(|tx, index| {
            tx.positions().products.get(index).map(|name| name.as_bytes())
        }),
    }
    FingerprintKeyword {
        name: c"ikev2.fingerprint",
        summary: c"hash of what tells the sender's implementation from others, in IKE_SA_INIT",
        details: "32 lower-case hex digits, of requests and of responses with proposals.",
        examples: &["ikev2.role:initiator; ikev2.fingerprint; content:\"7e0ebc6bca5571e471284324507d802c\";"],
        source: "docs/fingerprint.md",
        kind: Kind::Buffer(|tx| tx.fingerprint().map(|fingerprint| &fingerprint.hash[..])),
    }
    FingerprintStringKeyword {
        name: c"ikev2.fingerprint.string",
        summary: c"readable form of the fingerprint",
        details: "",
        examples: &["ikev2.fingerprint.string; content:\"i1:\"; startswith;"],
        source: "docs/fingerprint.md",
        kind: Kind::Buffer(|tx| {
            tx.fingerprint().map(|fingerprint| fingerprint.string.as_bytes())
        }),
    }
    FragmentNumberKeyword {
        name: c"ikev2.fragment.number",
        summary: c"Fragment Number of an encrypted fragment, from 1",
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
        summary: c"length of the encrypted contents in bytes, initialization vector to checksum",
        details: "Of the SK payload or of the fragment.",
        examples: &["ikev2.exchange_type:ike_auth; ikev2.encrypted_length:>4000;"],
        source: "RFC 7296, 3.14; RFC 7383, 2.5",
        kind: integer!(U32, None, |tx, _, test| tx.message().encrypted().is_some_and(|body| test(length(body)))),
    }
    DhGroupKeyword {
        name: c"ikev2.dh_group",
        summary: c"any key exchange method of the message",
        details: "Transforms of type 4 and of the additional key exchanges 1 to 7 (RFC 9370), and the KE payload. `sa` looks at what the IKE SA has negotiated, in any of its messages; so it does for the `chosen` keywords.",
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
            parts: &[Part::Offered, Part::Chosen, Part::Ke, Part::Sa],
            values: Values::Sieved(any_key_exchange_method, sieved_key_exchange_methods),
        }),
    }
    WeakProposalKeyword {
        name: c"ikev2.weak_proposal",
        summary: c"what a policy finds weak in the proposals",
        details: "Without a kind any finding matches; `policy NAME` judges by another than the configured policy. docs/policies.md has the policies.",
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
        summary: c"strength in bits of the strongest offered, or of the chosen, proposal",
        details: "A proposal is as strong as its weakest part; docs/policies.md says how parts are estimated.",
        examples: &["ikev2.flags:response; ikev2.security_bits:<112;"],
        source: "NIST SP 800-57 part 1, after docs/policies.md",
        kind: integer!(U16, None, |tx, _, test| {
            tx.message().security_bits().is_some_and(|bits| test(bits.into()))
        }),
    }
    PqKeyword {
        name: c"ikev2.pq",
        summary: c"what the proposals and notifies say about quantum computers",
        details: "`hybrid` is ML-KEM with another method, `pure` ML-KEM alone, `ppk` a preshared key (RFC 8784) without ML-KEM. Only messages with proposals have a state.",
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
    }
    ProposalKeyword {
        name: c"ikev2.proposal",
        summary: c"proposals as canonical text",
        details: "The grammar, and how to make an allow-list of proposals, are in docs/proposals.md.",
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
    }
    SaAgeKeyword {
        name: c"ikev2.sa.age",
        summary: c"seconds since the first message of the IKE SA was seen",
        details: "",
        examples: &["ikev2.sa.age:>86400;"],
        source: "docs/sa-tracking.md",
        kind: sa!(|sa| Some(sa.age_s)),
    }
    SaHandshakeTimeKeyword {
        name: c"ikev2.sa.handshake_time",
        summary: c"milliseconds from the first IKE_SA_INIT to the end of IKE_AUTH",
        details: "Of SAs whose handshake was seen whole.",
        examples: &["ikev2.sa.handshake_time:>5000;"],
        source: "docs/sa-tracking.md",
        kind: sa!(|sa| sa.handshake_ms),
    }
    SaRetransmissionsKeyword {
        name: c"ikev2.sa.retransmissions",
        summary: c"messages of the IKE SA that were sent before, byte for byte",
        details: "",
        examples: &["ikev2.sa.retransmissions:>10;"],
        source: "RFC 7296, 2.1",
        kind: sa!(|sa| Some(sa.retransmissions)),
    }
    SaAuthFailuresKeyword {
        name: c"ikev2.sa.auth_failures",
        summary: c"refused authentications of the initiator's address within the window",
        details: "The window is a setting: docs/configuration.md.",
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
        details: "A request that is sent again, byte for byte, counts once; with a cookie, or for another group, it is another. The window is a setting: docs/configuration.md.",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.sa.init_rate:>100;"],
        source: "RFC 8019, 3",
        kind: sa!(|sa| Some(sa.init_rate)),
    }
    SaConfirmedKeyword {
        name: c"ikev2.sa.confirmed",
        summary: c"whether what followed the handshake proves that the IKE SA is established",
        details: "`no` is every other message, of SAs in their handshake too. What looks like the last response of IKE_AUTH may be the first of EAP.",
        examples: &["ikev2.sa.confirmed;", "ikev2.sa.state:established; ikev2.sa.confirmed:no;"],
        source: "docs/sa-tracking.md",
        kind: Kind::Presence(|tx| tx.sa().is_some_and(|sa| sa.confirmed)),
    }
    EspPacketsKeyword {
        name: c"ikev2.esp.packets",
        summary: c"ESP packets in UDP that the IKE SA's flows have carried before the message",
        details: "Both ways together, or what the `initiator` or the `responder` sent. ESP that is not in UDP is not seen.",
        examples: &["ikev2.esp.packets:>0,initiator; ikev2.esp.packets:0,responder;"],
        source: "RFC 3948, 2.1",
        kind: esp!(|sent| sent.packets),
    }
    EspBytesKeyword {
        name: c"ikev2.esp.bytes",
        summary: c"bytes of these packets, from the SPI on",
        details: "Both ways together, or what the `initiator` or the `responder` sent; 4294967295 stands for more too.",
        examples: &["ikev2.esp.bytes:>1000000000,initiator;"],
        source: "RFC 3948, 2.1",
        kind: esp!(|sent| u32::try_from(sent.bytes).unwrap_or(u32::MAX)),
    }
    EspAbnormalKeyword {
        name: c"ikev2.esp.abnormal",
        summary: c"those of these packets whose size no peer sends",
        details: "Both ways together. Smaller than 24 bytes, larger than 9288 or no multiple of 4: docs/sa-tracking.md.",
        examples: &["ikev2.esp.abnormal:>10;"],
        source: "RFC 4303, 2",
        kind: sa!(|sa| Some(sa.esp.abnormal())),
    }
    NatKeyword {
        name: c"ikev2.nat",
        summary: c"who is behind a NAT, by the NAT_DETECTION hashes of the IKE SA's messages",
        details: "`forced` is a hash that fits no address, which some peers send to have ESP in UDP. docs/sa-tracking.md says what an observer can know.",
        examples: &["ikev2.nat:responder,both;"],
        source: "RFC 7296, 2.23",
        kind: Kind::Choice(Choice {
            names: &["unknown", "none", "initiator", "responder", "both", "forced"],
            get: |tx| tx.sa().map(|sa| 1 << sa.nat as u32),
        }),
    }
    SaFullTranscriptAuthKeyword {
        name: c"ikev2.sa.full_transcript_auth",
        summary: c"who announced IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, which prevents downgrades",
        details: "As far as IKE_SA_INIT was seen: in its request `none` or `initiator`. It is in force with `both`. Nothing of an SA of which no IKE_SA_INIT with a key exchange was seen.",
        examples: &["ikev2.exchange_type:ike_sa_init; ikev2.flags:response; ikev2.sa.full_transcript_auth:!both;"],
        source: "draft-ietf-ipsecme-ikev2-downgrade-prevention",
        kind: Kind::Choice(Choice {
            names: &["none", "initiator", "responder", "both"],
            get: |tx| tx.sa()?.full_transcript.map(|posture| 1 << posture as u32),
        }),
    }
    FragmentStatusKeyword {
        name: c"ikev2.fragment.status",
        summary: c"what a fragment is among those of its message",
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
        summary: c"any encryption algorithm of a request's proposals",
        details: "",
        examples: &["ikev2.offered.encr:encr_3des;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Encr, ENCR, ENCR),
    }
    OfferedPrfKeyword {
        name: c"ikev2.offered.prf",
        summary: c"any pseudorandom function of a request's proposals",
        details: "",
        examples: &["ikev2.offered.prf:prf_hmac_md5;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Prf, PRF, PRF),
    }
    OfferedIntegKeyword {
        name: c"ikev2.offered.integ",
        summary: c"any integrity algorithm of a request's proposals",
        details: "",
        examples: &["ikev2.offered.integ:auth_hmac_md5_96;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, Integ, INTEG, INTEG),
    }
    OfferedDhKeyword {
        name: c"ikev2.offered.dh",
        summary: c"any key exchange method of a request's proposals, additional ones excepted",
        details: "",
        examples: &["ikev2.offered.dh:modp_768;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Offered, KeyExchangeMethod, KE, KE),
    }
    OfferedEsnKeyword {
        name: c"ikev2.offered.esn",
        summary: c"any Sequence Numbers transform of a request's proposals",
        details: "",
        examples: &["ikev2.offered.esn:no_esn;"],
        source: "RFC 7296, 3.3.2; RFC 9827",
        kind: transforms!(Offered, SequenceNumbers, SN, SN),
    }
    OfferedAddkeKeyword {
        name: c"ikev2.offered.addke",
        summary: c"any additional key exchange method of a request's proposals",
        details: "",
        examples: &["ikev2.offered.addke:ml_kem_768;"],
        source: "RFC 9370, 2.2.2",
        kind: transforms!(Offered, KeyExchangeMethod, ADDKE1, ADDKE7),
    }
    OfferedKeyLengthKeyword {
        name: c"ikev2.offered.key_length",
        summary: c"any Key Length attribute of a request's proposals, in bits",
        details: "",
        examples: &["ikev2.offered.key_length:<256;"],
        source: "RFC 7296, 3.3.5",
        kind: KEY_LENGTHS_OFFERED,
    }
    ChosenEncrKeyword {
        name: c"ikev2.chosen.encr",
        summary: c"encryption algorithm of a response's proposal",
        details: "",
        examples: &["ikev2.chosen.encr:encr_3des;", "ikev2.chosen.encr:encr_3des,sa;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Encr, ENCR, ENCR),
    }
    ChosenPrfKeyword {
        name: c"ikev2.chosen.prf",
        summary: c"pseudorandom function of a response's proposal",
        details: "",
        examples: &["ikev2.chosen.prf:prf_hmac_md5;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Prf, PRF, PRF),
    }
    ChosenIntegKeyword {
        name: c"ikev2.chosen.integ",
        summary: c"integrity algorithm of a response's proposal",
        details: "",
        examples: &["ikev2.chosen.integ:auth_hmac_sha1_96;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, Integ, INTEG, INTEG),
    }
    ChosenDhKeyword {
        name: c"ikev2.chosen.dh",
        summary: c"key exchange method of a response's proposal, additional ones excepted",
        details: "",
        examples: &["ikev2.chosen.dh:<14;"],
        source: "RFC 7296, 3.3.2",
        kind: transforms!(Chosen, KeyExchangeMethod, KE, KE),
    }
    ChosenEsnKeyword {
        name: c"ikev2.chosen.esn",
        summary: c"Sequence Numbers transform of a response's proposal",
        details: "",
        examples: &["ikev2.chosen.esn:esn;"],
        source: "RFC 7296, 3.3.2; RFC 9827",
        kind: transforms!(Chosen, SequenceNumbers, SN, SN),
    }
    ChosenAddkeKeyword {
        name: c"ikev2.chosen.addke",
        summary: c"any additional key exchange method of a response's proposal",
        details: "",
        examples: &["ikev2.chosen.addke:ml_kem_768;"],
        source: "RFC 9370, 2.2.2",
        kind: transforms!(Chosen, KeyExchangeMethod, ADDKE1, ADDKE7),
    }
    ChosenKeyLengthKeyword {
        name: c"ikev2.chosen.key_length",
        summary: c"any Key Length attribute of a response's proposal, in bits",
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
    part: Option<Part>,
    test: &mut dyn FnMut(u32) -> bool,
) -> bool {
    if part == Some(Part::Sa) {
        let chosen = tx.sa().and_then(|sa| sa.chosen);
        let mut transforms = chosen.iter().flat_map(|chosen| chosen.transforms());
        return transforms.any(|it| it.kind.is_key_exchange() && test(it.id.into()));
    }
    let transforms = tx.message().proposals.all_transforms().iter();
    if Part::admits(part, tx.message().scope())
        && transforms
            .filter(|transform| transform.kind.is_key_exchange())
            .any(|transform| test(transform.id.into()))
    {
        return true;
    }
    matches!(part, None | Some(Part::Ke))
        && tx.message().key_exchanges().any(|exchange| test(exchange.method.0.into()))
}

fn sieved_key_exchange_methods(sieve: &Prefilter) -> Remainders {
    // Sequence numbers, whose type is between, are let through by the sieve only.
    sieve.transforms(TransformType::KE..=TransformType::ADDKE7).and(sieve.key_exchanges)
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
