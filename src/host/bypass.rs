//! `encryption-handling: bypass`: Suricata skips the ESP packets of a flow.
//!
//! A flow is bypassed with the state that Suricata itself has for this (`FLOW_STATE_LOCAL_BYPASSED`).
//! Suricata counts the packets of such a flow and does nothing else with them, and it never ends
//! that state. So the plugin does: it looks at each packet of the flow before Suricata asks for the
//! state, and ends the state for every datagram that is not ESP of the last SPI in its direction.
//! This datagram then goes the usual way.
//!
//! ```text
//! parser: a message, or ESP of a new SPI     parser: lend_esp → kept beside the flow
//! callback: ESP of the last SPI              counted, bypassed
//! callback: anything else                    awake again; parser: take_esp_back, and as above
//! ```
//!
//! The plugin sees such a packet only in Suricata's callback for updates, which passes no payload. See
//! [`CurrentPacket::checked_payload`] for how it is found. A flow is not bypassed before its place is
//! certain, and is awake again when it is not.
//!
//! The flow's lock is held in all functions here.

use std::sync::Arc;

use super::flow::Flow;
use super::packet::CurrentPacket;
use super::settings::{self, EncryptionHandling};
use super::{late_detection, parser};
use crate::pipeline::{FlowContext, LentEsp};

/// What is kept beside a flow whose ESP packets may be bypassed.
#[derive(Debug)]
pub(super) struct Bypass {
    esp: LentEsp,
    /// The parser's state of the flow has the other one. Suricata drops this state when somebody
    /// else, for example a rule, bypasses the flow for good.
    state: Arc<()>,
    /// Whether the flow is bypassed.
    is_asleep: bool,
    /// Whether ESP packets are counted here. If not, the parser takes back what it has lent.
    is_lent: bool,
}

/// Whether the setting is on.
pub(super) fn is_on() -> bool {
    settings::get().encryption_handling == EncryptionHandling::Bypass
}

/// Handles a packet of a flow before Suricata does. True if it is ESP, which Suricata then skips.
///
/// # Safety
/// Suricata has decoded the packet and handed it to this thread, with its locked flow.
#[inline]
pub(super) unsafe fn skips(flow: Flow, packet: CurrentPacket) -> bool {
    let Some(bypass) = late_detection::bypass(flow) else { return false };
    // SAFETY: the function demands what is demanded here.
    let skips = bypass.is_lent && unsafe { bypass.count(packet) };
    if skips && !bypass.is_asleep {
        flow.bypass();
        bypass.is_asleep = true;
    } else if !skips {
        bypass.wake(flow);
    }
    skips
}

impl Bypass {
    /// Counts the packet, if it is ESP that needs no parser.
    ///
    /// # Safety
    /// As [`skips`].
    #[inline]
    unsafe fn count(&mut self, packet: CurrentPacket) -> bool {
        // SAFETY: the function demands what is demanded here.
        let Some(data) = (unsafe { packet.checked_payload() }) else { return false };
        // SAFETY: as above.
        let direction = unsafe { packet.direction() };
        Arc::strong_count(&self.state) > 1 && self.esp.count(parser::engines(), direction, data)
    }

    /// Ends the bypass. Everything goes to the parser now.
    fn wake(&mut self, flow: Flow) {
        if self.is_asleep && Arc::strong_count(&self.state) > 1 {
            flow.end_bypass();
        }
        (self.is_asleep, self.is_lent) = (false, false);
    }

    /// Adds what was counted to its IKE SA, because the flow ends or is parsed anew.
    pub(super) fn finish(mut self) {
        self.esp.finish(parser::engines());
    }
}

/// Lends the flow's ESP, if it may be bypassed. The parser calls this behind each datagram. `state`
/// lives as long as the parser's state of the flow.
pub(super) fn lend(flow: Flow, context: &mut FlowContext, state: &Arc<()>) {
    if !may_skip(flow, context.is_answered()) {
        return;
    }
    let Some(esp) = context.lend_esp(parser::engines()) else { return };
    match late_detection::bypass_slot(flow) {
        Some(slot) => {
            let state = Arc::clone(state);
            *slot = Some(Box::new(Bypass { esp, state, is_asleep: false, is_lent: true }));
        }
        None => context.take_esp_back(esp),
    }
}

/// Gives back what was lent. The parser calls this before each datagram.
pub(super) fn take_back(flow: Flow, context: &mut FlowContext) {
    if let Some(bypass) = late_detection::take_bypass(flow) {
        context.take_esp_back(bypass.esp);
    }
}

/// Whether nobody can hide an attack in what looks like the ESP of the flow.
///
/// A single sender can begin a flow of IKE from its own port 4500 to a port that has nothing to do
/// with IKE, and then send anything. So one of two things is demanded: the flow was begun towards
/// port 4500, or messages of both ends were seen.
pub(super) fn may_skip(flow: Flow, is_answered: bool) -> bool {
    is_answered || flow.unordered_ports().1 == 4500
}
