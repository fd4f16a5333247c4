//! Whether datagrams on port 4500 are ESP (RFC 4303, RFC 3948).
//!
//! ESP has no magic number. Two datagrams of one SA show that they are ESP: they have the same SPI,
//! a sequence number that has grown a little, and bytes that look encrypted.

/// The largest step of the sequence number between two datagrams of one direction.
const LARGEST_STEP: u32 = 4096;

/// Smaller SPIs are reserved (RFC 4303, 2.1).
const LOWEST_SPI: u32 = 256;

/// The smallest ESP packet: header, IV or padding, checksum. Its length is a multiple of 4.
const SMALLEST_ESP: usize = 24;

/// The number of bytes at the end that are looked at: the checksum, and encrypted bytes before it.
const TAIL: usize = 16;

/// What two ESP packets are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EspPacket {
    pub(super) spi: u32,
    sequence: u32,
    tail: [u8; TAIL],
}

impl EspPacket {
    /// Reads a datagram that has the form of ESP and ends with bytes that look encrypted.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let (spi, rest) = data.split_first_chunk()?;
        let (sequence, _) = rest.split_first_chunk()?;
        let packet = Self {
            spi: u32::from_be_bytes(*spi),
            sequence: u32::from_be_bytes(*sequence),
            tail: *data.last_chunk()?,
        };
        let has_form =
            packet.spi >= LOWEST_SPI && data.len() >= SMALLEST_ESP && data.len().is_multiple_of(4);
        (has_form && looks_encrypted(&packet.tail)).then_some(packet)
    }

    /// Whether `next` is a later packet of the same SA, encrypted anew.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        let step = next.sequence.wrapping_sub(self.sequence);
        let same = self.tail.iter().zip(next.tail).filter(|(one, other)| **one == *other).count();
        next.spi == self.spi && (1..=LARGEST_STEP).contains(&step) && same <= TAIL / 4
    }

    /// Whether the sequence numbers are near each other, in either order.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        self.sequence.abs_diff(other.sequence) <= LARGEST_STEP
    }
}

/// Whether bytes may be encrypted: few of them occur twice, and they are not text. One or two of
/// 100 encrypted tails fail this test.
fn looks_encrypted(bytes: &[u8; TAIL]) -> bool {
    let mut sorted = *bytes;
    sorted.sort_unstable();
    let repeated = sorted.windows(2).filter(|pair| pair[0] == pair[1]).count();
    let text = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~')).count();
    repeated <= 2 && text <= TAIL - 4
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A packet with bytes that look encrypted.
    pub(in crate::host::late_detection) fn packet(spi: u32, sequence: u32) -> Vec<u8> {
        let mut data = [spi.to_be_bytes(), sequence.to_be_bytes()].concat();
        let mut noise = u64::from(spi) << 32 | u64::from(sequence) | 1;
        data.resize_with(100, || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise as u8
        });
        data
    }

    #[test]
    fn encrypted_bytes_seldom_look_otherwise() {
        let tails = (0..100_000).map(|n| packet(n ^ 0x5bd1_e995, n.wrapping_mul(2_654_435_761)));
        let refused = tails.filter(|it| !looks_encrypted(it.last_chunk().unwrap())).count();
        assert!(refused < 2_000, "{refused}");
    }
}
