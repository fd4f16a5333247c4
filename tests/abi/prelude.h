/*
 * What the crate's rust-bindings.h takes from other headers of Suricata. It has
 * no more than pointers to all but the first two.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t AppProto;
typedef int32_t SCLogLevel;

typedef struct AppLayerDecoderEvents_ AppLayerDecoderEvents;
typedef struct DetectEngineState_ DetectEngineState;
typedef struct DetectEngineThreadCtx_ DetectEngineThreadCtx;
typedef struct FileContainer_ FileContainer;
typedef struct Flow_ Flow;
typedef struct GenericVar_ GenericVar;
typedef struct HttpRangeContainerBlock HttpRangeContainerBlock;
typedef struct IKEState IKEState;
typedef struct IKETransaction IKETransaction;
typedef struct SCConfNode_ SCConfNode;
typedef struct StreamingBufferConfig_ StreamingBufferConfig;
typedef struct SuricataContext SuricataContext;
typedef struct SuricataFileContext SuricataFileContext;
typedef struct TFTPState TFTPState;
typedef struct TFTPTransaction TFTPTransaction;
typedef struct lua_State lua_State;
