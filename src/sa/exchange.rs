//! Exchanges: pairs the requests and responses of an SA.

use core::hash::BuildHasher;

use crate::keyed_hash::KeyedHash;
use crate::message::{Event, EventSet, Message};
use crate::wire::registry::{ExchangeType, NotifyType, PayloadType};
use crate::wire::{Header, Role};

use super::decrypted_content::DecryptedContent;

/// How many exchanges of each window are stored, without the first one. The window of a peer
/// is 1 unless the peer announces another size (RFC 7296, 2.3), and that is encrypted.
const REMEMBERED: usize = 4;

/// The index of an exchange in its window. The first exchange has its own place: another
/// thread may parse its messages after many later ones, as they can be in another flow.
fn place(id: u32) -> usize {
    match id {
        0 => REMEMBERED,
        _ => id as usize % REMEMBERED,
    }
}

/// What the tracking needs to know about a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageFacts {
    pub(super) init_spi: [u8; 8],
    pub(super) resp_spi: [u8; 8],
    pub(super) exchange: ExchangeType,
    pub(super) id: u32,
    /// Whether the original initiator of the SA sent the message.
    pub(super) from_initiator: bool,
    pub(super) response: bool,
    pub(super) body: Body,
    /// A hash of all bytes of the message. Never 0.
    pub(super) hash: u32,
    /// A hash of the addresses between which the message was sent.
    pub(super) path: u16,
}

/// What is visible of the contents of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// A message of the exchange that begins an SA.
    Init(InitStep),
    /// An encrypted message.
    Protected(Protected),
    /// An unencrypted message of an exchange that must be encrypted, with its first error
    /// notify.
    Clear(Option<NotifyType>),
}

/// The meaning of a message of IKE_SA_INIT or IKE_SESSION_RESUME.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InitStep {
    Request,
    /// The responder accepts the request.
    Accept,
    /// The responder wants the request again, with a cookie (RFC 7296, 2.6; RFC 8019).
    Cookie,
    /// The responder wants another key exchange method (RFC 7296, 1.2).
    Group,
    /// The responder sends the initiator to another gateway (RFC 5685).
    Redirect,
    /// The responder refuses the request with this notify.
    Reject(NotifyType),
    /// A response with another meaning.
    Unclear,
}

/// An encrypted message, or a fragment of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protected {
    /// The type of the first encrypted payload. The SK payload has it unencrypted. Of the
    /// fragments of a message only the first has it. If the message was decrypted, this is the
    /// type of its first decrypted payload.
    pub(super) first_payload: PayloadType,
    /// The bytes from the initialization vector to the checksum.
    pub(super) length: u32,
    pub(super) part: FragmentPart,
    /// The meaning of the decrypted message. None if it was not decrypted.
    pub(super) decrypted: Option<DecryptedContent>,
}

/// Which part of a message a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FragmentPart {
    Whole,
    /// The first fragment, which has the type of the first encrypted payload.
    First,
    Later,
}

impl MessageFacts {
    /// None if the message belongs to no IKE SA: another major version, or no initiator SPI.
    pub(super) fn of(message: &Message, hasher: &KeyedHash) -> Option<Self> {
        let header = message.header.as_ref()?;
        if header.version.major() != 2 || header.init_spi == [0; 8] {
            return None;
        }
        let body = body(message, header);
        // A responder chooses its SPI when it accepts. Later messages do not use the value
        // that a request or a refusal has.
        let has_spi =
            matches!(body, Body::Init(InitStep::Accept) | Body::Protected(_) | Body::Clear(_));
        Some(Self {
            init_spi: header.init_spi,
            resp_spi: if has_spi { header.resp_spi } else { [0; 8] },
            exchange: header.exchange_type,
            id: header.message_id,
            from_initiator: header.role() == Role::Initiator,
            response: header.flags.response(),
            body,
            hash: hasher.hash_one(message.bytes()) as u32 | 1,
            path: 0,
        })
    }

    /// Whether the original initiator began the exchange.
    pub(super) fn asked_by_initiator(&self) -> bool {
        self.from_initiator != self.response
    }

    pub(super) fn is_init(&self) -> bool {
        matches!(self.body, Body::Init(_))
    }

    pub(super) fn protected(&self) -> Option<Protected> {
        match self.body {
            Body::Protected(protected) => Some(protected),
            _ => None,
        }
    }

    pub(super) fn is_auth(&self) -> bool {
        matches!(self.exchange, ExchangeType::IKE_AUTH | ExchangeType::GSA_AUTH)
    }

    /// Whether only an authenticated SA has this exchange.
    pub(super) fn is_use(&self) -> bool {
        is_use(self.exchange)
    }

    /// Whether the whole message was decrypted.
    pub(super) fn is_decrypted(&self) -> bool {
        let content = self.protected().and_then(|protected| protected.decrypted);
        content.is_some_and(|content| content != DecryptedContent::Partial)
    }

    /// Whether the message may set new Message IDs for both peers (RFC 6311, 5): an
    /// INFORMATIONAL message with the id 0. Without keys, its first payload must be there and
    /// must not be a Delete.
    pub(super) fn may_synchronize(&self) -> bool {
        let has_place = self.exchange == ExchangeType::INFORMATIONAL && self.id == 0;
        let Some(protected) = self.protected().filter(|_| has_place) else { return false };
        match protected.decrypted {
            Some(content) => content == DecryptedContent::Synchronize,
            None => !matches!(protected.first_payload, PayloadType::NONE | PayloadType::DELETE),
        }
    }

    fn part(&self) -> FragmentPart {
        self.protected().map_or(FragmentPart::Whole, |protected| protected.part)
    }
}

/// Whether only an authenticated SA has this exchange.
pub(super) fn is_use(exchange: ExchangeType) -> bool {
    matches!(
        exchange,
        ExchangeType::CREATE_CHILD_SA | ExchangeType::INFORMATIONAL | ExchangeType::IKE_FOLLOWUP_KE
    )
}

fn body(message: &Message, header: &Header) -> Body {
    let begins = matches!(
        header.exchange_type,
        ExchangeType::IKE_SA_INIT | ExchangeType::IKE_SESSION_RESUME
    );
    if begins {
        return Body::Init(init(message, header));
    }
    let last = message.outer_payloads().last().filter(|payload| payload.kind.is_encrypted());
    let Some((last, contents)) = last.zip(message.encrypted()) else {
        return Body::Clear(first_error(message));
    };
    let part = match message.fragment().map(|fragment| fragment.number) {
        None => FragmentPart::Whole,
        Some(1) => FragmentPart::First,
        Some(_) => FragmentPart::Later,
    };
    let length = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    let decrypted = DecryptedContent::of(message);
    let first = message.decrypted_payloads().first().map(|payload| payload.kind);
    Body::Protected(Protected {
        first_payload: first.unwrap_or(last.next_payload),
        length,
        part,
        decrypted,
    })
}

fn init(message: &Message, header: &Header) -> InitStep {
    if !header.flags.response() {
        return InitStep::Request;
    }
    let has = |kind| message.payloads.iter().any(|payload| payload.kind == kind);
    if header.resp_spi != [0; 8] && has(PayloadType::NONCE) {
        return InitStep::Accept;
    }
    let notified = |kind| message.notifies().any(|notify| notify.kind == kind);
    if notified(NotifyType::COOKIE) || notified(NotifyType::PUZZLE) {
        InitStep::Cookie
    } else if notified(NotifyType::INVALID_KE_PAYLOAD) {
        InitStep::Group
    } else if notified(NotifyType::REDIRECT) {
        InitStep::Redirect
    } else if notified(NotifyType::TICKET_NACK) {
        InitStep::Reject(NotifyType::TICKET_NACK)
    } else {
        first_error(message).map_or(InitStep::Unclear, InitStep::Reject)
    }
}

pub(super) fn first_error(message: &Message) -> Option<NotifyType> {
    let mut kinds = message.notifies().map(|notify| notify.kind);
    kinds.find(|kind| kind.is_error() && kind.0 != 0)
}

/// How a message relates to the earlier messages of its exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExchangeMatch {
    /// Not seen before, and complete enough to be judged.
    New,
    /// A further fragment, or a message too old to be compared.
    Part,
    /// The same bytes as before: a retransmission.
    Repeated,
    /// Other bytes than an earlier message with the same id.
    Changed,
    /// A response without a request.
    Stray,
}

/// One exchange: a request and its response.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchange {
    id: u32,
    /// The size of the request's encrypted contents. It is needed to judge the response.
    pub(super) asked: u16,
    marks: u16,
    /// Hashes of the request and of the response. 0 if it was not seen.
    request: u32,
    response: u32,
}

impl Exchange {
    const REQUEST: u16 = 1;
    const RESPONSE: u16 = 2;
    const RESENT: u16 = 4;
    /// The response allows the initiator to send another request with the same id.
    const AGAIN: u16 = 8;
    /// The request asks to delete an SA.
    const DELETE: u16 = 16;
    /// The request ends the SA, and its response has no further meaning.
    const LAST_WORD: u16 = 32;
    const REQUEST_IN_PARTS: u16 = 64;
    const RESPONSE_IN_PARTS: u16 = 128;
    const AUTH: u16 = 256;
    /// The request was decrypted, so `DELETE` certainly means the IKE SA.
    const DECRYPTED: u16 = 512;
    /// The request announces another authentication.
    const ANOTHER: u16 = 1024;
    /// A request of CREATE_CHILD_SA that begins with a notify, and one that begins with an SA
    /// payload.
    const NOTIFY_FIRST: u16 = 2048;
    const SA_FIRST: u16 = 4096;

    fn has(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }

    pub(super) fn is_asked(&self) -> bool {
        self.has(Self::REQUEST)
    }

    pub(super) fn is_answered(&self) -> bool {
        self.has(Self::RESPONSE)
    }

    /// Whether the request or the response was sent again.
    pub(super) fn is_resent(&self) -> bool {
        self.has(Self::RESENT)
    }

    /// Whether there is no response, or one that asks for another request.
    pub(super) fn awaits_answer(&self) -> bool {
        !self.is_answered() || self.has(Self::AGAIN)
    }

    pub(super) fn asks_to_delete(&self) -> bool {
        self.has(Self::DELETE)
    }

    /// Whether the request probably rekeys a child SA.
    pub(super) fn rekeys_child(&self) -> bool {
        self.has(Self::NOTIFY_FIRST)
    }

    /// Whether the request may rekey the IKE SA.
    pub(super) fn may_rekey_ike(&self) -> bool {
        self.has(Self::SA_FIRST)
    }

    pub(super) fn is_decrypted(&self) -> bool {
        self.has(Self::DECRYPTED)
    }

    pub(super) fn announces_another_auth(&self) -> bool {
        self.has(Self::ANOTHER)
    }

    pub(super) fn is_auth(&self) -> bool {
        self.has(Self::AUTH)
    }

    pub(super) fn is_last_word(&self) -> bool {
        self.has(Self::LAST_WORD)
    }

    pub(super) fn mark_last_word(&mut self) {
        self.marks |= Self::LAST_WORD;
    }

    /// The flags for this direction: message seen, and message came in fragments.
    fn side(facts: &MessageFacts) -> (u16, u16) {
        if facts.response {
            (Self::RESPONSE, Self::RESPONSE_IN_PARTS)
        } else {
            (Self::REQUEST, Self::REQUEST_IN_PARTS)
        }
    }

    fn hash(&self, facts: &MessageFacts) -> u32 {
        if facts.response {
            self.response
        } else {
            self.request
        }
    }

    /// Counts a message that may synchronize Message IDs. A request with other bytes belongs
    /// to another failover.
    pub(super) fn synchronize(&mut self, facts: &MessageFacts) -> ExchangeMatch {
        let is_other = self.hash(facts) != facts.hash;
        if is_other && !facts.response {
            *self = Self::default();
        } else if is_other && !self.is_asked() {
            self.response = 0;
        }
        self.compare(facts)
    }

    /// Compares one datagram with the request or response of this exchange.
    fn compare(&mut self, facts: &MessageFacts) -> ExchangeMatch {
        let (seen, parts) = Self::side(facts);
        let part = facts.part();
        let was = self.marks;
        self.marks |= seen | if part == FragmentPart::Whole { 0 } else { parts };
        let hash = if facts.response { &mut self.response } else { &mut self.request };
        let in_parts = self.marks & parts != 0;
        match part {
            FragmentPart::Later => ExchangeMatch::Part,
            // Later fragments may arrive before the first one.
            _ if was & seen == 0 || *hash == 0 => {
                *hash = facts.hash;
                ExchangeMatch::New
            }
            _ if *hash == facts.hash => {
                self.marks |= Self::RESENT;
                ExchangeMatch::Repeated
            }
            // A peer that got no answer may send the message again in fragments, or in smaller
            // ones (RFC 7383, 2.5.1). The module `fragment` checks what must stay the same.
            _ if in_parts => ExchangeMatch::Part,
            _ if was & Self::AGAIN != 0 => {
                *hash = facts.hash;
                self.marks &= !Self::AGAIN;
                if !facts.response {
                    self.marks &= !Self::RESPONSE;
                    self.response = 0;
                }
                ExchangeMatch::New
            }
            _ => ExchangeMatch::Changed,
        }
    }
}

/// Adds the event for this relation to the earlier messages.
pub(super) fn report_match(matched: ExchangeMatch, events: &mut EventSet) {
    match matched {
        ExchangeMatch::Repeated => events.insert(Event::Retransmission),
        ExchangeMatch::Changed => events.insert(Event::ReplayChanged),
        ExchangeMatch::Stray => events.insert(Event::ResponseWithoutRequest),
        ExchangeMatch::New | ExchangeMatch::Part => {}
    }
}

/// The exchanges that one of the peers began. Each peer numbers its own requests (RFC 7296,
/// 2.2).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExchangeWindow {
    /// The highest id of a request, if `HAS_NEWEST` is set. An `Option` would need twice the
    /// space.
    newest: u32,
    /// `HAS_NEWEST` and `MAY_JUMP`. They share a byte because a record has two windows.
    marks: u8,
    /// How many requests the peer sends without waiting for a response.
    size: u8,
    /// A hash of the addresses between which the newest request was sent.
    path: u16,
    /// When the newest request was first seen.
    asked_at: u64,
    recent: [Exchange; REMEMBERED + 1],
}

impl ExchangeWindow {
    const HAS_NEWEST: u8 = 1;
    /// The peers may have agreed to continue with a higher id (RFC 6311).
    const MAY_JUMP: u8 = 2;

    /// Counts a message. `from_zero` says that the SA was seen from its beginning, so that ids
    /// count from 0 and missing messages are known.
    pub(super) fn observe(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        from_zero: bool,
        events: &mut EventSet,
    ) -> ExchangeMatch {
        let matched = if facts.response {
            self.response(facts, from_zero)
        } else {
            self.request(facts, time, from_zero, events)
        };
        report_match(matched, events);
        if matched == ExchangeMatch::New {
            self.mark(facts);
        }
        matched
    }

    /// Whether the first request of another record has the same bytes.
    pub(super) fn begins_like(&self, other: &Self) -> bool {
        let [own, other] = [self, other].map(|window| window.recent[place(0)].request);
        own != 0 && own == other
    }

    /// Whether the message has the id 0 although another message had it before.
    pub(super) fn begins_anew(&self, facts: &MessageFacts) -> bool {
        let first = &self.recent[place(0)];
        match first.marks {
            0 => self.newest().is_some_and(|newest| newest > 0),
            _ => ![0, facts.hash].contains(&first.hash(facts)),
        }
    }

    /// Allows a jump of the ids, because the peers synchronize them.
    pub(super) fn let_jump(&mut self) {
        self.marks |= Self::MAY_JUMP;
    }

    /// The exchange with this id, if it is stored.
    pub(super) fn exchange(&mut self, id: u32) -> Option<&mut Exchange> {
        let slot = &mut self.recent[place(id)];
        (slot.id == id && slot.marks != 0).then_some(slot)
    }

    /// Whether the first request that was seen has the id 0.
    pub(super) fn begins_with_zero(&self) -> bool {
        self.newest() == Some(0)
    }

    /// The exchange of the newest request.
    pub(super) fn newest_exchange(&mut self) -> Option<&mut Exchange> {
        let newest = self.newest()?;
        self.exchange(newest)
    }

    /// Whether the request has the next id after all requests seen so far.
    pub(super) fn is_next(&self, id: u32, from_zero: bool) -> bool {
        match self.newest() {
            Some(newest) => newest.checked_add(1) == Some(id),
            None => from_zero && id == 0,
        }
    }

    pub(super) fn is_newest(&self, id: u32) -> bool {
        self.newest() == Some(id)
    }

    pub(super) fn asked_at(&self) -> u64 {
        self.asked_at
    }

    /// The microseconds from a request to its response. None unless each was sent once.
    pub(super) fn round_trip(&mut self, id: u32, time: u64) -> Option<u32> {
        let asked_at = self.asked_at;
        let newest = self.is_newest(id);
        let exchange = self.exchange(id)?;
        let once = exchange.marks & (Exchange::REQUEST | Exchange::RESENT) == Exchange::REQUEST;
        let passed = time.checked_sub(asked_at)?;
        (newest && once).then_some(passed).and_then(|passed| u32::try_from(passed).ok())
    }

    /// Whether the request or response came unfragmented before and the exchange has an
    /// answer. Without an answer, the peer may send it again in fragments (RFC 7383, 2.5.1).
    pub(super) fn came_whole(&mut self, facts: &MessageFacts) -> bool {
        let (seen, parts) = Exchange::side(facts);
        self.exchange(facts.id).is_some_and(|exchange| {
            exchange.is_answered() && exchange.marks & (seen | parts) == seen
        })
    }

    /// Forgets the response, because another one takes its place.
    pub(super) fn forget_answer(&mut self, id: u32) {
        if let Some(exchange) = self.exchange(id) {
            exchange.marks &= Exchange::REQUEST | Exchange::RESENT;
            exchange.response = 0;
        }
    }

    fn may_jump(&self) -> bool {
        self.marks & Self::MAY_JUMP != 0
    }

    fn newest(&self) -> Option<u32> {
        (self.marks & Self::HAS_NEWEST != 0).then_some(self.newest)
    }

    fn request(
        &mut self,
        facts: &MessageFacts,
        time: u64,
        from_zero: bool,
        events: &mut EventSet,
    ) -> ExchangeMatch {
        let id = facts.id;
        if let Some(exchange) = self.exchange(id) {
            let matched = exchange.compare(facts);
            if matched == ExchangeMatch::New {
                self.advance(id, time);
            }
            return matched;
        }
        let newest = match self.newest() {
            Some(newest) => i64::from(newest),
            None if from_zero => -1,
            None => i64::from(id) - 1,
        };
        let ahead = i64::from(id) - newest;
        if ahead <= 0 {
            return self.late_request(facts, ahead);
        }
        let follows_jump = id.checked_sub(1).is_some_and(|before| self.exchange(before).is_some());
        let jumps = ahead > i64::from(self.size.max(1)) && !follows_jump;
        if jumps {
            // With other addresses, the missing requests may be in a flow of another thread.
            let is_first = self.newest().is_none();
            if !self.may_jump() && (is_first || self.path == facts.path) {
                events.insert(Event::MessageIdGap);
            }
            // One forged message must not remove a request that waits for its response. It
            // must not make all later requests look old.
            let kept = self.recent[place(id)];
            if kept.has(Exchange::REQUEST) && !kept.is_answered() {
                return ExchangeMatch::Part;
            }
        } else {
            self.advance(id, time);
            self.path = facts.path;
        }
        self.record(facts)
    }

    /// Adds the first exchange from another record of the same SA.
    pub(super) fn absorb(&mut self, other: &Self) {
        let first = &mut self.recent[place(0)];
        if first.marks == 0 {
            *first = other.recent[place(0)];
        }
    }

    /// Counts a request with a lower id than earlier ones: the window of its sender is larger
    /// than 1.
    fn late_request(&mut self, facts: &MessageFacts, ahead: i64) -> ExchangeMatch {
        let slot = self.recent[place(facts.id)];
        let is_free = slot.marks == 0 || slot.id < facts.id;
        if facts.is_init() {
            // Another thread was faster with the later messages, which use the other port.
            return if is_free { self.record(facts) } else { ExchangeMatch::New };
        }
        let behind = u8::try_from(-ahead).unwrap_or(u8::MAX);
        if !is_free || usize::from(behind) >= REMEMBERED {
            return ExchangeMatch::Part;
        }
        self.size = self.size.max(behind + 1);
        self.record(facts)
    }

    fn response(&mut self, facts: &MessageFacts, from_zero: bool) -> ExchangeMatch {
        let id = facts.id;
        let newest = self.newest();
        if let Some(exchange) = self.exchange(id) {
            let asked = exchange.has(Exchange::REQUEST);
            let matched = exchange.compare(facts);
            if asked && newest.is_some_and(|newest| newest < id) {
                (self.newest, self.marks) = (id, Self::HAS_NEWEST);
            }
            return matched;
        }
        match newest {
            Some(newest) if id <= newest && !facts.is_init() => ExchangeMatch::Part,
            Some(newest) if id <= newest => self.record(facts),
            // The request could not be stored.
            _ if from_zero && self.may_jump() => ExchangeMatch::Part,
            _ if from_zero => ExchangeMatch::Stray,
            _ => self.record(facts),
        }
    }

    fn record(&mut self, facts: &MessageFacts) -> ExchangeMatch {
        let mut exchange = Exchange { id: facts.id, ..Exchange::default() };
        let matched = exchange.compare(facts);
        self.recent[place(facts.id)] = exchange;
        matched
    }

    fn advance(&mut self, id: u32, time: u64) {
        if self.newest().is_none_or(|newest| newest <= id) {
            (self.newest, self.marks) = (id, Self::HAS_NEWEST);
            self.asked_at = time;
        }
    }

    fn mark(&mut self, facts: &MessageFacts) {
        let Some(exchange) = self.exchange(facts.id) else { return };
        match facts.body {
            Body::Init(InitStep::Cookie | InitStep::Group | InitStep::Reject(_)) => {
                exchange.marks |= Exchange::AGAIN;
            }
            Body::Protected(protected) if !facts.response => {
                exchange.asked = u16::try_from(protected.length).unwrap_or(u16::MAX);
                if facts.is_auth() {
                    exchange.marks |= Exchange::AUTH;
                }
                if facts.exchange == ExchangeType::CREATE_CHILD_SA {
                    exchange.marks |= match protected.first_payload {
                        PayloadType::NOTIFY => Exchange::NOTIFY_FIRST,
                        PayloadType::SA => Exchange::SA_FIRST,
                        _ => 0,
                    };
                }
                if facts.exchange == ExchangeType::INFORMATIONAL
                    && protected.first_payload == PayloadType::DELETE
                {
                    exchange.marks |= Exchange::DELETE;
                }
            }
            _ => {}
        }
        self.apply_decrypted(facts);
    }

    /// Stores what a decrypted request asks for.
    pub(super) fn apply_decrypted(&mut self, facts: &MessageFacts) {
        let content = facts.protected().and_then(|protected| protected.decrypted);
        let is_whole = |content: &DecryptedContent| *content != DecryptedContent::Partial;
        let Some(content) = content.filter(|it| !facts.response && is_whole(it)) else {
            return;
        };
        let Some(exchange) = self.exchange(facts.id) else { return };
        exchange.marks = exchange.marks & !Exchange::DELETE | Exchange::DECRYPTED;
        if facts.exchange == ExchangeType::INFORMATIONAL && content == DecryptedContent::Delete {
            exchange.marks |= Exchange::DELETE;
        }
        if content == DecryptedContent::AuthenticatedOnce {
            exchange.marks |= Exchange::ANOTHER;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(response: bool, id: u32, hash: u32) -> MessageFacts {
        MessageFacts {
            init_spi: [1; 8],
            resp_spi: [2; 8],
            exchange: ExchangeType::INFORMATIONAL,
            id,
            from_initiator: !response,
            response,
            body: Body::Clear(None),
            hash,
            path: 0,
        }
    }

    /// How a window that was seen from its beginning judges requests with these ids.
    fn requests(ids: &[u32]) -> Vec<(ExchangeMatch, bool)> {
        let mut window = ExchangeWindow::default();
        let request = |id: &u32| {
            let mut events = EventSet::default();
            let matched = window.observe(&facts(false, *id, 7), 0, true, &mut events);
            (matched, events.contains(Event::MessageIdGap))
        };
        ids.iter().map(request).collect()
    }

    #[test]
    fn ids_that_are_left_out_are_a_gap_once() {
        let new = (ExchangeMatch::New, false);
        assert_eq!(requests(&[0, 1, 2]), [new; 3]);
        assert_eq!(requests(&[0, 2, 3, 4]), [new, (ExchangeMatch::New, true), new, new]);
        assert_eq!(requests(&[1]), [(ExchangeMatch::New, true)]);
    }

    #[test]
    fn a_larger_window_is_inferred_from_the_first_request_out_of_order() {
        let new = (ExchangeMatch::New, false);
        // The id 3 comes before 2, which is a gap at first. Then 5 before 4 is none.
        assert_eq!(
            requests(&[0, 1, 3, 4, 2, 6, 5]),
            [new, new, (ExchangeMatch::New, true), new, new, new, new]
        );
    }

    #[test]
    fn a_forged_id_takes_no_place_of_a_request_that_waits() {
        let mut window = ExchangeWindow::default();
        let mut observe = |response, id| {
            window.observe(&facts(response, id, 7), 0, true, &mut EventSet::default())
        };
        observe(false, 0);
        observe(false, 4_000_000_000);
        assert_eq!(observe(true, 0), ExchangeMatch::New);
        assert_eq!(observe(false, 1), ExchangeMatch::New);
        assert_eq!(observe(true, 1), ExchangeMatch::New);
    }

    #[test]
    fn a_response_is_asked_for_unless_the_request_was_not_seen() {
        let matched = |from_zero, id| {
            let mut window = ExchangeWindow::default();
            window.observe(&facts(true, id, 7), 0, from_zero, &mut EventSet::default())
        };
        assert_eq!(matched(true, 3), ExchangeMatch::Stray);
        assert_eq!(matched(false, 3), ExchangeMatch::New);
    }

    #[test]
    fn time_to_the_answer_is_known_if_both_were_sent_once() {
        let mut window = ExchangeWindow::default();
        let mut observe = |response, id, time| {
            window.observe(&facts(response, id, 7), time, true, &mut EventSet::default());
            window.round_trip(id, time)
        };
        observe(false, 0, 100);
        assert_eq!(observe(true, 0, 350), Some(250));
        observe(false, 1, 400);
        observe(false, 1, 500);
        assert_eq!(observe(true, 1, 510), None);
        observe(false, 2, 600);
        assert_eq!(observe(true, 2, 590), None, "a clock that runs backwards");
    }
}
