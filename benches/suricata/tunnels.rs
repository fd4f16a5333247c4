//! Tunnels that are up for some time and have little to say, as most are: a handshake, then
//! liveness checks, and one rekey of the Child SA.

use std::path::Path;
use std::time::Duration;

use testkit::bytes::noise;
use testkit::message::{MessageBuilder, PayloadBuilder};
use testkit::registry::{CREATE_CHILD_SA, INFORMATIONAL, INITIATOR, NOTIFY, RESPONSE, SA};

use crate::handshake::{Handshake, Peers};
use crate::workload::Writer;

/// Between two liveness checks.
const CHECK: Duration = Duration::from_secs(30);
/// How long the contents of a liveness check are: IV, one block of padding and ICV.
const CHECK_BYTES: usize = 16 + 16 + 16;
/// The same for a rekey with proposals, nonce, key exchange and Traffic Selectors.
const REKEY_BYTES: usize = 16 + 448 + 16;
/// The Message ID behind the handshake.
const FIRST_ID: u32 = 2;

/// Writes so many tunnels that are up for so many minutes, and returns how many they are.
pub(crate) fn tunnels(path: &Path, handshake: &Handshake, count: u32, minutes: u32) -> u64 {
    let mut writer = Writer::create(path);
    let up: Vec<_> = (0..count).map(|number| Peers::new(number, false)).collect();
    for (place, peers) in (0..).zip(&up) {
        writer.at(moment(0, place, count));
        handshake.frames(peers).for_each(|frame| writer.write(&frame));
    }
    let checks = minutes * 60 / CHECK.as_secs() as u32;
    for check in 1..checks {
        for (place, peers) in (0..).zip(&up) {
            writer.at(moment(check, place, count));
            // The rekey is in the middle, in place of a check.
            let is_rekey = check == checks / 2;
            write_exchange(&mut writer, peers, FIRST_ID + check - 1, is_rekey);
        }
    }
    u64::from(count)
}

/// When the tunnel at this place has its check with this number. Tunnels take turns.
fn moment(check: u32, place: u32, count: u32) -> Duration {
    CHECK * check + CHECK * place / count
}

fn write_exchange(writer: &mut Writer, peers: &Peers, message_id: u32, is_rekey: bool) {
    for (flags, to_responder) in [(INITIATOR, true), (RESPONSE, false)] {
        let seed = message_id ^ u32::from(flags) << 16;
        // A request of a rekey begins with the notify REKEY_SA.
        let (exchange_type, first, length) = match (is_rekey, to_responder) {
            (false, _) => (INFORMATIONAL, 0, CHECK_BYTES),
            (true, true) => (CREATE_CHILD_SA, NOTIFY, REKEY_BYTES),
            (true, false) => (CREATE_CHILD_SA, SA, REKEY_BYTES),
        };
        let payload = PayloadBuilder::sk(first, noise(seed, length));
        let [init_spi, resp_spi] = peers.spis();
        let message = MessageBuilder::later(exchange_type, vec![payload]);
        let message = MessageBuilder { init_spi, resp_spi, message_id, flags, ..message }.build();
        writer.write(&peers.frame(to_responder, false, &message));
    }
}
