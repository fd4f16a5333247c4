//! Which messages have a record: the setting `records`.
//!
//! Suricata builds the head of a record before it asks for the rest, so a message without a
//! record is marked when its transaction is made. Rules, alerts and anomalies do not look at
//! the mark.

use crate::message::Message;
use crate::wire::registry::ExchangeType;

/// The words of the setting, in the order of [`RecordSelection::of`].
pub(super) const WORDS: &[&str] = &["sa", "handshakes", "all"];

/// Which messages have a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordSelection {
    handshakes: bool,
    all: bool,
}

impl RecordSelection {
    /// All messages.
    pub(super) const ALL: Self = Self { handshakes: true, all: true };

    /// What words of [`WORDS`] select, by their places.
    pub(super) fn of(places: &[usize]) -> Self {
        let has = |word| places.iter().any(|place| WORDS.get(*place) == Some(&word));
        let all = has("all");
        Self { handshakes: all || has("handshakes"), all }
    }

    /// Whether a message has a record.
    pub(super) fn has(self, message: &Message) -> bool {
        self.all || self.handshakes && (makes_an_sa(message) || !message.events.is_empty())
    }
}

/// Whether a message belongs to an exchange that makes an SA or its keys. IKE peers have one
/// other exchange, INFORMATIONAL. An exchange without a name is one that nobody knows.
fn makes_an_sa(message: &Message) -> bool {
    let exchange = message.header.as_ref().map(|header| header.exchange_type);
    exchange.is_some_and(|it| it != ExchangeType::INFORMATIONAL && it.name().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{testing::decode, Event};
    use crate::wire::registry::PayloadType;
    use crate::wire::testing::{sa_init, MessageBuilder};

    fn message(exchange: u8) -> Message {
        let message = MessageBuilder::request(ExchangeType(exchange));
        decode(&message.payload(PayloadType::SK, [0x5a; 40]).build())
    }

    #[test]
    fn a_list_selects_what_each_of_its_words_does() {
        let (sa, handshakes, all) = ([0], [1], [2]);
        let init = decode(&sa_init().build());
        let check = message(ExchangeType::INFORMATIONAL.0);
        let has = |places: &[usize]| [&init, &check].map(|it| RecordSelection::of(places).has(it));
        assert_eq!(has(&sa), [false, false]);
        assert_eq!(has(&handshakes), [true, false]);
        assert_eq!(has(&all), [true, true]);
        assert_eq!(has(&[0, 1]), has(&handshakes));
        assert_eq!(has(&[0, 2]), has(&all));
        assert_eq!(RecordSelection::of(&[1, 2]), RecordSelection::ALL);
    }

    #[test]
    fn what_makes_keys_is_of_the_handshake_and_so_is_what_has_an_event() {
        let has = |message: &Message| RecordSelection::of(&[1]).has(message);
        let named = (0..=u8::MAX).filter(|it| ExchangeType(*it).name().is_some());
        let without: Vec<_> = named.filter(|it| !has(&message(*it))).map(ExchangeType).collect();
        assert_eq!(without, [ExchangeType::INFORMATIONAL]);
        assert!(!has(&message(99)));
        let mut odd = message(ExchangeType::INFORMATIONAL.0);
        odd.events.insert(Event::Retransmission);
        assert!(has(&odd) && !RecordSelection::of(&[0]).has(&odd));
        assert!(has(&decode(&[1; 20])), "a message that is too short has an event");
    }
}
