/*
 * What the plugin uses of Suricata 8.0's C interface, and nothing more.
 *
 * Used when SURICATA_INCLUDE_DIR is not set. A test compares every function
 * with the official `suricata-sys` bindings or with the headers of the
 * `suricata` crate, and the size, alignment and offsets of every structure, for
 * the first and the newest 8.0 release: a mistake here is a crash in the host,
 * not a message.
 */
#include <stdbool.h>
#include <stdint.h>

typedef uint16_t AppProto;

/* Structures of the host that the plugin only passes on. */
typedef struct AppLayerDecoderEvents_ AppLayerDecoderEvents;
typedef struct AppLayerParserState_ AppLayerParserState;
typedef struct DetectEngineCtx_ DetectEngineCtx;
typedef struct DetectEngineState_ DetectEngineState;
typedef struct DetectEngineThreadCtx_ DetectEngineThreadCtx;
typedef struct FileContainer FileContainer;
typedef struct Flow_ Flow;
typedef struct GenericVar_ GenericVar;
typedef struct Packet_ Packet;
typedef struct SCJsonBuilder SCJsonBuilder;
typedef struct SigMatchCtx_ SigMatchCtx;
typedef struct Signature_ Signature;
typedef struct StreamingBufferConfig StreamingBufferConfig;
typedef struct ThreadVars_ ThreadVars;
typedef struct DetectUintData_u8 DetectUintData_u8;
typedef struct DetectUintData_u16 DetectUintData_u16;
typedef struct DetectUintData_u32 DetectUintData_u32;

/* suricata-plugin.h */
typedef struct SCPlugin_ {
    uint64_t version;
    const char *suricata_version;
    const char *name;
    const char *plugin_version;
    const char *license;
    const char *author;
    void (*Init)(void);
} SCPlugin;

typedef struct SCAppLayerPlugin_ {
    const char *name;
    void (*Register)(void);
    void (*KeywordsRegister)(void);
    const char *logname;
    const char *confname;
    uint8_t dir;
    bool (*Logger)(const void *tx, void *jb);
} SCAppLayerPlugin;

int SCPluginRegisterAppLayer(SCAppLayerPlugin *);
const char *GetProgramVersion(void);

/* rust-bindings.h */
typedef struct AppLayerTxConfig {
    uint8_t log_flags;
} AppLayerTxConfig;

typedef struct LoggerFlags {
    uint32_t flags;
} LoggerFlags;

typedef struct AppLayerTxData {
    AppLayerTxConfig config;
    bool updated_tc;
    bool updated_ts;
    uint8_t flags;
    LoggerFlags logged;
    uint32_t files_opened;
    uint32_t files_logged;
    uint32_t files_stored;
    uint16_t file_flags;
    uint8_t file_tx;
    uint8_t guessed_applayer_logged;
    uint8_t detect_progress_ts;
    uint8_t detect_progress_tc;
    DetectEngineState *de_state;
    AppLayerDecoderEvents *events;
    GenericVar *txbits;
} AppLayerTxData;

typedef struct AppLayerStateData {
    uint16_t file_flags;
} AppLayerStateData;

typedef struct AppLayerResult {
    int32_t status;
    uint32_t consumed;
    uint32_t needed;
} AppLayerResult;

typedef struct StreamSlice {
    const uint8_t *input;
    uint32_t input_len;
    uint8_t flags;
    uint64_t offset;
} StreamSlice;

typedef struct AppLayerGetTxIterTuple {
    void *tx_ptr;
    uint64_t tx_id;
    bool has_next;
} AppLayerGetTxIterTuple;

typedef struct AppLayerGetFileState {
    FileContainer *fc;
    const StreamingBufferConfig *cfg;
} AppLayerGetFileState;

/* app-layer-events.h, app-layer-parser.h, app-layer-register.h */
struct AppLayerDecoderEvents_ {
    uint8_t *events;
    uint8_t cnt;
    uint8_t events_buffer_size;
    uint8_t event_last_logged;
};

typedef enum AppLayerEventType {
    APP_LAYER_EVENT_TYPE_TRANSACTION = 1,
    APP_LAYER_EVENT_TYPE_PACKET = 2,
} AppLayerEventType;

typedef struct AppLayerGetTxIterState {
    union {
        void *ptr;
        uint64_t u64;
    } un;
} AppLayerGetTxIterState;

typedef AppProto (*ProbingParserFPtr)(
        const Flow *f, uint8_t flags, const uint8_t *input, uint32_t input_len, uint8_t *rdir);
typedef AppLayerResult (*AppLayerParserFPtr)(Flow *f, void *protocol_state,
        AppLayerParserState *pstate, StreamSlice stream_slice, void *local_storage);

typedef struct AppLayerParser {
    const char *name;
    const char *default_port;
    uint8_t ip_proto;
    ProbingParserFPtr ProbeTS;
    ProbingParserFPtr ProbeTC;
    uint16_t min_depth;
    uint16_t max_depth;
    void *(*StateAlloc)(void *, AppProto);
    void (*StateFree)(void *);
    AppLayerParserFPtr ParseTS;
    AppLayerParserFPtr ParseTC;
    uint64_t (*StateGetTxCnt)(void *alstate);
    void *(*StateGetTx)(void *alstate, uint64_t tx_id);
    void (*StateTransactionFree)(void *, uint64_t);
    int complete_ts;
    int complete_tc;
    int (*StateGetProgress)(void *alstate, uint8_t direction);
    int (*StateGetEventInfo)(
            const char *event_name, uint8_t *event_id, AppLayerEventType *event_type);
    int (*StateGetEventInfoById)(
            uint8_t event_id, const char **event_name, AppLayerEventType *event_type);
    void *(*LocalStorageAlloc)(void);
    void (*LocalStorageFree)(void *);
    AppLayerGetFileState (*GetTxFiles)(void *, uint8_t);
    AppLayerGetTxIterTuple (*GetTxIterator)(const uint8_t ipproto, const AppProto alproto,
            void *alstate, uint64_t min_tx_id, uint64_t max_tx_id, AppLayerGetTxIterState *istate);
    AppLayerStateData *(*GetStateData)(void *state);
    AppLayerTxData *(*GetTxData)(void *tx);
    bool (*ApplyTxConfig)(void *state, void *tx, int mode, AppLayerTxConfig);
    uint32_t flags;
    int (*GetFrameIdByName)(const char *frame_name);
    const char *(*GetFrameNameById)(const uint8_t id);
    int (*GetStateIdByName)(const char *name, const uint8_t direction);
    const char *(*GetStateNameById)(const int id, const uint8_t direction);
} AppLayerParser;

AppProto AppLayerRegisterProtocolDetection(const AppLayerParser *parser, int enable_default);
int AppLayerRegisterParser(const AppLayerParser *p, AppProto alproto);
void SCAppLayerParserRegisterLogger(uint8_t ipproto, AppProto alproto);
int AppLayerRegisterParserAlias(const char *proto_name, const char *proto_alias);
AppProto AppLayerGetProtoByName(const char *alproto_name);
int SCAppLayerProtoDetectPMRegisterPatternCSwPP(uint8_t ipproto, AppProto alproto,
        const char *pattern, uint16_t depth, uint16_t offset, uint8_t direction,
        ProbingParserFPtr PPFunc, uint16_t pp_min_depth, uint16_t pp_max_depth);
void SCAppLayerProtoDetectPPRegister(uint8_t ipproto, const char *portstr, AppProto alproto,
        uint16_t min_depth, uint16_t max_depth, uint8_t direction, ProbingParserFPtr ProbingParser1,
        ProbingParserFPtr ProbingParser2);
void SCAppLayerForceProtocolChange(Flow *f, AppProto new_proto);
void AppLayerProtoDetectReset(Flow *);
void FlowCleanupAppLayer(Flow *);
void AppLayerDecoderEventsSetEventRaw(AppLayerDecoderEvents **sevents, uint8_t event);
void AppLayerDecoderEventsFreeEvents(AppLayerDecoderEvents **events);
void DetectEngineStateFree(DetectEngineState *state);
void GenericVarFree(GenericVar *);

/* flow.h, flow-storage.h, flow-callbacks.h */
typedef struct FlowStorageId {
    int id;
} FlowStorageId;

enum FlowState {
    FLOW_STATE_NEW = 0,
    FLOW_STATE_ESTABLISHED,
    FLOW_STATE_CLOSED,
    FLOW_STATE_LOCAL_BYPASSED,
};

void FlowUpdateState(Flow *f, const enum FlowState s);
int FlowGetPacketDirection(const Flow *, const Packet *);
void FlowSetupPacket(Packet *p);
uint16_t FlowGetSourcePort(Flow *flow);
uint16_t FlowGetDestinationPort(Flow *flow);
uint32_t FlowGetFlags(Flow *flow);
void FlowGetLastTimeAsParts(Flow *flow, uint64_t *secs, uint64_t *usecs);
FlowStorageId FlowStorageRegister(const char *name, const unsigned int size,
        void *(*Alloc)(unsigned int), void (*Free)(void *));
void *FlowGetStorageById(const Flow *h, FlowStorageId id);
int FlowSetStorageById(Flow *h, FlowStorageId id, void *ptr);
bool SCFlowRegisterUpdateCallback(
        void (*fn)(ThreadVars *tv, Flow *f, Packet *p, void *user), void *user);

/* output-eve.h */
bool SCEveRegisterCallback(void (*fn)(ThreadVars *tv, const Packet *p, Flow *f,
                                   SCJsonBuilder *jb, void *user), void *user);

/* util-time.h, packet.h */
typedef struct {
    uint64_t secs : 44;
    uint64_t usecs : 20;
} SCTime_t;

void SCPacketSetTime(Packet *p, SCTime_t ts);

/* util-misc.h */
int ParseSizeStringU64(const char *size, uint64_t *res);

/* counters.h */
uint16_t StatsRegisterGlobalCounter(const char *cname, uint64_t (*Func)(void));

/* conf.h, util-debug.h */
typedef enum {
    SC_LOG_NOTSET = -1,
    SC_LOG_NONE = 0,
    SC_LOG_ERROR,
    SC_LOG_WARNING,
    SC_LOG_NOTICE,
    SC_LOG_INFO,
    SC_LOG_PERF,
    SC_LOG_CONFIG,
    SC_LOG_DEBUG,
    SC_LOG_LEVEL_MAX
} SCLogLevel;

typedef struct SCConfNode_ {
    char *name;
    char *val;
    int is_seq;
    int final;
    struct SCConfNode_ *parent;
    struct {
        struct SCConfNode_ *tqh_first;
        struct SCConfNode_ **tqh_last;
    } head;
    struct {
        struct SCConfNode_ *tqe_next;
        struct SCConfNode_ **tqe_prev;
    } next;
} SCConfNode;

/* An enumeration there. */
typedef unsigned int SCError;
SCError SCLogMessage(const SCLogLevel, const char *file, const unsigned int line,
        const char *function, const char *module, const char *message);
SCLogLevel SCLogGetLogLevel(void);
void SCFatalErrorOnInitStatic(const char *);
SCConfNode *SCConfGetNode(const char *name);
SCConfNode *SCConfGetFirstNode(const SCConfNode *parent);
SCConfNode *SCConfGetNextNode(const SCConfNode *node);

/* detect-engine-helper.h, detect-engine-buffer.h, detect-parse.h */
typedef bool (*InspectionMultiBufferGetDataPtr)(DetectEngineThreadCtx *det_ctx, const void *txv,
        const uint8_t flow_flags, uint32_t local_id, const uint8_t **buf, uint32_t *buf_len);
typedef bool (*InspectionSingleBufferGetDataPtr)(
        const void *txv, const uint8_t flow_flags, const uint8_t **buf, uint32_t *buf_len);

typedef struct SCSigTableAppLiteElmt {
    const char *name;
    const char *desc;
    const char *url;
    uint16_t flags;
    int (*Setup)(DetectEngineCtx *, Signature *, const char *);
    void (*Free)(DetectEngineCtx *, void *);
    int (*AppLayerTxMatch)(DetectEngineThreadCtx *, Flow *, uint8_t flags, void *alstate,
            void *txv, const Signature *, const SigMatchCtx *);
} SCSigTableAppLiteElmt;

uint16_t SCDetectHelperKeywordRegister(const SCSigTableAppLiteElmt *kw);
int SCDetectHelperBufferRegister(const char *name, AppProto alproto, uint8_t direction);
int SCDetectHelperBufferMpmRegister(const char *name, const char *desc, AppProto alproto,
        uint8_t direction, InspectionSingleBufferGetDataPtr GetData);
int SCDetectHelperMultiBufferMpmRegister(const char *name, const char *desc, AppProto alproto,
        uint8_t direction, InspectionMultiBufferGetDataPtr GetData);
int SCDetectBufferSetActiveList(DetectEngineCtx *de_ctx, Signature *s, const int list);
int SCDetectSignatureSetAppProto(Signature *s, AppProto alproto);

/* detect.h */
typedef struct SigMatch_ {
    uint16_t type;
    uint16_t idx;
    SigMatchCtx *ctx;
    struct SigMatch_ *next;
    struct SigMatch_ *prev;
} SigMatch;

SigMatch *SCSigMatchAppendSMToList(
        DetectEngineCtx *, Signature *, uint16_t, SigMatchCtx *, const int);
SigMatch *DetectBufferGetFirstSigMatch(const Signature *s, const uint32_t buf_id);
SigMatch *DetectGetLastSM(const Signature *);
Signature *SigAlloc(void);
void SigFree(DetectEngineCtx *de_ctx, Signature *s);

/* detect-content.h, detect-engine.h */
int DetectContentSetup(DetectEngineCtx *de_ctx, Signature *s, const char *contentstr);
void DetectBufferTypeRegisterSetupCallback(
        const char *name, void (*Callback)(const DetectEngineCtx *, Signature *));

/* rust-bindings.h: the integer syntax of rules */
DetectUintData_u8 *SCDetectU8Parse(const char *ustr);
int SCDetectU8Match(uint8_t arg, const DetectUintData_u8 *ctx);
void SCDetectU8Free(DetectUintData_u8 *ctx);
DetectUintData_u16 *SCDetectU16Parse(const char *ustr);
int SCDetectU16Match(uint16_t arg, const DetectUintData_u16 *ctx);
void SCDetectU16Free(DetectUintData_u16 *ctx);
DetectUintData_u32 *SCDetectU32Parse(const char *ustr);
int SCDetectU32Match(uint32_t arg, const DetectUintData_u32 *ctx);
void SCDetectU32Free(DetectUintData_u32 *ctx);

/* rust-bindings.h: the JSON builder */
bool SCJbSetFormatted(SCJsonBuilder *js, const char *formatted);
uintptr_t SCJbLen(const SCJsonBuilder *js);
const uint8_t *SCJbPtr(SCJsonBuilder *js);
