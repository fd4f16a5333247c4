//! What the flows of an SA carry beside its messages.

use super::{next, Esp, Marks, SaRecord, State, Step};

impl SaRecord {
    /// A peer sent a NAT keepalive.
    pub(in crate::sa) fn keep_alive(&mut self, from_initiator: bool) {
        self.nat.add_keepalive(from_initiator);
    }

    /// ESP came in a flow of the SA. Only who has finished the handshake can send it:
    /// from both ends it is proof enough, from one where the other's messages are not
    /// seen either. It is not enough against a refusal under encryption, as anybody can
    /// forge ESP.
    pub(in crate::sa) fn carry(&mut self, more: &Esp) {
        self.esp.add(more);
        if more.abnormal() > 0 {
            self.marks |= Marks::ABNORMAL_ESP;
        }
        let refused = self.failure.is_some_and(|failure| failure.reason.is_refusal());
        if refused || !self.is_proven_by_esp() {
            return;
        }
        let before = self.state;
        self.state = next(before, Step::Carry);
        if self.state == State::Established {
            self.failure = None;
            self.marks |= Marks::CONFIRMED;
        }
    }

    /// Whether both ends sent ESP; where only one end's messages are seen, that one.
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
