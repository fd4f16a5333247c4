//! Values that depend only on the proposals of a message.

use std::sync::OnceLock;

use super::{EventSet, Prefilter};
use crate::policy::Finding;

/// Values that depend only on the proposals. Each is computed when it is first needed.
///
/// Messages with the same SA payload share these values, also between threads.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// The result of the policy and of the rules of RFC 7296.
    pub(crate) judgement: OnceLock<Judgement>,
    /// The canonical text of each proposal.
    pub(crate) texts: OnceLock<Vec<String>>,
    /// The strength in bits.
    pub(crate) security_bits: OnceLock<Option<u16>>,
    /// What rules look for first.
    pub(crate) prefilter: OnceLock<Box<Prefilter>>,
    /// The SA payload's part of the fingerprint.
    pub(crate) fingerprint: OnceLock<Vec<u8>>,
    /// The proposals as JSON text for records.
    pub(crate) proposals_json: OnceLock<String>,
    /// The chosen algorithms as JSON text for records.
    pub(crate) chosen_json: OnceLock<String>,
    /// The findings as JSON text for records.
    pub(crate) findings_json: OnceLock<String>,
}

/// The result of judging the proposals.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// The findings of the policy.
    pub(crate) findings: Vec<Finding>,
    /// The events of the findings, and of proposals that break RFC 7296.
    pub(crate) events: EventSet,
}

#[cfg(test)]
mod tests {
    use crate::message::{Direction, Message, Transport};
    use crate::policy::Policy;
    use crate::render::render;
    use crate::render::JsonText;
    use crate::tx::Transaction;
    use crate::wire::registry::{ExchangeType, KeyExchangeMethod, PayloadType, Protocol};
    use crate::wire::testing::{proposal, sa_body, transforms, MessageBuilder};

    fn read(bytes: &[u8], policy: &'static Policy) -> Transaction {
        let message = Message::decode(bytes, 0, Direction::ToServer, Transport::Udp500, policy);
        Transaction::new(message, None)
    }

    /// All derived values of a message, as text.
    fn all_of(tx: &Transaction) -> String {
        let (mut text, message) = (JsonText::default(), tx.message());
        render(tx, &mut text);
        let json = String::from_utf8_lossy(text.as_bytes());
        let own =
            (message.findings(), message.events, message.security_bits(), message.proposal_texts());
        format!("{own:?} {:?} {json}", tx.fingerprint())
    }

    fn messages() -> Vec<Vec<u8>> {
        let one = |number, group| proposal(number, Protocol::IKE, &[], &transforms(group));
        let strong = sa_body(&[one(1, KeyExchangeMethod::CURVE25519)]);
        let weak = sa_body(&[one(1, KeyExchangeMethod::MODP_1024)]);
        let both = sa_body(&[one(1, KeyExchangeMethod::MODP_1024), one(2, KeyExchangeMethod(99))]);
        let broken = [&weak[..], &[0]].concat();
        let exchange = ExchangeType::IKE_SA_INIT;
        let mut messages = Vec::new();
        for body in [strong, weak.clone(), both, broken] {
            for message in [MessageBuilder::request(exchange), MessageBuilder::response(exchange)] {
                let message = message.payload(PayloadType::SA, body.clone());
                messages.push(message.clone().payload(PayloadType::NONCE, [1; 32]).build());
                messages.push(message.payload(PayloadType::SA, weak.clone()).build());
            }
        }
        messages
    }

    /// The first message in a thread computes the values, the third one shares them.
    #[test]
    fn what_is_shared_is_what_each_would_have_by_itself() {
        for policy in Policy::all() {
            for message in messages() {
                let alone = message.clone();
                let alone = std::thread::spawn(move || all_of(&read(&alone, policy)));
                let alone = alone.join().unwrap();
                let same = (0..4).all(|_| all_of(&read(&message, policy)) == alone);
                assert!(same, "{alone}");
            }
        }
    }

    #[test]
    fn only_messages_with_one_sa_payload_share() {
        let shares = |message: &[u8]| {
            let transactions: Vec<_> = (0..3).map(|_| read(message, Policy::standard())).collect();
            transactions.iter().map(|tx| tx.message().shared().is_some()).collect::<Vec<_>>()
        };
        for (place, message) in messages().iter().enumerate() {
            let expected = if place % 2 == 0 { [false, true, true] } else { [false; 3] };
            assert_eq!(shares(message), expected, "{place}");
        }
    }
}
