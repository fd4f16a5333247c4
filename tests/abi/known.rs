//! What no comparison can find out: names that differ between C and the crate's
//! Rust, and declarations that only C headers have.

use crate::compare::Exception;

/// The fields of `AppLayerParser` that the crate's `RustParser` calls otherwise.
/// Spelled out, as two fields of one type in the wrong order differ in nothing else.
pub(crate) const RENAMED: [(&str, &str); 26] = [
    ("AppLayerParser.ip_proto", "ipproto"),
    ("AppLayerParser.ProbeTS", "probe_ts"),
    ("AppLayerParser.ProbeTC", "probe_tc"),
    ("AppLayerParser.StateAlloc", "state_new"),
    ("AppLayerParser.StateFree", "state_free"),
    ("AppLayerParser.ParseTS", "parse_ts"),
    ("AppLayerParser.ParseTC", "parse_tc"),
    ("AppLayerParser.StateGetTxCnt", "get_tx_count"),
    ("AppLayerParser.StateGetTx", "get_tx"),
    ("AppLayerParser.StateTransactionFree", "tx_free"),
    ("AppLayerParser.complete_ts", "tx_comp_st_ts"),
    ("AppLayerParser.complete_tc", "tx_comp_st_tc"),
    ("AppLayerParser.StateGetProgress", "tx_get_progress"),
    ("AppLayerParser.StateGetEventInfo", "get_eventinfo"),
    ("AppLayerParser.StateGetEventInfoById", "get_eventinfo_byid"),
    ("AppLayerParser.LocalStorageAlloc", "localstorage_new"),
    ("AppLayerParser.LocalStorageFree", "localstorage_free"),
    ("AppLayerParser.GetTxFiles", "get_tx_files"),
    ("AppLayerParser.GetTxIterator", "get_tx_iterator"),
    ("AppLayerParser.GetStateData", "get_state_data"),
    ("AppLayerParser.GetTxData", "get_tx_data"),
    ("AppLayerParser.ApplyTxConfig", "apply_tx_config"),
    ("AppLayerParser.GetFrameIdByName", "get_frame_id_by_name"),
    ("AppLayerParser.GetFrameNameById", "get_frame_name_by_id"),
    ("AppLayerParser.GetStateIdByName", "get_state_id_by_name"),
    ("AppLayerParser.GetStateNameById", "get_state_name_by_id"),
];

/// Where the crate declares otherwise than the C headers, which are right: they
/// are what the binary is compiled from.
pub(crate) const EXCEPTIONS: [Exception; 4] = [
    // The caller takes no notice of what the alias registration returns.
    Exception {
        what: "AppLayerRegisterParserAlias",
        ours: r#"Option<unsafe extern "C" fn(*const c_char, *const c_char) -> i32>"#,
        theirs: r#"Option<unsafe extern "C" fn(*const c_char, *const c_char)>"#,
    },
    // An enumeration that the crate takes for an int.
    Exception {
        what: "SCLogMessage",
        ours: r#"Option<unsafe extern "C" fn(i32, *const c_char, u32, *const c_char, *const c_char, *const c_char) -> u32>"#,
        theirs: r#"Option<unsafe extern "C" fn(i32, *const c_char, u32, *const c_char, *const c_char, *const c_char) -> i32>"#,
    },
    // The crate uses one member of the union that the state is.
    Exception {
        what: "AppLayerParser.GetTxIterator",
        ours: r#"Option<unsafe extern "C" fn(u8, u16, *mut c_void, u64, u64, *mut AppLayerGetTxIterState) -> AppLayerGetTxIterTuple>"#,
        theirs: r#"Option<unsafe extern "C" fn(u8, u16, *mut c_void, u64, u64, *mut u64) -> AppLayerGetTxIterTuple>"#,
    },
    // Suricata's C calls it as a function that returns a bool.
    Exception {
        what: "AppLayerParser.ApplyTxConfig",
        ours: r#"Option<unsafe extern "C" fn(*mut c_void, *mut c_void, i32, AppLayerTxConfig) -> bool>"#,
        theirs: r#"Option<unsafe extern "C" fn(*mut c_void, *mut c_void, i32, AppLayerTxConfig)>"#,
    },
];

/// A function that only C headers declare.
pub(crate) struct HeaderFunction {
    /// Its name.
    pub(crate) name: &'static str,
    /// The header.
    pub(crate) header: &'static str,
    /// Its type, read in that header on the branch of 8.0.
    pub(crate) spelled: &'static str,
}

/// The functions that neither `suricata-sys` nor `suricata` declares.
pub(crate) const HEADER_FUNCTIONS: [HeaderFunction; 21] = [
    HeaderFunction {
        name: "FlowUpdateState",
        header: "flow.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Flow, u32)>"#,
    },
    HeaderFunction {
        name: "FlowGetPacketDirection",
        header: "flow.h",
        spelled: r#"Option<unsafe extern "C" fn(*const Flow, *const Packet) -> i32>"#,
    },
    HeaderFunction {
        name: "FlowSetupPacket",
        header: "flow.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Packet)>"#,
    },
    HeaderFunction {
        name: "AppLayerGetProtoByName",
        header: "app-layer.h",
        spelled: r#"Option<unsafe extern "C" fn(*const c_char) -> u16>"#,
    },
    HeaderFunction {
        name: "AppLayerProtoDetectReset",
        header: "app-layer-detect-proto.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Flow)>"#,
    },
    HeaderFunction {
        name: "FlowCleanupAppLayer",
        header: "flow.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Flow)>"#,
    },
    HeaderFunction {
        name: "SCPacketSetTime",
        header: "packet.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Packet, SCTime_t)>"#,
    },
    HeaderFunction {
        name: "ParseSizeStringU64",
        header: "util-misc.h",
        spelled: r#"Option<unsafe extern "C" fn(*const c_char, *mut u64) -> i32>"#,
    },
    HeaderFunction {
        name: "StatsRegisterGlobalCounter",
        header: "counters.h",
        spelled: r#"Option<unsafe extern "C" fn(*const c_char, Option<unsafe extern "C" fn() -> u64>) -> u16>"#,
    },
    HeaderFunction {
        name: "FlowGetStorageById",
        header: "flow-storage.h",
        spelled: r#"Option<unsafe extern "C" fn(*const Flow, FlowStorageId) -> *mut c_void>"#,
    },
    HeaderFunction {
        name: "FlowSetStorageById",
        header: "flow-storage.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut Flow, FlowStorageId, *mut c_void) -> i32>"#,
    },
    HeaderFunction {
        name: "FlowStorageRegister",
        header: "flow-storage.h",
        spelled: r#"Option<unsafe extern "C" fn(*const c_char, u32, Option<unsafe extern "C" fn(u32) -> *mut c_void>, Option<unsafe extern "C" fn(*mut c_void)>) -> FlowStorageId>"#,
    },
    HeaderFunction {
        name: "GetProgramVersion",
        header: "suricata.h",
        spelled: r#"Option<unsafe extern "C" fn() -> *const c_char>"#,
    },
    HeaderFunction {
        name: "SCEveRegisterCallback",
        header: "output-eve.h",
        spelled: r#"Option<unsafe extern "C" fn(Option<unsafe extern "C" fn(*mut ThreadVars, *const Packet, *mut Flow, *mut SCJsonBuilder, *mut c_void)>, *mut c_void) -> bool>"#,
    },
    HeaderFunction {
        name: "SCFlowRegisterUpdateCallback",
        header: "flow-callbacks.h",
        spelled: r#"Option<unsafe extern "C" fn(Option<unsafe extern "C" fn(*mut ThreadVars, *mut Flow, *mut Packet, *mut c_void)>, *mut c_void) -> bool>"#,
    },
    HeaderFunction {
        name: "DetectBufferGetFirstSigMatch",
        header: "detect-engine-buffer.h",
        spelled: r#"Option<unsafe extern "C" fn(*const Signature, u32) -> *mut SigMatch>"#,
    },
    HeaderFunction {
        name: "DetectBufferTypeRegisterSetupCallback",
        header: "detect-engine.h",
        spelled: r#"Option<unsafe extern "C" fn(*const c_char, Option<unsafe extern "C" fn(*const DetectEngineCtx, *mut Signature)>)>"#,
    },
    HeaderFunction {
        name: "DetectContentSetup",
        header: "detect-content.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut DetectEngineCtx, *mut Signature, *const c_char) -> i32>"#,
    },
    HeaderFunction {
        name: "DetectGetLastSM",
        header: "detect-parse.h",
        spelled: r#"Option<unsafe extern "C" fn(*const Signature) -> *mut SigMatch>"#,
    },
    HeaderFunction {
        name: "SigAlloc",
        header: "detect-parse.h",
        spelled: r#"Option<unsafe extern "C" fn() -> *mut Signature>"#,
    },
    HeaderFunction {
        name: "SigFree",
        header: "detect-parse.h",
        spelled: r#"Option<unsafe extern "C" fn(*mut DetectEngineCtx, *mut Signature)>"#,
    },
];

/// The constants that only C headers have, with their values in `flow.h` of 8.0.
pub(crate) const HEADER_CONSTANTS: [(&str, i64); 4] = [
    ("FLOW_STATE_NEW", 0),
    ("FLOW_STATE_ESTABLISHED", 1),
    ("FLOW_STATE_CLOSED", 2),
    ("FLOW_STATE_LOCAL_BYPASSED", 3),
];

/// A record that only C headers have.
pub(crate) struct HeaderRecord {
    /// Its name.
    pub(crate) name: &'static str,
    /// The header.
    pub(crate) header: &'static str,
    /// The names and types of its fields, read in that header on the branch of 8.0.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// Its size and alignment where pointers have 64 bits.
    pub(crate) size_and_align: (usize, usize),
}

/// The records that neither crate has.
pub(crate) const HEADER_RECORDS: [HeaderRecord; 5] = [
    HeaderRecord {
        name: "AppLayerDecoderEvents",
        header: "app-layer-events.h",
        fields: &[
            ("events", "*mut u8"),
            ("cnt", "u8"),
            ("events_buffer_size", "u8"),
            ("event_last_logged", "u8"),
        ],
        size_and_align: (16, 8),
    },
    HeaderRecord {
        name: "AppLayerGetTxIterState",
        header: "app-layer-parser.h",
        fields: &[("un", "AppLayerGetTxIterState__bindgen_ty_1")],
        size_and_align: (8, 8),
    },
    HeaderRecord {
        name: "AppLayerGetTxIterState__bindgen_ty_1",
        header: "app-layer-parser.h",
        fields: &[("ptr", "*mut c_void"), ("u64_", "u64")],
        size_and_align: (8, 8),
    },
    HeaderRecord {
        name: "FlowStorageId",
        header: "flow-storage.h",
        fields: &[("id", "i32")],
        size_and_align: (4, 4),
    },
    HeaderRecord {
        name: "SigMatch",
        header: "detect.h",
        fields: &[
            ("type_", "u16"),
            ("idx", "u16"),
            ("ctx", "*mut SigMatchCtx"),
            ("next", "*mut SigMatch"),
            ("prev", "*mut SigMatch"),
        ],
        size_and_align: (32, 8),
    },
];

/// Constants that the plugin's own source repeats, as they are macros in C: the
/// file, the name there and the official name.
pub(crate) const REPEATED_CONSTANTS: [(&str, &str, &str); 9] = [
    ("src/host/protocol.rs", "TO_SERVER", "STREAM_TOSERVER"),
    ("src/host/protocol.rs", "TO_CLIENT", "STREAM_TOCLIENT"),
    ("src/host/compat.rs", "API_VERSION", "SC_API_VERSION"),
    ("src/host/start.rs", "LOG_PACKET_DIRECTION", "LOG_DIR_PACKET"),
    ("src/host/state.rs", "SKIP_INSPECT_TO_SERVER", "APP_LAYER_TX_SKIP_INSPECT_TS"),
    ("src/host/state.rs", "SKIP_INSPECT_TO_CLIENT", "APP_LAYER_TX_SKIP_INSPECT_TC"),
    ("src/host/keyword/mod.rs", "NO_OPTION", "SIGMATCH_NOOPT"),
    ("src/host/keyword/mod.rs", "OPTIONAL_OPTION", "SIGMATCH_OPTIONAL_OPT"),
    ("src/host/keyword/mod.rs", "STICKY_BUFFER", "SIGMATCH_INFO_STICKY_BUFFER"),
];

/// The records of the crate's source that hide no field from other crates.
pub(crate) const PUBLIC_RECORDS: [&str; 4] =
    ["AppLayerGetFileState", "AppLayerParser", "AppLayerResult", "AppLayerStateData"];
