//! Where Suricata keeps two things that its plugin interface has no function for: the protocol
//! numbers of a flow, and the time of a packet.
//!
//! **Method.** At the start, the plugin calls a function of Suricata that writes the value. It
//! hands the function a structure of zeros. The bytes that changed are the place of the value in
//! this process.
//!
//! **Reasons.** Suricata's own code reads `f->alproto` and `p->ts` with the offsets of its
//! headers. The plugin cannot do so, because one compiled plugin runs in every 8.0.x:
//! - In `Flow` the numbers stand behind a `pthread_mutex_t`. Its size differs between C libraries
//!   and processors. `Packet` depends on the options of Suricata's build. Suricata promises
//!   neither layout, and compares one version number when it loads a plugin. So a wrong constant
//!   would give wrong values and no message.
//! - `FlowGetAppProtocol` reads `f->alproto`, but it is `inline`, so the program does not export
//!   it. `EveAddAppProto` is exported, but writes names as JSON, which is too slow for each packet.
//!
//! **Why zeros are enough.** The functions are [`SCAppLayerForceProtocolChange`] and
//! [`SCPacketSetTime`]. They read and assign members. They follow no pointer and take no lock.
//! Suricata's own unit tests call its functions with a `Flow` of zeros too. A flow made with
//! `FlowAlloc` would be no better: it is zeros with a lock. And `FlowAlloc` refuses to make one
//! until Suricata has read the memcap of its `flow` section, which it does after it has started
//! its plugins.
//!
//! **Limits.** If another release follows a pointer in such a function, Suricata crashes at its
//! start. That is one reason why the plugin calls nothing in releases other than 8.0.x. The method
//! finds only values that a function writes.
//!
//! **What guards it.**
//! - If the value was not written, or something else was written too, there is no place. The
//!   plugin then logs a warning and works without: see [`Flow::protocols`] and [`packet::time`].
//!   The tests below show this, and tests/start.rs in a Suricata whose function does nothing.
//! - When the parser gets the first message of a flow, the protocol of the flow is `ikev2`. If the
//!   place has another number, it is wrong. The plugin logs the same warning and stops using the
//!   place: see [`late_detection::on_first_message`]. tests/start.rs shows this in a Suricata whose
//!   function writes to a wrong place.
//! - src/sys/host-headers.h asserts that flows and packets are not larger than the zeros, and that
//!   the three numbers stand side by side. `make test` compiles it with Suricata's headers.
//! - Cases of tests/verify need the right places: `begins-with-esp`, `flow-of-another-protocol` and
//!   `given-back` that of the numbers, `clock-steps-back` that of the time.
//!
//! [`Flow::protocols`]: super::flow::Flow::protocols
//! [`packet::time`]: super::packet::time
//! [`late_detection::on_first_message`]: super::late_detection::on_first_message
//! [`SCAppLayerForceProtocolChange`]: crate::sys::SCAppLayerForceProtocolChange
//! [`SCPacketSetTime`]: crate::sys::SCPacketSetTime

/// The size of the structure of zeros, in words of 8 bytes. Flows and packets are smaller, as
/// src/sys/host-headers.h asserts.
const WORDS: usize = 1024;

/// The offset in bytes at which `write` puts a value into a structure of zeros. None unless the
/// value is there once and nothing else was written. `write` gets the address of the structure.
pub(super) fn find(value: &[u8], write: impl FnOnce(*mut u64)) -> Option<usize> {
    let mut structure = vec![0_u64; WORDS];
    write(structure.as_mut_ptr());
    let bytes: Vec<u8> = structure.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let offset = bytes.windows(value.len()).position(|window| window == value)?;
    let (before, rest) = bytes.split_at(offset);
    let behind = rest.get(value.len()..)?;
    before.iter().chain(behind).all(|byte| *byte == 0).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::find;

    const VALUE: [u8; 6] = [0x5a; 6];

    /// Where the value is found if these values are written at these offsets.
    fn found(written: &[(usize, &[u8])]) -> Option<usize> {
        find(&VALUE, |structure| {
            for (offset, value) in written {
                for (place, byte) in (*offset..).zip(*value) {
                    // SAFETY: all offsets here lie in the structure.
                    unsafe { structure.cast::<u8>().add(place).write(*byte) };
                }
            }
        })
    }

    #[test]
    fn a_value_is_found_where_it_was_written() {
        assert_eq!(found(&[(0, &VALUE)]), Some(0));
        assert_eq!(found(&[(172, &VALUE)]), Some(172));
        assert_eq!(found(&[(8186, &VALUE)]), Some(8186));
    }

    #[test]
    fn there_is_no_place_unless_the_value_alone_was_written() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[(172, &VALUE[..4])]), None);
        assert_eq!(found(&[(172, &VALUE), (400, &VALUE)]), None);
        assert_eq!(found(&[(172, &VALUE), (170, &[1])]), None);
        assert_eq!(found(&[(172, &VALUE), (178, &[0x5a])]), None);
    }
}
