//! Keepalives and ESP packets in the flows of an SA.

use super::{next, EspCounts, Marks, SaRecord, State, Step};

impl SaRecord {
    /// Counts a NAT keepalive of a peer.
    pub(in crate::sa) fn observe_keepalive(&mut self, from_initiator: bool) {
        self.nat.add_keepalive(from_initiator);
    }

    /// Counts ESP packets in a flow of the SA. Only peers that have finished the handshake can
    /// send ESP. ESP from both ends is enough proof. If the messages of only one end are seen,
    /// ESP from that end is enough. ESP does not overrule an encrypted refusal, because
    /// anybody can forge ESP.
    pub(in crate::sa) fn count_esp(&mut self, more: &EspCounts) {
        self.esp.add(more);
        if more.abnormal() > 0 {
            self.marks |= Marks::ABNORMAL_ESP;
        }
        let refused = self.failure.is_some_and(|failure| failure.reason.is_refusal());
        if refused || !self.is_proven_by_esp() {
            return;
        }
        let before = self.state;
        self.state = next(before, Step::EspSeen);
        if self.state == State::Established {
            self.failure = None;
            self.marks |= Marks::CONFIRMED;
        }
    }

    /// Whether both ends sent ESP. If the messages of only one end are seen, that end is
    /// enough.
    fn is_proven_by_esp(&self) -> bool {
        let sent = [self.esp.from_initiator(), self.esp.from_responder()];
        let [initiator, responder] = sent.map(|sent| sent.packets > 0);
        match (self.has(Marks::INITIATOR_SEEN), self.has(Marks::RESPONDER_SEEN)) {
            (true, true) => initiator && responder,
            (true, false) => initiator,
            (false, _) => responder,
        }
    }
}
