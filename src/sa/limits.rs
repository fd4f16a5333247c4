//! What the tracking may cost, in bytes and in time.

/// Microseconds of a second: limits are in seconds, packet times in these.
pub(super) const MICROSECONDS: u64 = 1_000_000;

/// The bounds of a [`Table`](super::Table).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that SAs may take, tables included.
    pub memcap: u64,
    /// Seconds without a message after which an unanswered IKE_SA_INIT is given
    /// up. An answered handshake is given four times as long: a person may have
    /// to confirm an EAP round.
    pub half_open_timeout: u32,
    /// Seconds without a message after which an SA in use is given up.
    pub established_timeout: u32,
    /// Seconds for which a closed or failed SA is still known.
    pub closed_timeout: u32,
    /// Seconds over which a source's IKE_SA_INITs and refusals are counted.
    pub window: u32,
}

impl Default for Limits {
    /// 64 MiB hold some 130,000 SAs, more than the largest gateways have. 30 s is
    /// what strongSwan and RFC 8019's deployments give a half-open SA. An IKE SA is
    /// commonly rekeyed within a day (strongSwan: 4 h, libreswan: 8 h, Cisco and
    /// Windows: 8 to 24 h). 60 s cover the retransmissions of a delete.
    fn default() -> Self {
        Self {
            memcap: 64 << 20,
            half_open_timeout: 30,
            established_timeout: 86_400,
            closed_timeout: 60,
            window: 60,
        }
    }
}
