//! The IKE header ([RFC 7296, section 3.1](https://www.rfc-editor.org/rfc/rfc7296#section-3.1)).
//!
//! ```text
//!                      1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------------------------------------------------------+
//! |                       IKE SA Initiator's SPI (8 bytes)        |
//! +---------------------------------------------------------------+
//! |                       IKE SA Responder's SPI (8 bytes)        |
//! +---------------+-------+-------+---------------+---------------+
//! |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
//! +---------------+-------+-------+---------------+---------------+
//! |                          Message ID                           |
//! +---------------------------------------------------------------+
//! |                            Length                             |
//! +---------------------------------------------------------------+
//! ```

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{ExchangeType, PayloadType};

/// The size of the IKE header in bytes.
pub const HEADER_LEN: usize = 28;

/// The IKE header as it was sent. The values are not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The IKE SA Initiator's SPI.
    pub init_spi: [u8; 8],
    /// The IKE SA Responder's SPI. It is all zero in the first request.
    pub resp_spi: [u8; 8],
    /// The type of the first payload.
    pub next_payload: PayloadType,
    /// The major and the minor version.
    pub version: Version,
    /// The type of the exchange that the message belongs to.
    pub exchange_type: ExchangeType,
    /// The flags.
    pub flags: Flags,
    /// The Message ID. A response has the same value as its request.
    pub message_id: u32,
    /// The Length field: the length of header and payloads in bytes.
    pub length: u32,
}

/// One of the two ends of an IKE SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The original initiator, which sent the first request of the IKE SA.
    Initiator,
    /// The original responder.
    Responder,
}

impl Role {
    /// The role's name in records and rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiator => "initiator",
            Self::Responder => "responder",
        }
    }
}

impl Header {
    /// Parses the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedHeader`] if there are fewer than [`HEADER_LEN`] bytes. `field`
    /// is the first field that is missing.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        match bytes.first_chunk() {
            Some(bytes) => Ok(Self::of(bytes)),
            None => Self::parse_fields(bytes),
        }
    }

    /// Reads a complete header at once.
    #[inline]
    fn of(bytes: &[u8; HEADER_LEN]) -> Self {
        let number = |place| u32::from_be_bytes(core::array::from_fn(|byte| bytes[place + byte]));
        Self {
            init_spi: core::array::from_fn(|byte| bytes[byte]),
            resp_spi: core::array::from_fn(|byte| bytes[8 + byte]),
            next_payload: PayloadType(bytes[16]),
            version: Version(bytes[17]),
            exchange_type: ExchangeType(bytes[18]),
            flags: Flags(bytes[19]),
            message_id: number(20),
            length: number(24),
        }
    }

    /// Reads field by field, so that a fault names its field.
    #[cold]
    fn parse_fields(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut r = Reader::new(bytes, 0, ErrorKind::MalformedHeader);
        Ok(Self {
            init_spi: r.array("IKE SA Initiator's SPI")?,
            resp_spi: r.array("IKE SA Responder's SPI")?,
            next_payload: PayloadType(r.u8("Next Payload")?),
            version: Version(r.u8("Version")?),
            exchange_type: ExchangeType(r.u8("Exchange Type")?),
            flags: Flags(r.u8("Flags")?),
            message_id: r.u32("Message ID")?,
            length: r.u32("Length")?,
        })
    }

    /// The role of the sender in the IKE SA.
    ///
    /// Some exchanges are always started by the initiator. There, a request comes from the
    /// initiator and a response from the responder, and the Initiator flag is ignored. In
    /// all other exchanges, the flag decides.
    pub const fn role(&self) -> Role {
        let from_initiator = match self.exchange_type.is_begun_by_initiator() {
            true => !self.flags.response(),
            false => self.flags.initiator(),
        };
        match from_initiator {
            true => Role::Initiator,
            false => Role::Responder,
        }
    }

    /// Whether the Initiator flag is certainly wrong. An initiator must set it, and a
    /// responder must clear it (RFC 7296, 3.1).
    pub const fn initiator_flag_is_wrong(&self) -> bool {
        self.flags.initiator() != matches!(self.role(), Role::Initiator)
    }
}

/// The byte with the major and the minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u8);

impl Version {
    /// The major version: 2 for IKEv2.
    pub const fn major(self) -> u8 {
        self.0 >> 4
    }

    /// The minor version. Receivers ignore it (RFC 7296, section 2.5).
    pub const fn minor(self) -> u8 {
        self.0 & 0x0f
    }
}

/// The flags of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// The sender is the original initiator of the IKE SA.
    pub const INITIATOR: u8 = 0x08;
    /// The sender supports a higher major version.
    pub const VERSION: u8 = 0x10;
    /// The message is a response.
    pub const RESPONSE: u8 = 0x20;

    /// Whether the Initiator flag is set.
    pub const fn initiator(self) -> bool {
        self.0 & Self::INITIATOR != 0
    }

    /// Whether the Version flag is set.
    pub const fn version(self) -> bool {
        self.0 & Self::VERSION != 0
    }

    /// Whether the Response flag is set.
    pub const fn response(self) -> bool {
        self.0 & Self::RESPONSE != 0
    }

    /// The five reserved flags, at their original bit positions.
    pub const fn reserved(self) -> u8 {
        self.0 & !(Self::INITIATOR | Self::VERSION | Self::RESPONSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: [u8; HEADER_LEN] = [
        1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 33, 0x2f, 34, 0xa8,
        0, 0, 0, 9, 0, 0, 1, 0,
    ];

    #[test]
    fn reads_every_field() {
        let header = Header::parse(&SAMPLE).unwrap();
        assert_eq!(header.init_spi, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(header.resp_spi[7], 0x18);
        assert_eq!(header.next_payload, PayloadType::SA);
        assert_eq!((header.version.major(), header.version.minor()), (2, 15));
        assert_eq!(header.exchange_type, ExchangeType::IKE_SA_INIT);
        assert!(header.flags.initiator() && header.flags.response() && !header.flags.version());
        assert_eq!(header.flags.reserved(), 0x80);
        assert_eq!((header.message_id, header.length), (9, 256));
    }

    /// The sender's role, and whether the Initiator flag is wrong.
    fn sent(exchange_type: ExchangeType, flags: u8) -> (Role, bool) {
        let header = Header::parse(&SAMPLE).unwrap();
        let header = Header { exchange_type, flags: Flags(flags), ..header };
        (header.role(), header.initiator_flag_is_wrong())
    }

    #[test]
    fn in_the_handshake_the_response_flag_gives_the_role() {
        for exchange_type in [
            ExchangeType::IKE_SA_INIT,
            ExchangeType::IKE_SESSION_RESUME,
            ExchangeType::IKE_INTERMEDIATE,
            ExchangeType::IKE_AUTH,
            ExchangeType::GSA_AUTH,
        ] {
            let sent = |flags| sent(exchange_type, flags);
            assert_eq!(sent(Flags::INITIATOR), (Role::Initiator, false), "{exchange_type}");
            assert_eq!(sent(0), (Role::Initiator, true), "{exchange_type}");
            assert_eq!(sent(Flags::RESPONSE), (Role::Responder, false), "{exchange_type}");
            let both = Flags::RESPONSE | Flags::INITIATOR;
            assert_eq!(sent(both), (Role::Responder, true), "{exchange_type}");
        }
    }

    #[test]
    fn in_other_exchanges_the_initiator_flag_gives_the_role() {
        for exchange_type in
            [ExchangeType::CREATE_CHILD_SA, ExchangeType::INFORMATIONAL, ExchangeType(240)]
        {
            for response in [0, Flags::RESPONSE] {
                let sent = |flags| sent(exchange_type, flags | response);
                assert_eq!(sent(Flags::INITIATOR), (Role::Initiator, false), "{exchange_type}");
                assert_eq!(sent(0), (Role::Responder, false), "{exchange_type}");
            }
        }
    }

    #[test]
    fn the_missing_field_is_named() {
        for cut in 0..HEADER_LEN {
            let error = Header::parse(SAMPLE.get(..cut).unwrap()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::MalformedHeader);
            assert!(usize::try_from(error.offset).unwrap() <= cut);
        }
        let error = Header::parse(SAMPLE.get(..18).unwrap()).unwrap_err();
        assert_eq!((error.field, error.offset), ("Exchange Type", 18));
    }
}
