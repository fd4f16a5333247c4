//! The fragments of the messages of an SA (RFC 7383).

use super::{key, MessageFacts, MessageOutcome, SaRecord};
use crate::message::{Event, EventSet};
use crate::sa::fragment::{Condition, Conditions};
use crate::sa::Observation;

impl SaRecord {
    /// Follows the fragments of a message. `after_whole` says that the same message came
    /// unfragmented before.
    pub(super) fn observe_fragment(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        after_whole: bool,
        outcome: &mut MessageOutcome,
    ) {
        let key = key(facts);
        let now = observation.time / 1000;
        let conditions = match observation.message.fragment() {
            Some(fragment) => {
                let fragments = self.fragments.get_or_insert_default();
                let mut status = fragments.observe(key, &fragment, now);
                if after_whole {
                    status.conditions.insert(Condition::Mixed);
                }
                outcome.fragments = Some(status);
                status.conditions
            }
            None => match &mut self.fragments {
                Some(fragments) => fragments.observe_whole(key, now),
                None => return,
            },
        };
        report_conditions(conditions, &mut outcome.events);
        if self.fragments.as_ref().is_some_and(|fragments| fragments.is_empty()) {
            self.fragments = None;
        }
    }
}

/// The events of fragments. A duplicate is reported as a retransmission other_ends, and an
/// incomplete message is not an error yet.
fn report_conditions(conditions: Conditions, events: &mut EventSet) {
    for condition in conditions.iter() {
        events.insert(match condition {
            Condition::Conflict => Event::FragmentConflict,
            Condition::TotalChanged => Event::FragmentTotalChanged,
            Condition::Mixed => Event::FragmentMixed,
            Condition::Timeout => Event::FragmentTimeout,
            Condition::TooMany => Event::TooManyFragments,
            Condition::Invalid => Event::InvalidFragment,
            Condition::Complete | Condition::Incomplete | Condition::Duplicate => continue,
        });
    }
}
