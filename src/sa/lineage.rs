//! The relations of an IKE SA to other SAs, from decrypted messages: its child SAs, the IKE SA
//! that replaces it and the one that it replaced. Only SAs with keys have them.
//!
//! An exchange creates an SA (RFC 7296, 1.2 and 1.3). The request offers it with an SPI of its
//! sender, and the response accepts it with another SPI.

use crate::message::Message;
use crate::proposal::Proposal;
use crate::wire::registry::{ExchangeType, NotifyType, Protocol};

use super::exchange::MessageFacts;

/// The maximum number of child SAs that are stored for an IKE SA. The newest ones stay.
pub const MAX_CHILDREN: usize = 16;

/// The maximum number of requests that wait for a response. A peer rarely has two.
const MAX_ASKED: usize = 4;

/// The maximum number of SPIs that are stored for a request. Its proposals usually have the
/// same SPI.
const MAX_SPIS: usize = 16;

/// The relations of an IKE SA to other SAs.
#[derive(Clone, Debug, Default)]
pub(super) struct Lineage {
    /// The initiator's SPI of the IKE SA that this one replaced or was cloned from.
    pub(super) parent: Option<[u8; 8]>,
    /// Whether this SA is a clone of the parent, which stays in use (RFC 7791).
    pub(super) is_clone: bool,
    /// Whether the parent is concluded from sizes and times.
    pub(super) inferred: bool,
    /// The number of child SAs that were replaced.
    pub(super) replaced: u16,
    children: Vec<Child>,
    asked: Vec<PendingRequest>,
}

/// The two SPIs of a child SA. The IKE SA's initiator chose the first one, and the responder
/// sends with it. 0 if it was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Child([u32; 2]);

/// A request for a new SA.
#[derive(Clone, Debug)]
struct PendingRequest {
    /// The exchange, and whether the initiator began it.
    exchange: (u32, bool),
    /// The SPIs with the numbers of their proposals.
    spis: Vec<(u8, u64)>,
    /// The child SA to be replaced: the SPI that the sender chose for it.
    replaces: Option<u32>,
    /// Whether the new SA is a clone of this one.
    clones: bool,
}

/// An IKE SA that was created by rekeying or cloning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NewSa {
    pub(super) init_spi: [u8; 8],
    pub(super) resp_spi: [u8; 8],
    /// Whether the initiator of the old SA is the initiator of the new one.
    pub(super) same_initiator: bool,
    /// Whether the new SA is a clone, so that the old one stays in use.
    pub(super) is_clone: bool,
}

impl Lineage {
    /// The relations of an SA whose parent is inferred.
    pub(super) fn of_inferred(parent: [u8; 8]) -> Self {
        Self { parent: Some(parent), inferred: true, ..Self::default() }
    }

    /// The relations of an SA that this one creates. `parent` is the initiator's SPI of this
    /// one. A rekeyed SA inherits the child SAs (RFC 7296, 2.8), a clone has none (RFC 7791,
    /// 5.2).
    pub(super) fn successor(&self, parent: [u8; 8], made: &NewSa) -> Self {
        let mut children = match made.is_clone {
            true => Vec::new(),
            false => self.children.clone(),
        };
        if !made.same_initiator {
            children.iter_mut().for_each(|child| child.0.reverse());
        }
        Self { parent: Some(parent), is_clone: made.is_clone, children, ..Self::default() }
    }

    /// Adds what another record of the same SA has.
    pub(super) fn merge(&mut self, other: Self) {
        self.inferred = match (self.parent, other.parent) {
            (Some(_), None) => self.inferred,
            (None, Some(_)) => other.inferred,
            _ => self.inferred && other.inferred,
        };
        self.parent = self.parent.or(other.parent);
        self.is_clone |= other.is_clone;
        let children = std::mem::take(&mut self.children);
        self.children = other.children;
        children.into_iter().for_each(|child| self.add_child(child));
    }

    /// The SPIs of the child SAs, from both ends.
    pub(super) fn child_spis(&self) -> Vec<u32> {
        self.children.iter().flat_map(|child| child.0).filter(|spi| *spi != 0).collect()
    }

    /// The number of bytes on the heap.
    pub(super) fn heap_size(&self) -> usize {
        let spis: usize = self.asked.iter().map(|asked| asked.spis.capacity()).sum();
        self.children.capacity() * size_of::<Child>()
            + self.asked.capacity() * size_of::<PendingRequest>()
            + spis * size_of::<(u8, u64)>()
    }

    /// Reads a decrypted message and returns the IKE SA that it completes. `this` stays none
    /// if the message has no relation to other SAs.
    pub(super) fn observe(
        this: &mut Option<Box<Self>>,
        facts: &MessageFacts,
        message: &Message,
    ) -> Option<NewSa> {
        if facts.exchange == ExchangeType::INFORMATIONAL {
            if let Some(lineage) = this {
                lineage.delete_children(facts, message);
            }
            return None;
        }
        if !facts.is_auth() && facts.exchange != ExchangeType::CREATE_CHILD_SA {
            return None;
        }
        let proposals = message.decrypted_proposals();
        if facts.response {
            // Without a request, only the creation of a child SA has new information.
            if this.is_none() && proposals.is_empty() {
                return None;
            }
            return this.get_or_insert_default().add_response(facts, message, proposals.first());
        }
        if !proposals.is_empty() {
            this.get_or_insert_default().add_request(facts, message, proposals);
        }
        None
    }

    fn add_request(&mut self, facts: &MessageFacts, message: &Message, proposals: &[Proposal]) {
        let exchange = key(facts);
        self.asked.retain(|asked| asked.exchange != exchange);
        if self.asked.len() >= MAX_ASKED {
            self.asked.remove(0);
        }
        let spis = proposals
            .iter()
            .filter_map(|it| Some((it.number, spi(message.range(it.spi.clone()))?)));
        self.asked.push(PendingRequest {
            exchange,
            spis: spis.take(MAX_SPIS).collect(),
            replaces: replaced(message),
            clones: clones(message),
        });
    }

    fn add_response(
        &mut self,
        facts: &MessageFacts,
        message: &Message,
        chosen: Option<&Proposal>,
    ) -> Option<NewSa> {
        // With EAP there are further rounds between the request for a child SA and its
        // response.
        if chosen.is_none() && facts.is_auth() {
            return None;
        }
        let exchange = key(facts);
        let place = self.asked.iter().position(|asked| asked.exchange == exchange);
        let asked = place.map(|place| self.asked.remove(place));
        let chosen = chosen?;
        let of_request = asked.as_ref().and_then(|asked| asked.spi(chosen.number));
        let of_response = message.range(chosen.spi.clone());
        let by_initiator = facts.asked_by_initiator();
        if chosen.protocol == Protocol::IKE {
            return Some(NewSa {
                init_spi: of_request?.to_be_bytes(),
                resp_spi: of_response.try_into().ok()?,
                same_initiator: by_initiator,
                is_clone: clones(message) || asked.is_some_and(|asked| asked.clones),
            });
        }
        if let Some(replaced) = asked.and_then(|asked| asked.replaces) {
            self.remove_child(by_initiator, replaced);
            self.replaced = self.replaced.saturating_add(1);
        }
        let narrow = |spi: Option<u64>| spi.and_then(|spi| u32::try_from(spi).ok()).unwrap_or(0);
        let mut child = Child([narrow(of_request), narrow(spi(of_response))]);
        if !by_initiator {
            child.0.reverse();
        }
        self.add_child(child);
        None
    }

    fn add_child(&mut self, child: Child) {
        if self.children.contains(&child) {
            return;
        }
        if self.children.len() >= MAX_CHILDREN {
            self.children.remove(0);
        }
        self.children.push(child);
    }

    /// Each end deletes child SAs by the SPIs that it chose (RFC 7296, 1.4.1).
    fn delete_children(&mut self, facts: &MessageFacts, message: &Message) {
        for delete in message.deletes().filter(|delete| delete.protocol != Protocol::IKE) {
            for spi in delete.spis().filter_map(|spi| spi.try_into().ok()) {
                self.remove_child(facts.from_initiator, u32::from_be_bytes(spi));
            }
        }
    }

    fn remove_child(&mut self, by_initiator: bool, spi: u32) {
        let side = usize::from(!by_initiator);
        self.children.retain(|child| child.0[side] != spi);
    }
}

impl PendingRequest {
    fn spi(&self, number: u8) -> Option<u64> {
        self.spis.iter().find(|(of, _)| *of == number).map(|(_, spi)| *spi)
    }
}

/// The exchange of a message, and whether the initiator began it. All rounds of IKE_AUTH
/// together create one child SA, so they count as one exchange.
fn key(facts: &MessageFacts) -> (u32, bool) {
    (if facts.is_auth() { 0 } else { facts.id }, facts.asked_by_initiator())
}

/// An SPI of 4 or 8 bytes as a number.
fn spi(bytes: &[u8]) -> Option<u64> {
    let valid = matches!(bytes.len(), 4 | 8);
    valid.then(|| bytes.iter().fold(0, |spi, byte| spi << 8 | u64::from(*byte)))
}

/// Whether the message is about a clone of the IKE SA (RFC 7791, 5.2).
fn clones(message: &Message) -> bool {
    message.notifies().any(|notify| notify.kind == NotifyType::CLONE_IKE_SA)
}

/// The child SA that a request replaces: the sender's SPI (RFC 7296, 1.3.3).
fn replaced(message: &Message) -> Option<u32> {
    let notify = message.notifies().find(|notify| notify.kind == NotifyType::REKEY_SA)?;
    notify.spi.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(number: u32) -> Child {
        Child([number, number + 1000])
    }

    #[test]
    fn the_newest_children_are_kept() {
        let mut lineage = Lineage::default();
        (1..=20).for_each(|number| lineage.add_child(child(number)));
        lineage.add_child(child(20));
        let expected: Vec<_> = (5..=20).flat_map(|number| [number, number + 1000]).collect();
        assert_eq!(lineage.child_spis(), expected);
        assert_eq!(expected.len(), 2 * MAX_CHILDREN);
    }

    #[test]
    fn a_child_goes_by_the_spi_of_who_says_so() {
        let mut lineage = Lineage::default();
        (1..=3).for_each(|number| lineage.add_child(child(number)));
        lineage.remove_child(false, 1);
        lineage.remove_child(true, 1001);
        assert_eq!(lineage.children.len(), 3);
        lineage.remove_child(true, 1);
        lineage.remove_child(false, 1003);
        assert_eq!(lineage.child_spis(), [2, 1002]);
    }

    #[test]
    fn a_successor_has_the_children_and_its_own_ends() {
        let mut lineage = Lineage::default();
        lineage.add_child(child(1));
        let parent = [7; 8];
        let made = |same_initiator, is_clone| NewSa {
            init_spi: [8; 8],
            resp_spi: [9; 8],
            same_initiator,
            is_clone,
        };
        assert_eq!(lineage.successor(parent, &made(true, false)).child_spis(), [1, 1001]);
        let clone = lineage.successor(parent, &made(true, true));
        assert_eq!((clone.is_clone, clone.child_spis()), (true, vec![]));
        let mut turned = lineage.successor(parent, &made(false, false));
        assert_eq!((turned.parent, turned.child_spis()), (Some(parent), vec![1001, 1]));
        // The other record has seen newer child SAs.
        let mut other = Lineage::default();
        other.add_child(child(2));
        other.merge(core::mem::take(&mut turned));
        assert_eq!((other.parent, other.child_spis()), (Some(parent), vec![1001, 1, 2, 1002]));
    }

    /// One of the SPIs is 0 if the request was not decrypted.
    #[test]
    fn what_was_not_seen_is_absent() {
        let mut lineage = Lineage::default();
        lineage.add_child(Child([0, 5]));
        assert_eq!(lineage.child_spis(), [5]);
    }
}
