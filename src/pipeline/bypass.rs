//! The ESP of a flow that the host bypasses: it is counted without the rest of the pipeline.

use crate::message::Direction;
use crate::sa::FlowEsp;
use crate::wire::{classify, Carrier, Datagram};

use super::{Engines, FlowContext};

/// What is needed to count the ESP packets of a flow, and to notice everything else.
///
/// A flow lends it with [`FlowContext::lend_esp`], and gets it back with
/// [`FlowContext::take_esp_back`] before its next datagram. The counts, and what follows from them,
/// are then the same as if the flow had counted each packet itself.
#[derive(Debug)]
pub struct LentEsp {
    esp: FlowEsp,
    carrier: Carrier,
    /// How many keys were tried, if a message of the flow waits for one.
    keys_checked: Option<usize>,
}

impl LentEsp {
    /// Counts a datagram that is ESP with the flow's last SPI in this direction. False for every
    /// other datagram, and if a message of the flow may be decrypted now: then the flow itself has
    /// to handle the datagram.
    #[inline]
    pub fn count(&mut self, engines: &Engines<'_>, direction: Direction, data: &[u8]) -> bool {
        let Datagram::Esp { spi, .. } = classify(data, self.carrier) else { return false };
        if !self.esp.is_last_spi(direction, spi) || self.has_new_keys(engines) {
            return false;
        }
        self.esp.count(direction, spi, data.len());
        if self.esp.is_due() {
            self.finish(engines);
        }
        true
    }

    /// Adds the packets to their IKE SA.
    pub fn finish(&mut self, engines: &Engines<'_>) {
        if let Some(table) = engines.sa_table {
            self.esp.report(table);
        }
    }

    fn has_new_keys(&self, engines: &Engines<'_>) -> bool {
        let Some(keys_checked) = self.keys_checked else { return false };
        engines.decryptor.is_some_and(|decryptor| decryptor.keys_added() != keys_checked)
    }
}

impl FlowContext {
    /// Whether messages of both ends were seen. Nobody can send them alone, without the other end.
    pub fn is_answered(&self) -> bool {
        self.heard == [true; 2]
    }

    /// Lends what counts ESP, if the flow carries ESP of an IKE SA that is known. Until it is given
    /// back, the flow must not get a datagram.
    pub fn lend_esp(&mut self, engines: &Engines<'_>) -> Option<LentEsp> {
        if !self.is_ike || engines.sa_table.is_none() || !self.esp.has_spi() {
            return None;
        }
        let (carrier, keys_checked) = (self.carrier, self.pending.keys_checked());
        Some(LentEsp { esp: core::mem::take(&mut self.esp), carrier, keys_checked })
    }

    /// Takes back what was lent.
    pub fn take_esp_back(&mut self, lent: LentEsp) {
        self.esp = lent.esp;
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::message::Direction::{ToClient, ToServer};
    use crate::pipeline::CapturedPacket;
    use crate::sa::{Endpoint, EspCounts, Limits, SaTable};
    use crate::wire::testing::{sa_init, MessageBuilder};
    use crate::wire::{ExchangeType, PayloadType};

    fn packet(direction: Direction) -> CapturedPacket {
        let end = |last| Endpoint { address: IpAddr::from([192, 0, 2, last]), port: 4500 };
        let (source, destination) = match direction {
            ToServer => (end(10), end(20)),
            ToClient => (end(20), end(10)),
        };
        CapturedPacket { direction, source, destination, time: 1 }
    }

    fn esp(spi: u32, length: usize) -> Vec<u8> {
        let mut data = [spi.to_be_bytes(), [0, 0, 0, 1]].concat();
        data.resize(length, 0xa5);
        data
    }

    /// A message of an SA in use.
    fn check(from_initiator: bool, message_id: u32) -> Vec<u8> {
        let builder = match from_initiator {
            true => MessageBuilder::request(ExchangeType::INFORMATIONAL),
            false => MessageBuilder::response(ExchangeType::INFORMATIONAL),
        };
        let message = MessageBuilder { message_id, resp_spi: [7; 8], ..builder };
        [vec![0; 4], message.payload(PayloadType::SK, vec![0x5a; 48]).build()].concat()
    }

    /// A flow with messages of both ends, and ESP of one SPI in each direction.
    fn flow(engines: &Engines<'_>) -> FlowContext {
        let mut flow = FlowContext::between(4500, 4500);
        flow.on_datagram(engines, &packet(ToServer), &check(true, 0));
        assert!(!flow.is_answered() && flow.lend_esp(engines).is_none());
        flow.on_datagram(engines, &packet(ToClient), &check(false, 0));
        assert!(flow.is_answered());
        flow.on_datagram(engines, &packet(ToServer), &esp(1, 100));
        flow.on_datagram(engines, &packet(ToClient), &esp(2, 60));
        flow
    }

    /// What the next message of the SA says of its ESP.
    fn counted(engines: &Engines<'_>, flow: &mut FlowContext) -> EspCounts {
        let all = flow.on_datagram(engines, &packet(ToServer), &check(true, 1));
        let message = all.and_then(|all| all.own).expect("a message");
        message.sa().expect("its SA").esp
    }

    #[test]
    fn packets_are_counted_as_the_flow_counts_them() {
        let packets: Vec<_> = (0..3000)
            .map(|n| if n % 3 == 0 { (ToClient, esp(2, 61)) } else { (ToServer, esp(1, 100)) })
            .collect();
        let [usual, bypassed] = [false, true].map(|is_bypassed| {
            let table = SaTable::new(Limits::default());
            let engines = Engines { sa_table: Some(&table), ..Engines::default() };
            let mut flow = flow(&engines);
            let mut lent = is_bypassed.then(|| flow.lend_esp(&engines).expect("ESP"));
            for (direction, data) in &packets {
                match &mut lent {
                    Some(lent) => assert!(lent.count(&engines, *direction, data)),
                    None => {
                        assert!(flow.on_datagram(&engines, &packet(*direction), data).is_none())
                    }
                }
            }
            lent.into_iter().for_each(|lent| flow.take_esp_back(lent));
            counted(&engines, &mut flow)
        });
        assert_eq!(usual, bypassed);
        assert_eq!(usual.from_initiator().packets, 2001);
        assert_eq!((usual.from_responder().bytes, usual.abnormal()), (61_060, 1000));
    }

    #[test]
    fn everything_else_goes_to_the_flow() {
        let table = SaTable::new(Limits::default());
        let engines = Engines { sa_table: Some(&table), ..Engines::default() };
        let mut flow = flow(&engines);
        let mut lent = flow.lend_esp(&engines).expect("ESP");
        let bare = check(true, 1)[4..].to_vec();
        let like_esp = sa_init().header(|it| it.init_spi = [0, 0, 0, 1, 5, 5, 5, 5]).build();
        let other = [vec![], vec![0xff], vec![0; 4], esp(1, 7), check(true, 1), bare, like_esp];
        let new_spis = [esp(2, 100), esp(3, 100), esp(0, 100)];
        for data in other.iter().chain(&new_spis) {
            assert!(!lent.count(&engines, ToServer, data), "{data:?}");
        }
        assert!(!lent.count(&engines, ToClient, &esp(1, 100)));
        assert!(lent.count(&engines, ToServer, &esp(1, 100)));
    }

    #[test]
    fn nothing_is_lent_without_a_known_sa() {
        let mut flow = FlowContext::between(4500, 4500);
        let table = SaTable::new(Limits::default());
        let engines = Engines { sa_table: Some(&table), ..Engines::default() };
        flow.on_datagram(&engines, &packet(ToServer), &esp(1, 100));
        assert!(flow.lend_esp(&engines).is_none());
        flow.on_datagram(&engines, &packet(ToServer), &check(true, 0));
        assert!(flow.lend_esp(&Engines::default()).is_none());
        assert!(flow.lend_esp(&engines).is_some());
        // What is lent is not there a second time.
        assert!(flow.lend_esp(&engines).is_none());
    }
}
