//! Generates the bindings to Suricata's C interface.
//!
//! `SURICATA_INCLUDE_DIR` (one folder, or several joined by `:`) names the
//! headers of a built Suricata 8.0; without it the project's own header is
//! used, which declares just what the plugin needs.

use std::env;
use std::path::{Path, PathBuf};

const OWN_HEADER: &str = "src/sys/suricata.h";
const HOST_HEADERS: &str = "src/sys/host-headers.h";

/// The functions, types and constants to generate; `src/sys/suricata.h` declares each of them.
const FUNCTIONS: &str = "SCPluginRegisterAppLayer|GetProgramVersion\
    |AppLayerRegister(ProtocolDetection|Parser|ParserAlias)|AppLayerGetProtoByName|SCAppLayerParserRegisterLogger\
    |SCAppLayerProtoDetect(PMRegisterPatternCSwPP|PPRegister)|AppLayerProtoDetectReset|FlowCleanupAppLayer|SCAppLayerForceProtocolChange\
    |AppLayerDecoderEvents(SetEventRaw|FreeEvents)|DetectEngineStateFree|GenericVarFree\
    |FlowGet(SourcePort|DestinationPort|Flags|LastTimeAsParts|StorageById)\
    |Flow(GetPacketDirection|SetupPacket|UpdateState)\
    |Flow(StorageRegister|SetStorageById)|SCFlowRegisterUpdateCallback\
    |SCEveRegisterCallback|SCPacketSetTime|StatsRegisterGlobalCounter|ParseSizeStringU64|SCLogMessage|SCLogGetLogLevel|SCFatalErrorOnInitStatic|SCConfGet(Node|FirstNode|NextNode)\
    |SCDetectHelper(KeywordRegister|BufferRegister|BufferMpmRegister|MultiBufferMpmRegister)\
    |SCDetectBufferSetActiveList|SCDetectSignatureSetAppProto|SCSigMatchAppendSMToList\
    |DetectBuffer(GetFirstSigMatch|TypeRegisterSetupCallback)|DetectContentSetup|DetectGetLastSM|Sig(Alloc|Free)\
    |SCDetectU(8|16|32)(Parse|Match|Free)\
    |SCJb(SetFormatted|Len|Ptr)";
const TYPES: &str = "SCPlugin|SCAppLayerPlugin|AppLayer(TxConfig|TxData|StateData|Result|Parser)\
    |AppLayerGet(TxIterTuple|TxIterState|FileState)|AppLayer(EventType|DecoderEvents)|LoggerFlags|StreamSlice\
    |SCSigTableAppLiteElmt|FlowState|FlowStorageId|SCTime_t|SCConfNode|SCLogLevel|AppProto";

fn main() {
    println!("cargo:rerun-if-env-changed=SURICATA_INCLUDE_DIR");
    for header in [OWN_HEADER, HOST_HEADERS] {
        println!("cargo:rerun-if-changed={header}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // bindgen panics where libclang is missing; that is to be one line as well.
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(|| generate(&out));
    let _ = std::panic::take_hook();
    match result {
        Ok(Ok(())) => {}
        Ok(Err(error)) => println!("cargo::error=no bindings to Suricata: {error}"),
        Err(_) => println!(
            "cargo::error=no bindings to Suricata: libclang was not found; \
             scripts/prerequisites.sh installs it"
        ),
    }
}

/// Writes what the plugin is compiled from; and for the ABI test the bindings to the
/// project's own header, whichever these are.
fn generate(out: &Path) -> Result<(), String> {
    let includes = env::var("SURICATA_INCLUDE_DIR").unwrap_or_default();
    let own = bindings(OWN_HEADER, "")?.to_string();
    let (header, source) = match includes.as_str() {
        "" => (OWN_HEADER, own.clone()),
        _ => (HOST_HEADERS, bindings(HOST_HEADERS, &includes)?.to_string()),
    };
    println!("cargo:rustc-env=IKEV2_BINDINGS_HEADER={header}");
    let functions = weak_functions(&function_names(&source)?);
    let files = [("bindings.rs", source), ("own-bindings.rs", own), ("functions.rs", functions)];
    let write = |(name, text): &(&str, String)| std::fs::write(out.join(name), text);
    files.iter().try_for_each(write).map_err(|error| error.to_string())
}

/// The functions that the bindings declare, however their text is laid out.
fn function_names(bindings: &str) -> Result<Vec<String>, String> {
    let file = syn::parse_file(bindings).map_err(|error| format!("bindgen's output: {error}"))?;
    let blocks = file.items.iter().filter_map(|item| match item {
        syn::Item::ForeignMod(block) => Some(&block.items),
        _ => None,
    });
    let names = blocks.flatten().filter_map(|item| match item {
        syn::ForeignItem::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    });
    Some(names.collect()).filter(|names: &Vec<_>| !names.is_empty()).ok_or_else(|| {
        "bindgen's output declares no function: the header was not understood".to_owned()
    })
}

/// Makes the references to the host's functions weak and lists their names. The
/// loader refuses a library with an unknown name before any of its code runs;
/// with weak ones the plugin itself says what is wrong.
fn weak_functions(names: &[String]) -> String {
    let weak: String = names.iter().map(|name| format!("\".weak {name}\",\n")).collect();
    let list: String = names.iter().map(|name| format!("c\"{name}\",\n")).collect();
    format!(
        "core::arch::global_asm!({weak});\n\
         /// The functions of the host that the plugin uses.\n\
         pub(crate) const FUNCTIONS: &[&core::ffi::CStr] = &[{list}];\n"
    )
}

/// The bindings to what `header` declares, with the folders `includes` to find
/// what it includes.
fn bindings(header: &str, includes: &str) -> Result<bindgen::Bindings, String> {
    let mut builder = bindgen::Builder::default()
        .header(header)
        .allowlist_function(FUNCTIONS)
        .allowlist_type(TYPES)
        .opaque_type("Flow_|Packet_|ThreadVars_|Signature_|SigMatchCtx_|Detect.*Ctx_|SCTime_t")
        .constified_enum("SCLogLevel|AppLayerEventType|FlowState")
        .prepend_enum_name(false)
        .layout_tests(true)
        // The same text whether or not there is a rustfmt.
        .formatter(bindgen::Formatter::None)
        .use_core();
    for folder in includes.split(':').filter(|folder| !folder.is_empty()) {
        if !Path::new(folder).is_dir() {
            return Err(format!("SURICATA_INCLUDE_DIR: {folder} is not a folder"));
        }
        builder = builder.clang_arg(format!("-I{folder}"));
    }
    builder.generate().map_err(|error| error.to_string())
}
