//! What IKE_SA_INIT offers, and what the response chooses.

use super::{Marks, MessageFacts, SaRecord};
use crate::message::{Event, EventSet, Message};
use crate::sa::exchange::{Body, InitStep};
use crate::sa::nat;
use crate::sa::negotiation::{self, Chosen, Irregularities, Irregularity, StoredOffer};
use crate::sa::outcome::Sizes;
use crate::sa::Observation;
use crate::wire::registry::NotifyType;

impl SaRecord {
    pub(super) fn sizes(&self) -> Option<Sizes> {
        let chosen = self.chosen?;
        Sizes::of(chosen.encr()?, chosen.integ())
    }

    /// Reads the offer, the choice and the NAT detection of IKE_SA_INIT. The first choice
    /// stays: a later response does not belong to the SA.
    pub(super) fn negotiate(
        &mut self,
        facts: &MessageFacts,
        observation: &Observation<'_>,
        events: &mut EventSet,
    ) {
        let Body::Init(init) = facts.body else { return };
        let message = observation.message;
        if self.chosen.is_some() {
            return;
        }
        if let Some(observed) = nat::assess(message, &observation.from, &observation.to) {
            self.nat.add(observed);
        }
        let mut found = match (init, &mut self.offer) {
            (InitStep::Request, _) => negotiation::check_request(message),
            (_, Some(offer)) => offer.check_response(message),
            (_, None) => Irregularities::default(),
        };
        match init {
            InitStep::Request => found.merge(self.keep_offer(message)),
            InitStep::Accept => {
                self.chosen = Chosen::of(message);
                self.offer = None;
                if message
                    .notifies()
                    .any(|notify| notify.kind == NotifyType::MULTIPLE_AUTH_SUPPORTED)
                {
                    self.marks |= Marks::MULTIPLE_AUTH;
                }
            }
            _ => {}
        }
        report_irregularities(found, events);
    }

    pub(super) fn keep_offer(&mut self, message: &Message) -> Irregularities {
        match (&mut self.offer, StoredOffer::of(message)) {
            (Some(offer), Some(next)) => offer.renew(next),
            (kept, next) => {
                *kept = next.map(Box::new);
                Irregularities::default()
            }
        }
    }
}

/// Adds the events of a negotiation.
fn report_irregularities(found: Irregularities, events: &mut EventSet) {
    for irregularity in found.iter() {
        events.insert(match irregularity {
            Irregularity::ChosenNotOffered => Event::ChosenNotOffered,
            Irregularity::MultipleChosen => Event::MultipleChosen,
            Irregularity::KeGroupNotOffered => Event::KeGroupNotOffered,
            Irregularity::DowngradeKe => Event::DowngradeKe,
            Irregularity::DowngradeRetry => Event::DowngradeRetry,
            Irregularity::DowngradePeers => Event::DowngradePeers,
        });
    }
}
