//! The limits of the tracking in memory and in time.

/// The microseconds in a second. Limits are in seconds, packet times in microseconds.
pub(super) const MICROSECONDS: u64 = 1_000_000;

/// The limits of a [`SaTable`](super::SaTable).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of bytes for SAs, including the tables.
    pub memcap: u64,
    /// The seconds without a message after which an unanswered IKE_SA_INIT is removed. An
    /// answered handshake has four times as long, because a person may have to confirm an EAP
    /// round.
    pub half_open_timeout: u32,
    /// The seconds without a message after which an SA in use is removed.
    pub established_timeout: u32,
    /// The seconds for which a closed or failed SA stays in the table.
    pub closed_timeout: u32,
    /// The seconds over which a source's IKE_SA_INIT requests and refusals are counted.
    pub window: u32,
    /// Whether SAs have reports. Without them, an SA takes less memory.
    pub records: bool,
}

impl Default for Limits {
    /// 64 MiB are enough for about 130,000 SAs, more than the largest gateways have. 30 s is
    /// the time that strongSwan and deployments of RFC 8019 give a half-open SA. An IKE SA is
    /// usually rekeyed within a day (strongSwan: 4 h, libreswan: 8 h, Cisco and Windows: 8 to
    /// 24 h). 60 s cover the retransmissions of a delete.
    fn default() -> Self {
        Self {
            memcap: 64 << 20,
            half_open_timeout: 30,
            established_timeout: 86_400,
            closed_timeout: 60,
            window: 60,
            records: false,
        }
    }
}
