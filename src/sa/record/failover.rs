//! The exchanges of an SA when a cluster sets new Message IDs after a failover.

use super::{
    report_match, side, EventSet, ExchangeMatch, ExchangeWindow, MessageFacts, SaRecord, State,
};

impl SaRecord {
    /// Pairs a message with its exchange and adds the event. A message that synchronizes
    /// Message IDs has a separate exchange (RFC 6311).
    pub(super) fn pair(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        events: &mut EventSet,
    ) -> ExchangeMatch {
        let synchronizes = self.state == State::Established && facts.may_synchronize();
        if synchronizes && self.begins_anew(facts) {
            let rare = self.rare.get_or_insert_default();
            let matched = rare.synchronizations[side(facts)].synchronize(facts);
            report_match(matched, events);
            if matched == ExchangeMatch::New {
                self.windows.iter_mut().for_each(ExchangeWindow::let_jump);
            }
            return matched;
        }
        let from_zero = self.knows_order();
        let matched = self.window(facts).observe(facts, time, from_zero, events);
        if synchronizes && matched == ExchangeMatch::New {
            self.windows.iter_mut().for_each(ExchangeWindow::let_jump);
        }
        matched
    }

    /// Whether the message uses the id 0 again, or answers a message that does.
    fn begins_anew(&self, facts: &MessageFacts) -> bool {
        let side = side(facts);
        let waits = self.rare.as_ref().is_some_and(|rare| {
            let exchange = &rare.synchronizations[side];
            facts.response && exchange.is_asked() && !exchange.is_answered()
        });
        waits || self.windows[side].begins_anew(facts)
    }
}
