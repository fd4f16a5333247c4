//! The keywords: one row each. A row is all that a keyword needs; its
//! registration, argument parsing and matching follow from its kind.

use core::ffi::CStr;

use super::args::Part;
use crate::tx::Transaction;
use crate::wire::registry::{ExchangeType, KeyExchangeMethod, NotifyType};

/// How a keyword takes its argument and looks at a transaction.
pub(super) enum Kind {
    /// An integer in Suricata's syntax; matches when any value does.
    Integer(Integer),
    /// Findings of the policy: an optional list of kinds.
    Weak,
    /// A sticky buffer.
    Buffer(fn(&Transaction) -> Option<&[u8]>),
}

/// Calls the test with each value of a transaction until one passes.
type AnyValue = fn(&Transaction, Option<Part>, &mut dyn FnMut(u32) -> bool) -> bool;

/// An integer keyword.
pub(super) struct Integer {
    /// The size of its values, which bounds the argument.
    pub(super) width: Width,
    /// The number of a name, in any mixture of upper and lower case.
    pub(super) number: fn(&str) -> Option<u32>,
    /// The words that may follow the argument.
    pub(super) parts: &'static [Part],
    /// Calls the test with each value until one passes; true when one did.
    pub(super) any: AnyValue,
}

/// The size of an integer keyword's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// 8 bits.
    U8,
    /// 16 bits.
    U16,
}

/// One keyword.
pub(super) struct Keyword {
    /// The name in rules.
    pub(super) name: &'static CStr,
    /// One line for `suricata --list-keywords`.
    pub(super) summary: &'static CStr,
    /// What it does.
    pub(super) kind: Kind,
}

super::keywords! {
    ExchangeTypeKeyword {
        name: c"ikev2.exchange_type",
        summary: c"match the exchange type of an IKEv2 message, by number or name",
        kind: Kind::Integer(Integer {
            width: Width::U8,
            number: |name| ExchangeType::from_name(name).map(|exchange| exchange.0.into()),
            parts: &[],
            any: |tx, _, test| tx.header.is_some_and(|header| test(header.exchange_type.0.into())),
        }),
    }
    DhGroupKeyword {
        name: c"ikev2.dh_group",
        summary: c"match any key exchange method of an IKEv2 message, by number or name",
        kind: Kind::Integer(Integer {
            width: Width::U16,
            number: |name| KeyExchangeMethod::from_name(name).map(|method| method.0.into()),
            parts: &[Part::Offered, Part::Chosen, Part::Ke],
            any: any_key_exchange_method,
        }),
    }
    WeakProposalKeyword {
        name: c"ikev2.weak_proposal",
        summary: c"match weak algorithms in an IKEv2 message's proposals",
        kind: Kind::Weak,
    }
    InitSpiKeyword {
        name: c"ikev2.init_spi",
        summary: c"sticky buffer with the IKE SA initiator's SPI as 16 lower-case hex digits",
        kind: Kind::Buffer(Transaction::init_spi_text),
    }
    RespSpiKeyword {
        name: c"ikev2.resp_spi",
        summary: c"sticky buffer with the IKE SA responder's SPI as 16 lower-case hex digits",
        kind: Kind::Buffer(Transaction::resp_spi_text),
    }
    NotifyTypeKeyword {
        name: c"ikev2.notify.type",
        summary: c"match any notify message type of an IKEv2 message, by number or name",
        kind: Kind::Integer(Integer {
            width: Width::U16,
            number: |name| NotifyType::from_name(name).map(|kind| kind.0.into()),
            parts: &[],
            any: |tx, _, test| tx.notifies().any(|notify| test(notify.kind.0.into())),
        }),
    }
}

fn any_key_exchange_method(
    tx: &Transaction,
    part: Option<Part>,
    test: &mut dyn FnMut(u32) -> bool,
) -> bool {
    let transforms = tx.proposals.all_transforms().iter();
    if Part::admits(part, tx.scope())
        && transforms
            .filter(|transform| transform.kind.is_key_exchange())
            .any(|transform| test(transform.id.into()))
    {
        return true;
    }
    matches!(part, None | Some(Part::Ke))
        && tx.key_exchanges().any(|exchange| test(exchange.method.0.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_has_a_name_of_its_own_in_the_plugins_space() {
        let mut names: Vec<_> = KEYWORDS.iter().map(|keyword| keyword.name).collect();
        assert!(names.iter().all(|name| name.to_bytes().starts_with(b"ikev2.")));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
