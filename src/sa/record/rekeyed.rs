//! Rekeying that is inferred without keys.

use super::{Marks, SaRecord};
use crate::sa::exchange::Protected;
use crate::sa::lineage::Lineage;
use crate::sa::negotiation::Chosen;
use crate::sa::rekeying;
use crate::sa::summary::Summary;
use crate::sa::{Endpoint, State};
use crate::wire::registry::PayloadType;

/// What an SA inherits from the one that it probably replaced.
pub(in crate::sa) struct Inheritance {
    init_spi: [u8; 8],
    initiator: Option<Endpoint>,
    chosen: Option<Chosen>,
    summary: Box<Summary>,
}

impl SaRecord {
    /// Reads a response of CREATE_CHILD_SA or INFORMATIONAL that deletes nothing. `child` and
    /// `ike` say what the request may rekey.
    pub(super) fn observe_rekeying(&mut self, child: bool, ike: bool, answer: Protected) {
        self.marks -= Marks::REKEY_FITS;
        let Some(summary) = &mut self.summary else { return };
        if answer.first_payload != PayloadType::SA {
            return;
        }
        if child {
            summary.child_rekeys = summary.child_rekeys.saturating_add(1);
        }
        let Some(chosen) = self.chosen.filter(|_| ike) else { return };
        if rekeying::sizes(&chosen)
            .is_some_and(|sizes| rekeying::fits(&chosen, sizes, answer.length))
        {
            self.marks |= Marks::REKEY_FITS;
        }
    }

    /// Whether another SA has replaced this one. Without keys, this is inferred.
    pub(super) fn is_replaced(&self) -> bool {
        self.summary.as_ref().is_some_and(|summary| summary.successor.is_some())
            || self.has(Marks::REKEY_FITS)
    }

    /// Whether the SA may be the successor of one that was rekeyed: it has one message, the first
    /// one of an SA in use, and its parent is not known.
    pub(in crate::sa) fn may_be_successor(&self) -> bool {
        self.messages == 1
            && self.state == State::Established
            && !self.has_init()
            && self.lineage.is_none()
            && self.windows.iter().any(|window| window.begins_with_zero())
    }

    /// What a successor inherits. None if the SA was not deleted after a rekeying, or if its
    /// successor is known.
    pub(in crate::sa) fn inheritance(&self) -> Option<Inheritance> {
        let summary = self.summary.as_ref()?;
        let is_parent = self.state == State::Closed
            && self.has(Marks::REKEY_FITS)
            && summary.successor.is_none();
        is_parent.then(|| Inheritance {
            init_spi: self.init_spi,
            initiator: self.initiator,
            chosen: self.chosen,
            summary: summary.clone(),
        })
    }

    /// Links the SA to the one that it probably replaced.
    pub(in crate::sa) fn inherit(&mut self, parent: &Inheritance) {
        let address = |end: Option<Endpoint>| end.map(|end| end.address);
        let same_initiator = address(self.initiator) == address(parent.initiator);
        if let Some(summary) = &mut self.summary {
            let own =
                std::mem::replace(summary, parent.summary.of_successor(same_initiator, false));
            summary.absorb(&own);
            summary.chosen_post_quantum = parent.summary.chosen_post_quantum;
            summary.reported = own.reported;
            summary.reports = own.reports;
        }
        self.chosen = self.chosen.or(parent.chosen);
        self.lineage = Some(Box::new(Lineage::of_inferred(parent.init_spi)));
    }

    /// Stores the successor of the SA.
    pub(in crate::sa) fn set_successor(&mut self, init_spi: [u8; 8]) {
        if let Some(summary) = &mut self.summary {
            summary.successor = Some(init_spi);
        }
    }
}
