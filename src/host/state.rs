//! What the host keeps for a flow: its transactions and their host data.

use core::ptr;
use std::collections::VecDeque;
use std::sync::Arc;

use super::bypass;
use super::keyword::prefilter::TransactionTokens;
use super::settings;
use crate::message::{Direction, Event, EventSet};
use crate::pipeline::FlowContext;
use crate::render::MANY_EVENTS;
use crate::sa::SaReport;
use crate::sys;
use crate::tx::Transaction;

/// A transaction with the data that the host's engines keep beside it.
pub(super) struct HeldTransaction {
    /// What was decoded, or the end of an SA.
    pub(super) content: Content,
    /// The host's number of it, counted from 0 in the flow.
    pub(super) id: u64,
    /// Detection, logging and event state, owned by the host's functions.
    pub(super) data: sys::AppLayerTxData,
    /// What the prefilter of rules found.
    pub(super) tokens: TransactionTokens,
}

/// What a transaction is about.
#[expect(clippy::large_enum_variant, reason = "almost all are messages")]
pub(super) enum Content {
    /// A message.
    Message(Transaction),
    /// An SA that is settled or has ended, and whether the flow is one of the SA.
    Sa(Box<SaReport>, bool),
}

impl HeldTransaction {
    /// The message; none for the record of an SA. Rules look at messages only.
    pub(super) fn message(&self) -> Option<&Transaction> {
        match &self.content {
            Content::Message(transaction) => Some(transaction),
            Content::Sa(..) => None,
        }
    }

    /// The record of an SA. It is only logged: rules have seen the message that caused it.
    fn of_report(report: Box<SaReport>, own_flow: bool, direction: Direction, id: u64) -> Self {
        let mut data = tx_data(direction);
        data.flags = SKIP_INSPECT_TO_SERVER | SKIP_INSPECT_TO_CLIENT;
        let tokens = TransactionTokens::default();
        Self { content: Content::Sa(report, own_flow), id, data, tokens }
    }

    fn new(transaction: Transaction, id: u64) -> Self {
        let mut data = tx_data(transaction.message().direction);
        if !settings::get().records.has(transaction.message()) {
            data.config.log_flags |= NO_RECORD;
        }
        set_events(&mut data, transaction.message().events);
        let tokens = TransactionTokens::default();
        Self { content: Content::Message(transaction), id, data, tokens }
    }
}

/// How many events of a message with many the host writes a record of; the message's own
/// record names them all. One datagram can have more than a dozen.
const MAX_ANOMALIES_OF_MANY: usize = 2;

/// Gives the host the events: all of them for rules with `app-layer-event`, and the most
/// telling ones for its records, which begin where the last one that was written is.
fn set_events(data: &mut sys::AppLayerTxData, events: EventSet) {
    if events.is_empty() {
        return;
    }
    let mut all: Vec<_> = events.most_telling().collect();
    let most = if all.len() < MANY_EVENTS { all.len() } else { MAX_ANOMALIES_OF_MANY };
    // Who counts malformed messages counts this event.
    if all.len() > most && all.last() == Some(&Event::MalformedData) {
        all.rotate_right(1);
        all[..most].rotate_left(1);
    }
    for event in all.iter().rev() {
        // SAFETY: `events` is null or was set by this function, which allocates.
        unsafe { sys::AppLayerDecoderEventsSetEventRaw(&mut data.events, *event as u8) };
    }
    // SAFETY: null, or allocated by the host's function above, and nobody else's yet.
    if let Some(kept) = unsafe { data.events.as_mut() } {
        // What is not so is not the structure that is known.
        if usize::from(kept.cnt) == all.len() && kept.event_last_logged == 0 {
            let silent = all.len().saturating_sub(most);
            kept.event_last_logged = u8::try_from(silent).unwrap_or(0);
        }
    }
}

impl Drop for HeldTransaction {
    fn drop(&mut self) {
        let data = &mut self.data;
        // SAFETY: each pointer is null or was allocated by the host for this
        // transaction, and the host has let go of the transaction.
        unsafe {
            if !data.de_state.is_null() {
                sys::DetectEngineStateFree(data.de_state);
            }
            if !data.events.is_null() {
                sys::AppLayerDecoderEventsFreeEvents(&mut data.events);
            }
            if !data.txbits.is_null() {
                sys::GenericVarFree(data.txbits);
            }
        }
    }
}

/// Set in `AppLayerTxConfig.log_flags`: the loggers of the protocol leave the transaction out.
/// A rule with `config: logging disable` sets it too (`CONFIG_TYPE_TX` of
/// `util-config.h`). Alerts and anomalies have loggers of their own, which do not look at it.
const NO_RECORD: u8 = 1;

/// Set in `AppLayerTxData.flags`: nothing to inspect to the server, or to the
/// client. A message exists in one direction only.
const SKIP_INSPECT_TO_SERVER: u8 = 1;
const SKIP_INSPECT_TO_CLIENT: u8 = 2;

fn tx_data(direction: Direction) -> sys::AppLayerTxData {
    let to_server = direction == Direction::ToServer;
    sys::AppLayerTxData {
        config: sys::AppLayerTxConfig { log_flags: 0 },
        updated_tc: !to_server,
        updated_ts: to_server,
        flags: if to_server { SKIP_INSPECT_TO_CLIENT } else { SKIP_INSPECT_TO_SERVER },
        logged: sys::LoggerFlags { flags: 0 },
        files_opened: 0,
        files_logged: 0,
        files_stored: 0,
        file_flags: 0,
        file_tx: 0,
        guessed_applayer_logged: 0,
        detect_progress_ts: 0,
        detect_progress_tc: 0,
        de_state: ptr::null_mut(),
        events: ptr::null_mut(),
        txbits: ptr::null_mut(),
    }
}

/// The parser's state of a flow.
pub(super) struct FlowState {
    /// The host's data.
    pub(super) data: sys::AppLayerStateData,
    /// Whether a callback panicked: nothing more is parsed.
    pub(super) given_up: bool,
    /// What is known of the flow; none before its first datagram.
    pub(super) context: Option<FlowContext>,
    /// Shows what is kept beside a flow that may be bypassed, that this state still exists.
    pub(super) bypass: Option<Arc<()>>,
    /// What the host has not let go of.
    pub(super) transactions: FlowTransactions,
}

impl FlowState {
    pub(super) fn new() -> Self {
        Self {
            data: sys::AppLayerStateData { file_flags: 0 },
            given_up: false,
            context: None,
            bypass: bypass::is_on().then(Arc::default),
            transactions: FlowTransactions::default(),
        }
    }
}

/// The transactions of a flow that the host still needs, by their numbers.
#[derive(Default)]
pub(super) struct FlowTransactions {
    held: VecDeque<Box<HeldTransaction>>,
    next_id: u64,
}

impl FlowTransactions {
    /// Keeps a transaction. The host frees transactions after each packet; if it
    /// does not, at most `limit` are kept and the oldest are given up.
    pub(super) fn push(&mut self, mut transaction: Transaction, limit: usize) {
        if self.held.len() >= limit {
            self.held.pop_front();
            transaction.add_event(Event::TooManyTransactions);
        }
        let held = HeldTransaction::new(transaction, self.next_id);
        self.held.push_back(Box::new(held));
        self.next_id += 1;
    }

    /// Keeps the record of an SA until the host has written it. False if there are too many
    /// transactions.
    pub(super) fn push_report(
        &mut self,
        report: Box<SaReport>,
        own_flow: bool,
        direction: Direction,
        limit: usize,
    ) -> bool {
        if self.held.len() >= limit {
            return false;
        }
        let held = HeldTransaction::of_report(report, own_flow, direction, self.next_id);
        self.held.push_back(Box::new(held));
        self.next_id += 1;
        true
    }

    /// How many transactions the flow has had.
    pub(super) fn count(&self) -> u64 {
        self.next_id
    }

    /// The transaction with this number.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut HeldTransaction> {
        let index = self.index_from(id);
        self.held.get_mut(index).filter(|held| held.id == id).map(Box::as_mut)
    }

    /// Lets go of the transaction with this number.
    pub(super) fn remove(&mut self, id: u64) {
        let index = self.index_from(id);
        if self.held.get(index).is_some_and(|held| held.id == id) {
            self.held.remove(index);
        }
    }

    /// The first transaction numbered `id` or above, and whether more follow.
    pub(super) fn first_from(&mut self, id: u64) -> Option<(&mut HeldTransaction, bool)> {
        let index = self.index_from(id);
        let more = index + 1 < self.held.len();
        self.held.get_mut(index).map(|held| (held.as_mut(), more))
    }

    fn index_from(&self, id: u64) -> usize {
        // Mostly there is none, with each packet of ESP.
        if self.held.is_empty() {
            return 0;
        }
        self.held.partition_point(|held| held.id < id)
    }
}
