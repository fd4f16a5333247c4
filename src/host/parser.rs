//! The parser's callbacks: datagrams, transactions, events.

use core::ffi::{c_char, c_int, c_void, CStr};
use core::ptr;

use lazy_static::lazy_static;

use super::flow::Flow;
use super::guard::guard;
use super::host_static::HostStatic;
use super::settings::{self, EncryptionHandling, Mode};
use super::state::{FlowState, FlowTransactions, HeldTransaction};
use super::{
    bypass, decryption, detection, flow_records, job, late_detection, packet, protocol, tracking,
};
use crate::message::{Direction, Event};
use crate::pipeline::{Engines, FlowContext, Packet, Transactions};
use crate::sa::{Endpoint, SaReport};
use crate::sys;

/// A name that nothing else uses, on the way from one alias to the other.
const PRIVATE_NAME: &CStr = c"ikev2-plugin";

/// What a message is at its end: a transaction is complete when it is made.
const COMPLETE: c_int = 1;

static PARSER: HostStatic<sys::AppLayerParser> = HostStatic(sys::AppLayerParser {
    name: protocol::NAME.as_ptr(),
    default_port: detection::PORTS.as_ptr(),
    ip_proto: protocol::UDP,
    ProbeTS: Some(detection::probe_port),
    ProbeTC: Some(detection::probe_port),
    min_depth: 0,
    max_depth: 0,
    StateAlloc: Some(state_new),
    StateFree: Some(state_free),
    ParseTS: Some(parse_to_server),
    ParseTC: Some(parse_to_client),
    StateGetTxCnt: Some(get_tx_count),
    StateGetTx: Some(get_tx),
    StateTransactionFree: Some(tx_free),
    complete_ts: COMPLETE,
    complete_tc: COMPLETE,
    StateGetProgress: Some(get_progress),
    StateGetEventInfo: Some(get_event_info),
    StateGetEventInfoById: Some(get_event_info_by_id),
    LocalStorageAlloc: Some(thread_start),
    LocalStorageFree: Some(thread_end),
    GetTxFiles: None,
    GetTxIterator: Some(get_tx_iterator),
    GetStateData: Some(get_state_data),
    GetTxData: Some(get_tx_data),
    ApplyTxConfig: None,
    flags: 0,
    GetFrameIdByName: None,
    GetFrameNameById: None,
    GetStateIdByName: None,
    GetStateNameById: None,
});

/// First of two steps that win the name `ikev2` from the built-in parser `ike`,
/// which registers it as an alias of itself. Aliases are replaced in the order
/// of their registration, in one pass: `ikev2` becomes a private name before the
/// built-in's alias is reached, and [`register`] turns that name back.
pub(super) fn prepare_name() {
    // SAFETY: both names are static; the host keeps the pointers.
    unsafe { sys::AppLayerRegisterParserAlias(PRIVATE_NAME.as_ptr(), protocol::NAME.as_ptr()) };
}

/// Registers detection and, unless only detection is on, the parser. Always true; a panic
/// is not.
pub(super) fn register() -> bool {
    // SAFETY: the structure is static and complete.
    let number = unsafe { sys::AppLayerRegisterProtocolDetection(&PARSER.0, 1) };
    protocol::set_number(number);
    detection::register(number);
    if settings::get().mode == Mode::On {
        // SAFETY: as above; the number is the one that the host gave.
        unsafe {
            sys::AppLayerRegisterParser(&PARSER.0, number);
            // Without it transactions are logged only where another logger asks for
            // every protocol's.
            sys::SCAppLayerParserRegisterLogger(protocol::UDP, number);
        }
    }
    // SAFETY: both names are static.
    unsafe { sys::AppLayerRegisterParserAlias(protocol::NAME.as_ptr(), PRIVATE_NAME.as_ptr()) };
    true
}

/// Why the protocol is not there as rules want it, with what to do; none if it is. If the
/// name went to the built-in parser, rules for `ikev2` would silently be rules for `ike`.
pub(super) fn obstacle() -> Option<String> {
    // SAFETY: the name is static.
    let resolved = unsafe { sys::AppLayerGetProtoByName(protocol::NAME.as_ptr()) };
    if protocol::number() == protocol::UNKNOWN {
        return Some(
            "Suricata has registered no parser for ikev2: nothing is decoded and no rule for \
             ikev2 matches"
                .to_owned(),
        );
    }
    (resolved != protocol::number()).then(|| {
        "the name ikev2 belongs to another parser, so that rules for ikev2 do not reach the \
         plugin: name the plugin once below \"plugins\", and set \
         app-layer.protocols.ike.enabled to no"
            .to_owned()
    })
}

/// A packet thread starts. Nothing is kept for it; this is the one place where the
/// host calls a parser after its counters can be registered and it has become a daemon,
/// and before packets.
unsafe extern "C" fn thread_start() -> *mut c_void {
    guard((), job::thread_starts);
    ptr::from_ref(&PARSER).cast_mut().cast()
}

unsafe extern "C" fn thread_end(_storage: *mut c_void) {
    guard((), job::thread_ends);
}

unsafe extern "C" fn state_new(_previous: *mut c_void, _protocol: sys::AppProto) -> *mut c_void {
    guard(ptr::null_mut(), || Box::into_raw(Box::new(FlowState::new())).cast())
}

unsafe extern "C" fn state_free(state: *mut c_void) {
    guard((), || {
        if !state.is_null() {
            // SAFETY: made by `state_new`, freed once.
            let state = unsafe { Box::from_raw(state.cast::<FlowState>()) };
            if let Some(mut context) = state.context {
                context.finish(&ENGINES);
            }
        }
    });
}

/// Gives a callback the flow's state; null only if the host misbehaves.
///
/// # Safety
/// `state` is null or a pointer of `state_new` that nobody else uses during the call.
unsafe fn state<'a>(state: *mut c_void) -> Option<&'a mut FlowState> {
    // SAFETY: see the function's contract.
    unsafe { state.cast::<FlowState>().as_mut() }
}

/// As [`guard`], for a callback with the flow's state: after a panic nothing more is
/// parsed in the flow.
///
/// # Safety
/// As [`state`].
unsafe fn guard_flow<T, W: FnOnce(&mut FlowState) -> T>(
    alstate: *mut c_void,
    on_panic: T,
    work: W,
) -> T {
    // SAFETY: see the function's contract.
    let Some(state) = (unsafe { state(alstate) }) else { return on_panic };
    let result = guard(None, || {
        #[cfg(feature = "fault-injection")]
        super::fault::strike::<W>();
        Some(work(state))
    });
    result.unwrap_or_else(|| {
        state.given_up = true;
        on_panic
    })
}

const OK: sys::AppLayerResult = sys::AppLayerResult { status: 0, consumed: 0, needed: 0 };

/// The host ends parsing of the flow. Malformed input is an event and never this.
const GIVE_UP: sys::AppLayerResult = sys::AppLayerResult { status: -1, consumed: 0, needed: 0 };

unsafe extern "C" fn parse_to_server(
    flow: *mut sys::Flow,
    alstate: *mut c_void,
    _parser: *mut sys::AppLayerParserState,
    slice: sys::StreamSlice,
    _local: *mut c_void,
) -> sys::AppLayerResult {
    // SAFETY: the host's pointers, valid for the call.
    guard(GIVE_UP, || unsafe { parse(flow, alstate, &slice, Direction::ToServer) })
}

unsafe extern "C" fn parse_to_client(
    flow: *mut sys::Flow,
    alstate: *mut c_void,
    _parser: *mut sys::AppLayerParserState,
    slice: sys::StreamSlice,
    _local: *mut c_void,
) -> sys::AppLayerResult {
    // SAFETY: the host's pointers, valid for the call.
    guard(GIVE_UP, || unsafe { parse(flow, alstate, &slice, Direction::ToClient) })
}

/// # Safety
/// The pointers are those of the host's call to a parse callback.
unsafe fn parse(
    flow: *mut sys::Flow,
    alstate: *mut c_void,
    slice: &sys::StreamSlice,
    direction: Direction,
) -> sys::AppLayerResult {
    // SAFETY: see the function's contract; the flow's lock is held.
    let Some(state) = (unsafe { state(alstate) }) else { return GIVE_UP };
    if state.given_up {
        return GIVE_UP;
    }
    // SAFETY: see the function's contract; the flow's lock is held, and the slice describes
    // the packet's payload, valid for the call.
    let (flow, data) = unsafe { detection::flow_and_payload(flow, slice.input, slice.input_len) };
    take_in(state, flow, direction, data);
    OK
}

/// Handles a datagram. Most datagrams are ESP, so nothing is done or copied that only messages
/// need.
fn take_in(state: &mut FlowState, flow: Flow, direction: Direction, data: &[u8]) {
    let context = state.context.get_or_insert_with(|| {
        let (client, server) = flow.ports();
        FlowContext::between(client, server)
    });
    if state.bypass.is_some() {
        bypass::take_back(flow, context);
    }
    let packet = FlowPacket { flow, direction };
    let transactions = context.on_datagram(&ENGINES, &packet, data);
    if let Some(alive) = &state.bypass {
        bypass::lend(flow, context, alive);
    }
    if let Some(transactions) = transactions {
        keep(state, &packet, transactions);
    }
}

/// Keeps the transactions of a datagram until Suricata lets go of them.
fn keep(state: &mut FlowState, packet: &FlowPacket, transactions: Transactions) {
    let flow = packet.flow;
    if transactions.is_first {
        late_detection::on_first_message(flow);
    }
    // This is not one iterator, because each step of an iterator would copy the transaction,
    // which is large.
    let max_tx = settings::get().max_tx;
    let held = &mut state.transactions;
    // Suricata may add a message to an alert only if it is the last one. So reports of other
    // SAs come first.
    for report in transactions.ended {
        push_report(held, report, packet, max_tx);
    }
    for late in transactions.late {
        held.push(late, max_tx);
    }
    if let Some(own) = transactions.own {
        flow_records::note(flow, &own);
        held.push(own, max_tx);
    }
    if let Some(report) = transactions.report {
        push_report(held, report, packet, max_tx);
    }
}

/// Keeps the record of an SA, or counts that it could not be written.
fn push_report(
    held: &mut FlowTransactions,
    report: Box<SaReport>,
    packet: &FlowPacket,
    max_tx: usize,
) {
    let ends = report.view.initiator.zip(report.view.responder);
    let of_packet = packet.endpoints();
    let own_flow = ends.is_some_and(|(initiator, responder)| {
        of_packet == Some((initiator, responder)) || of_packet == Some((responder, initiator))
    });
    if !held.push_report(report, own_flow, packet.direction, max_tx) {
        tracking::count_lost_report();
    }
}

lazy_static! {
    /// The parts that the settings ask for. They are joined once, because each packet needs them.
    static ref ENGINES: Engines<'static> = Engines {
        policy: settings::get().policy,
        sa_table: tracking::table(),
        decryptor: decryption::decryptor(),
    };
}

/// The parts that the settings ask for.
pub(super) fn engines() -> &'static Engines<'static> {
    &ENGINES
}

/// The current packet. Suricata is asked only for what a datagram needs.
struct FlowPacket {
    flow: Flow,
    direction: Direction,
}

impl Packet for FlowPacket {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn endpoints(&self) -> Option<(Endpoint, Endpoint)> {
        self.flow.endpoints(self.direction)
    }

    fn time(&self) -> u64 {
        self.flow.time()
    }

    fn on_esp(&self, is_answered: bool) {
        let handling = settings::get().encryption_handling;
        if handling != EncryptionHandling::Full && bypass::may_skip(self.flow, is_answered) {
            // SAFETY: the flow is the one of the packet that Suricata has the parser look at.
            unsafe { packet::skip_payload_inspection(self.flow.as_ptr()) };
        }
    }
}

unsafe extern "C" fn get_tx_count(alstate: *mut c_void) -> u64 {
    // SAFETY: the flow's state; the flow's lock is held.
    unsafe { guard_flow(alstate, 0, |state| state.transactions.count()) }
}

fn pointer(held: &mut HeldTransaction) -> *mut c_void {
    ptr::from_mut(held).cast()
}

unsafe extern "C" fn get_tx(alstate: *mut c_void, id: u64) -> *mut c_void {
    let get =
        |state: &mut FlowState| state.transactions.get_mut(id).map_or(ptr::null_mut(), pointer);
    // SAFETY: as in `get_tx_count`.
    unsafe { guard_flow(alstate, ptr::null_mut(), get) }
}

unsafe extern "C" fn tx_free(alstate: *mut c_void, id: u64) {
    // SAFETY: as in `get_tx_count`.
    unsafe { guard_flow(alstate, (), |state| state.transactions.remove(id)) }
}

const NO_MORE: sys::AppLayerGetTxIterTuple =
    sys::AppLayerGetTxIterTuple { tx_ptr: ptr::null_mut(), tx_id: 0, has_next: false };

/// Ids only grow and are found by binary search, so the host's iterator state is
/// not needed.
unsafe extern "C" fn get_tx_iterator(
    _ip_proto: u8,
    _protocol: sys::AppProto,
    alstate: *mut c_void,
    min_tx_id: u64,
    _max_tx_id: u64,
    iterator: *mut sys::AppLayerGetTxIterState,
) -> sys::AppLayerGetTxIterTuple {
    let next = |state: &mut FlowState| {
        // SAFETY: the host passes a zeroed iterator at first and keeps it between
        // calls; the number is the union's larger member.
        let Some(next) = (unsafe { iterator.as_mut().map(|iterator| &mut iterator.un.u64_) })
        else {
            return NO_MORE;
        };
        let first = state.transactions.first_from(min_tx_id.max(*next));
        let Some((held, more)) = first else { return NO_MORE };
        *next = held.id + 1;
        let tx_id = held.id;
        sys::AppLayerGetTxIterTuple { tx_ptr: pointer(held), tx_id, has_next: more }
    };
    // SAFETY: as in `get_tx_count`.
    unsafe { guard_flow(alstate, NO_MORE, next) }
}

unsafe extern "C" fn get_progress(_tx: *mut c_void, _direction: u8) -> c_int {
    COMPLETE
}

unsafe extern "C" fn get_state_data(alstate: *mut c_void) -> *mut sys::AppLayerStateData {
    // SAFETY: as in `get_tx_count`.
    unsafe { guard_flow(alstate, ptr::null_mut(), |state| ptr::from_mut(&mut state.data)) }
}

unsafe extern "C" fn get_tx_data(tx: *mut c_void) -> *mut sys::AppLayerTxData {
    // SAFETY: a pointer that `get_tx` or the iterator returned, in the host's hands.
    let held = unsafe { tx.cast::<HeldTransaction>().as_mut() };
    held.map_or(ptr::null_mut(), |held| &mut held.data)
}

unsafe extern "C" fn get_event_info(
    name: *const c_char,
    id: *mut u8,
    kind: *mut sys::AppLayerEventType,
) -> c_int {
    guard(-1, || {
        if name.is_null() {
            return -1;
        }
        // SAFETY: the host passes a zero-terminated string.
        let name = unsafe { CStr::from_ptr(name) };
        let Some(event) = Event::ALL.iter().find(|event| event.name() == name) else { return -1 };
        // SAFETY: both are valid for writing.
        unsafe {
            *id = *event as u8;
            *kind = sys::APP_LAYER_EVENT_TYPE_TRANSACTION;
        }
        0
    })
}

unsafe extern "C" fn get_event_info_by_id(
    id: u8,
    name: *mut *const c_char,
    kind: *mut sys::AppLayerEventType,
) -> c_int {
    guard(-1, || {
        let Some(event) = Event::ALL.get(usize::from(id)) else { return -1 };
        // SAFETY: both are valid for writing; names are static.
        unsafe {
            *name = event.name().as_ptr();
            *kind = sys::APP_LAYER_EVENT_TYPE_TRANSACTION;
        }
        0
    })
}
