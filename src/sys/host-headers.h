/*
 * The headers of a built Suricata 8.0 that declare what the plugin uses, for
 * SURICATA_INCLUDE_DIR. They replace suricata.h beside this file. In angle
 * brackets, as a quoted "suricata.h" would be the one beside this file.
 */
#include <suricata-common.h>
#include <suricata.h>
#include <suricata-plugin.h>
#include <app-layer.h>
#include <app-layer-detect-proto.h>
#include <app-layer-events.h>
#include <app-layer-parser.h>
#include <app-layer-register.h>
#include <conf.h>
#include <counters.h>
#include <detect.h>
#include <detect-content.h>
#include <detect-engine.h>
#include <detect-engine-buffer.h>
#include <detect-engine-helper.h>
#include <detect-engine-state.h>
#include <detect-parse.h>
#include <flow.h>
#include <flow-callbacks.h>
#include <flow-storage.h>
#include <output-eve.h>
#include <packet.h>
#include <rust.h>
#include <util-debug.h>
#include <util-misc.h>
#include <util-time.h>
#include <util-var.h>

/* What src/host/flow.rs reads of a flow without a function of the host. */
_Static_assert(offsetof(Flow, sp) == 32 && offsetof(Flow, dp) == 36, "its ports");
_Static_assert(offsetof(Flow, esp.spi) == 32 && sizeof(((Flow *)0)->esp.spi) == 4, "its SPI");
_Static_assert(offsetof(Flow, proto) == 38 && sizeof(((Flow *)0)->proto) == 1, "its protocol");
_Static_assert(offsetof(Flow, src) == 0 && sizeof(((Flow *)0)->src) == 16, "a flow's source");
_Static_assert(offsetof(Flow, dst) == 16 && sizeof(((Flow *)0)->dst) == 16, "its destination");
_Static_assert(FLOW_TO_SRC_SEEN == 1 << 0 && FLOW_TO_DST_SEEN == 1 << 1, "its directions");
_Static_assert(TOSERVER == 0 && TOCLIENT == 1, "the direction of a packet");
_Static_assert(FLOW_IPV4 == 1 << 20 && FLOW_IPV6 == 1 << 21 && FLOW_DIR_REVERSED == 1 << 26,
        "its flags");

/* What src/host/packet.rs reads and writes of a packet. */
_Static_assert(sizeof(((Packet *)0)->flags) == 4, "its flags");
_Static_assert(PKT_NOPAYLOAD_INSPECTION == 1 << 2 && PKT_HAS_FLOW == 1 << 8 &&
        PKT_WANTS_FLOW == 1 << 22, "its flags");

/* What src/host/layout.rs takes for granted of a flow and a packet. */
_Static_assert(sizeof(Flow) <= 8192 && sizeof(Packet) <= 8192, "their sizes");
_Static_assert(offsetof(Flow, alproto_ts) == offsetof(Flow, alproto) + sizeof(AppProto) &&
        offsetof(Flow, alproto_tc) == offsetof(Flow, alproto_ts) + sizeof(AppProto),
        "its protocol numbers");
