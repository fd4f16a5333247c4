//! The Notify payload
//! ([RFC 7296, section 3.10](https://www.rfc-editor.org/rfc/rfc7296#section-3.10)).

use core::marker::PhantomData;

use super::error::{ErrorKind, ParseError};
use super::reader::Reader;
use super::registry::{
    AuthMethod, GatewayIdType, HashAlgorithm, IpcompTransform, KeyExchangeMethod, NotifyType,
    PayloadType, PpkIdType, Prf, Protocol, SecurePasswordMethod,
};

/// A notification: an error, a status or a supported capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify<'a> {
    /// The Protocol ID field: the protocol of the SA that the notification is about. 0 for
    /// the IKE SA or for no SA.
    pub protocol: Protocol,
    /// The SPI of that SA. It is often empty.
    pub spi: &'a [u8],
    /// The Notify Message Type field.
    pub kind: NotifyType,
    /// The Notification Data field.
    pub data: &'a [u8],
    /// The offset of the data, in bytes from the start of the IKE header.
    pub data_offset: u32,
}

impl<'a> Notify<'a> {
    /// Parses the body of a Notify payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields or the SPI are incomplete.
    #[inline]
    pub fn parse(body: &'a [u8], body_offset: u32) -> Result<Self, ParseError> {
        match Self::parse_lenient(body, body_offset)? {
            (notify, None) => Ok(notify),
            (_, Some(error)) => Err(error),
        }
    }

    /// Parses the body even if the SPI is truncated, and returns the fault then. The result
    /// is only for display: a receiver rejects such a payload.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the fixed fields are incomplete.
    #[inline]
    pub fn parse_lenient(
        body: &'a [u8],
        body_offset: u32,
    ) -> Result<(Self, Option<ParseError>), ParseError> {
        match Self::parse_complete(body, body_offset) {
            Some(notify) => Ok((notify, None)),
            None => Self::parse_fields(body, body_offset),
        }
    }

    /// Parses a body without faults. A message has many notifies, and each is read several
    /// times.
    #[inline]
    fn parse_complete(body: &'a [u8], body_offset: u32) -> Option<Self> {
        let ([protocol, spi_size, kind @ ..], rest) = body.split_first_chunk::<4>()?;
        let (spi, data) = rest.split_at_checked(usize::from(*spi_size))?;
        Some(Self {
            protocol: Protocol(*protocol),
            spi,
            kind: NotifyType(u16::from_be_bytes(*kind)),
            data,
            data_offset: body_offset.wrapping_add(4).wrapping_add(u32::from(*spi_size)),
        })
    }

    /// Parses field by field, so that a fault names its field.
    #[cold]
    fn parse_fields(
        body: &'a [u8],
        body_offset: u32,
    ) -> Result<(Self, Option<ParseError>), ParseError> {
        let mut r = Reader::new(body, body_offset, ErrorKind::MalformedPayload);
        let protocol = Protocol(r.u8("Protocol ID")?);
        let size_field = r;
        let spi_size = r.u8("SPI Size")?;
        let kind = NotifyType(r.u16("Notify Message Type")?);
        let whole = r.take(usize::from(spi_size), "SPI Size");
        let fault = whole.is_err().then(|| size_field.error("SPI Size"));
        let spi = whole.unwrap_or_else(|_| r.rest());
        Ok((Self { protocol, spi, kind, data_offset: r.offset(), data: r.rest() }, fault))
    }

    /// Decodes the data according to the notification's type. [`NotifyData::Raw`] if this
    /// module does not know the form.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedPayload`] if the data does not have the form of its type.
    pub fn known(&self) -> Result<NotifyData<'a>, ParseError> {
        let mut r = Reader::new(self.data, self.data_offset, ErrorKind::MalformedPayload);
        let data = self.read(&mut r)?;
        r.finish("Notification Data")?;
        Ok(data)
    }

    fn read(&self, r: &mut Reader<'a>) -> Result<NotifyData<'a>, ParseError> {
        use NotifyType as T;
        let field = "Notification Data";
        Ok(match self.kind {
            T::UNSUPPORTED_CRITICAL_PAYLOAD => {
                NotifyData::UnsupportedCriticalPayload(PayloadType(r.u8(field)?))
            }
            T::INVALID_MESSAGE_ID => NotifyData::InvalidMessageId(r.u32(field)?),
            T::INVALID_KE_PAYLOAD => NotifyData::InvalidKe(KeyExchangeMethod(r.u16(field)?)),
            T::SET_WINDOW_SIZE => NotifyData::SetWindowSize(r.u32(field)?),
            T::IPCOMP_SUPPORTED => NotifyData::Ipcomp {
                cpi: r.u16("CPI")?,
                transform: IpcompTransform(r.u8("IPComp Transform ID")?),
                attributes: r.rest(),
            },
            T::NAT_DETECTION_SOURCE_IP | T::NAT_DETECTION_DESTINATION_IP => {
                NotifyData::NatDetection(read_array(r)?)
            }
            T::COOKIE => NotifyData::Cookie(read_sized(r, 1, 64)?),
            T::COOKIE2 => NotifyData::Cookie2(read_sized(r, 8, 64)?),
            T::REKEY_SA => NotifyData::RekeySa(self.spi),
            T::ADDITIONAL_IP4_ADDRESS => NotifyData::AdditionalIp4Address(read_array(r)?),
            T::ADDITIONAL_IP6_ADDRESS => NotifyData::AdditionalIp6Address(read_array(r)?),
            T::AUTH_LIFETIME => NotifyData::AuthLifetime(r.u32(field)?),
            T::REDIRECT | T::REDIRECTED_FROM => read_redirect(r)?,
            T::TICKET_LT_OPAQUE => {
                NotifyData::TicketLtOpaque { lifetime: r.u32("Lifetime")?, ticket: r.rest() }
            }
            T::SECURE_PASSWORD_METHODS => NotifyData::SecurePasswordMethods(NumberList::read(r)?),
            T::SIGNATURE_HASH_ALGORITHMS => {
                NotifyData::SignatureHashAlgorithms(NumberList::read(r)?)
            }
            T::SUPPORTED_AUTH_METHODS => NotifyData::SupportedAuthMethods(AuthMethods::read(r)?),
            T::PUZZLE => {
                NotifyData::Puzzle { prf: Prf(r.u16("PRF")?), difficulty: r.u8("Difficulty")? }
            }
            // A responder confirms the identity without repeating it (RFC 8784, 3).
            T::PPK_IDENTITY if !self.data.is_empty() => {
                NotifyData::PpkIdentity { kind: PpkIdType(r.u8("PPK_ID Type")?), id: r.rest() }
            }
            _ => NotifyData::Raw(r.rest()),
        })
    }
}

/// Decoded Notification Data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotifyData<'a> {
    /// UNSUPPORTED_CRITICAL_PAYLOAD: the unknown payload type.
    UnsupportedCriticalPayload(PayloadType),
    /// INVALID_MESSAGE_ID: the Message ID that was received.
    InvalidMessageId(u32),
    /// INVALID_KE_PAYLOAD: the key exchange method that the responder requests.
    InvalidKe(KeyExchangeMethod),
    /// SET_WINDOW_SIZE: the number of requests that may be outstanding.
    SetWindowSize(u32),
    /// IPCOMP_SUPPORTED.
    Ipcomp {
        /// The IPComp CPI field.
        cpi: u16,
        /// The compression algorithm.
        transform: IpcompTransform,
        /// Attributes of the compression algorithm. Usually empty.
        attributes: &'a [u8],
    },
    /// NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP: the SHA-1 hash of both
    /// SPIs, an address and a port.
    NatDetection(&'a [u8; 20]),
    /// COOKIE: 1 to 64 bytes that the peer has to send back.
    Cookie(&'a [u8]),
    /// COOKIE2 (RFC 4555): 8 to 64 bytes that the peer has to send back.
    Cookie2(&'a [u8]),
    /// REKEY_SA: the SPI of the SA that is replaced.
    RekeySa(&'a [u8]),
    /// ADDITIONAL_IP4_ADDRESS (RFC 4555).
    AdditionalIp4Address(&'a [u8; 4]),
    /// ADDITIONAL_IP6_ADDRESS (RFC 4555).
    AdditionalIp6Address(&'a [u8; 16]),
    /// AUTH_LIFETIME (RFC 4478): the time in seconds until the initiator must authenticate
    /// again.
    AuthLifetime(u32),
    /// REDIRECT and REDIRECTED_FROM (RFC 5685).
    Redirect {
        /// The GW Ident Type field.
        gateway: GatewayIdType,
        /// The gateway's address or name.
        identity: &'a [u8],
        /// The initiator's nonce. Only a response in IKE_SA_INIT repeats it.
        nonce: &'a [u8],
    },
    /// TICKET_LT_OPAQUE (RFC 5723).
    TicketLtOpaque {
        /// The lifetime of the ticket in seconds.
        lifetime: u32,
        /// The ticket.
        ticket: &'a [u8],
    },
    /// SECURE_PASSWORD_METHODS (RFC 6467).
    SecurePasswordMethods(NumberList<'a, SecurePasswordMethod>),
    /// SIGNATURE_HASH_ALGORITHMS (RFC 7427): the hash algorithms that the sender accepts in
    /// a signature.
    SignatureHashAlgorithms(NumberList<'a, HashAlgorithm>),
    /// SUPPORTED_AUTH_METHODS (RFC 9593): the methods by which the receiver may
    /// authenticate.
    SupportedAuthMethods(AuthMethods<'a>),
    /// PUZZLE (RFC 8019).
    Puzzle {
        /// The function that the puzzle has to be solved with.
        prf: Prf,
        /// The number of trailing zero bits that the solution must have.
        difficulty: u8,
    },
    /// PPK_IDENTITY (RFC 8784).
    PpkIdentity {
        /// The type of the identity.
        kind: PpkIdType,
        /// The identity.
        id: &'a [u8],
    },
    /// Data whose form this module does not know. It may be empty.
    Raw(&'a [u8]),
}

/// A list of 16-bit numbers from one registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberList<'a, T> {
    bytes: &'a [u8],
    registry: PhantomData<T>,
}

impl<'a, T: From<u16>> NumberList<'a, T> {
    fn read(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        if !r.remaining().is_multiple_of(2) {
            return Err(r.error("Notification Data"));
        }
        Ok(Self { bytes: r.rest(), registry: PhantomData })
    }

    /// The numbers, in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = T> + Clone + use<'a, T> {
        let pairs = self.bytes.chunks_exact(2);
        pairs.map(|pair| T::from(pair.iter().fold(0, |high, low| high << 8 | u16::from(*low))))
    }
}

/// The announcements of SUPPORTED_AUTH_METHODS (RFC 9593, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthMethods<'a>(&'a [u8]);

/// One announced authentication method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedMethod<'a> {
    /// The Auth Method field.
    pub method: AuthMethod,
    /// The position, starting at 1, of the authority in CERTREQ that the method is for.
    /// `None` or 0 stands for all authorities.
    pub cert_link: Option<u8>,
    /// The ASN.1 identifier of the signature algorithm. Empty if there is none.
    pub algorithm: &'a [u8],
}

impl<'a> AuthMethods<'a> {
    /// Reads all data and checks that its lengths fit.
    fn read(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let mut walk = *r;
        while !walk.is_empty() {
            AnnouncedMethod::read(&mut walk)?;
        }
        Ok(Self(r.rest()))
    }

    /// The announcements, in the order of the message.
    pub fn iter(&self) -> impl Iterator<Item = AnnouncedMethod<'a>> + use<'a> {
        let mut r = Reader::new(self.0, 0, ErrorKind::MalformedPayload);
        core::iter::from_fn(move || AnnouncedMethod::read(&mut r).ok())
    }
}

impl<'a> AnnouncedMethod<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, ParseError> {
        let length_field = *r;
        let wrong = || length_field.error("Length");
        let length = usize::from(r.u8("Length")?);
        let rest =
            r.take(length.checked_sub(1).ok_or_else(wrong)?, "Length").map_err(|_| wrong())?;
        let (method, rest) = rest.split_first().ok_or_else(wrong)?;
        let (link, algorithm) =
            rest.split_first().map_or((None, rest), |(one, all)| (Some(*one), all));
        Ok(Self { method: AuthMethod(*method), cert_link: link, algorithm })
    }
}

/// Reads data of a fixed length.
fn read_array<'a, const N: usize>(r: &mut Reader<'a>) -> Result<&'a [u8; N], ParseError> {
    let start = *r;
    let data = r.take(N, "Notification Data")?;
    data.first_chunk().ok_or_else(|| start.error("Notification Data"))
}

/// Reads all data and checks that its length is within these limits in bytes.
fn read_sized<'a>(r: &mut Reader<'a>, least: usize, most: usize) -> Result<&'a [u8], ParseError> {
    if !(least..=most).contains(&r.remaining()) {
        return Err(r.error("Notification Data"));
    }
    Ok(r.rest())
}

/// Reads the data of REDIRECT and REDIRECTED_FROM (RFC 5685, sections 9.2 and 9.3).
fn read_redirect<'a>(r: &mut Reader<'a>) -> Result<NotifyData<'a>, ParseError> {
    let gateway = GatewayIdType(r.u8("GW Ident Type")?);
    let length_field = *r;
    let length = r.u8("GW Ident Len")?;
    let identity = r
        .take(usize::from(length), "GW Ident Len")
        .map_err(|_| length_field.error("GW Ident Len"))?;
    let fits = match gateway {
        GatewayIdType::IPV4 => length == 4,
        GatewayIdType::IPV6 => length == 16,
        GatewayIdType::FQDN => length > 0,
        _ => true,
    };
    if !fits {
        return Err(length_field.error("GW Ident Len"));
    }
    Ok(NotifyData::Redirect { gateway, identity, nonce: r.rest() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::notify_body;
    use super::*;

    fn known(kind: NotifyType, data: &[u8]) -> Result<NotifyData<'_>, ParseError> {
        let notify =
            Notify { protocol: Protocol::default(), spi: &[], kind, data, data_offset: 36 };
        notify.known()
    }

    #[test]
    fn the_data_is_complete() {
        let body = notify_body(NotifyType::INVALID_KE_PAYLOAD, &[0, 31]);
        let notify = Notify::parse(&body, 32).unwrap();
        assert_eq!((notify.data, notify.data_offset), (&[0, 31][..], 36));
        let wanted = NotifyData::InvalidKe(KeyExchangeMethod::CURVE25519);
        assert_eq!(notify.known(), Ok(wanted));
    }

    #[test]
    fn splits_spi_and_data() {
        let body = [3, 4, 0x40, 0x09, 1, 2, 3, 4, 9];
        let notify = Notify::parse(&body, 32).unwrap();
        assert_eq!(notify.protocol, Protocol::ESP);
        assert_eq!(notify.kind, NotifyType::REKEY_SA);
        assert_eq!((notify.spi, notify.data), (&[1, 2, 3, 4][..], &[9][..]));
        assert_eq!(notify.data_offset, 40);
    }

    #[test]
    fn truncation_before_the_data_is_an_error() {
        let body = [3, 4, 0x40, 0x09, 1, 2, 3, 4];
        for cut in 0..body.len() {
            assert!(Notify::parse(&body[..cut], 32).is_err(), "{cut} bytes");
        }
        let error = Notify::parse(&body[..7], 32).unwrap_err();
        assert_eq!((error.field, error.offset), ("SPI Size", 33));
    }

    #[test]
    fn known_data_is_decoded() {
        use NotifyType as T;
        let hash = [7; 20];
        let cases: [(NotifyType, &[u8], NotifyData<'_>); 11] = [
            (
                T::UNSUPPORTED_CRITICAL_PAYLOAD,
                &[99],
                NotifyData::UnsupportedCriticalPayload(PayloadType(99)),
            ),
            (T::INVALID_MESSAGE_ID, &[0, 0, 0, 5], NotifyData::InvalidMessageId(5)),
            (T::SET_WINDOW_SIZE, &[0, 0, 0, 8], NotifyData::SetWindowSize(8)),
            (
                T::IPCOMP_SUPPORTED,
                &[1, 2, 2],
                NotifyData::Ipcomp {
                    cpi: 0x0102,
                    transform: IpcompTransform::IPCOMP_DEFLATE,
                    attributes: &[],
                },
            ),
            (T::NAT_DETECTION_SOURCE_IP, &hash, NotifyData::NatDetection(&hash)),
            (T::COOKIE, &[1], NotifyData::Cookie(&[1])),
            (
                T::ADDITIONAL_IP4_ADDRESS,
                &[10, 0, 0, 1],
                NotifyData::AdditionalIp4Address(&[10, 0, 0, 1]),
            ),
            (T::AUTH_LIFETIME, &[0, 0, 0x0e, 0x10], NotifyData::AuthLifetime(3600)),
            (
                T::PUZZLE,
                &[0, 5, 16],
                NotifyData::Puzzle { prf: Prf::PRF_HMAC_SHA2_256, difficulty: 16 },
            ),
            (
                T::PPK_IDENTITY,
                &[2, 9],
                NotifyData::PpkIdentity { kind: PpkIdType::PPK_ID_FIXED, id: &[9] },
            ),
            (T::MOBIKE_SUPPORTED, &[], NotifyData::Raw(&[])),
        ];
        for (kind, data, expected) in cases {
            assert_eq!(known(kind, data), Ok(expected));
        }
    }

    /// Optional data, and data whose form no RFC defines.
    #[test]
    fn some_data_is_optional() {
        use NotifyType as T;
        for data in [&[][..], &[0x20], &[2, 0, 0, 0]] {
            // The version is in the header (RFC 7296, 3.10.1), but some peers repeat it
            // here.
            assert_eq!(known(T::INVALID_MAJOR_VERSION, data), Ok(NotifyData::Raw(data)));
        }
        assert_eq!(known(T::PPK_IDENTITY, &[]), Ok(NotifyData::Raw(&[])));
        let data = known(T::IPCOMP_SUPPORTED, &[1, 2, 3, 0x80, 1, 0, 9]);
        let attributes = &[0x80, 1, 0, 9][..];
        assert!(matches!(data, Ok(NotifyData::Ipcomp { attributes: it, .. }) if it == attributes));
    }

    #[test]
    fn redirect_may_have_a_nonce() {
        let data = [1, 4, 10, 5, 2, 53, 0xaa, 0xbb];
        let expected = NotifyData::Redirect {
            gateway: GatewayIdType::IPV4,
            identity: &[10, 5, 2, 53],
            nonce: &[0xaa, 0xbb],
        };
        assert_eq!(known(NotifyType::REDIRECT, &data), Ok(expected));
    }

    #[test]
    fn lists_hash_algorithms() {
        let data = known(NotifyType::SIGNATURE_HASH_ALGORITHMS, &[0, 1, 0, 2]);
        let Ok(NotifyData::SignatureHashAlgorithms(hashes)) = data else {
            panic!("{data:?}");
        };
        let expected = [HashAlgorithm::SHA1, HashAlgorithm::SHA2_256];
        assert!(hashes.iter().eq(expected));
    }

    #[test]
    fn lists_authentication_methods() {
        let data = [2, 2, 3, 1, 1, 10, 14, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
        let known = known(NotifyType::SUPPORTED_AUTH_METHODS, &data);
        let Ok(NotifyData::SupportedAuthMethods(methods)) = known else { panic!("{known:?}") };
        let methods: Vec<_> = methods.iter().collect();
        let method =
            |method, cert_link, algorithm| AnnouncedMethod { method, cert_link, algorithm };
        assert_eq!(
            methods,
            [
                method(AuthMethod::SHARED_KEY_MIC, None, &[][..]),
                method(AuthMethod::RSA_SIGNATURE, Some(1), &[]),
                method(AuthMethod::DIGITAL_SIGNATURE, Some(0), &data[8..]),
            ]
        );
    }

    #[test]
    fn lengths_of_authentication_methods_are_checked() {
        let data = [2, 2, 3, 1, 1, 5, 14, 0, 0x30, 0];
        let whole = [0, 2, 5, 10];
        for cut in 0..=data.len() {
            let known = known(NotifyType::SUPPORTED_AUTH_METHODS, &data[..cut]);
            assert_eq!(known.is_ok(), whole.contains(&cut), "{cut} bytes");
        }
        for wrong in [&[0][..], &[1], &[0, 2], &[1, 2, 2, 2]] {
            assert!(known(NotifyType::SUPPORTED_AUTH_METHODS, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn data_of_the_wrong_size_is_an_error() {
        use NotifyType as T;
        let cases: [(NotifyType, &[u8]); 14] = [
            (T::INVALID_KE_PAYLOAD, &[]),
            (T::INVALID_KE_PAYLOAD, &[0, 14, 0]),
            (T::NAT_DETECTION_SOURCE_IP, &[1; 19]),
            (T::NAT_DETECTION_DESTINATION_IP, &[1; 21]),
            (T::COOKIE, &[]),
            (T::COOKIE, &[1; 65]),
            (T::COOKIE2, &[1; 7]),
            (T::REDIRECT, &[1, 9, 10]),
            (T::REDIRECT, &[1, 5, 10, 0, 0, 1, 9]),
            (T::REDIRECT, &[1, 3, 10, 0, 0]),
            (T::REDIRECT, &[2, 4, 10, 0, 0, 1]),
            (T::REDIRECTED_FROM, &[1, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
            (T::REDIRECT, &[3, 0]),
            (T::SIGNATURE_HASH_ALGORITHMS, &[0, 1, 0]),
        ];
        for (kind, data) in cases {
            let error = known(kind, data).unwrap_err();
            assert_eq!(error.kind, ErrorKind::MalformedPayload, "{kind}");
            assert!(error.offset >= 36);
        }
    }

    #[test]
    fn an_unassigned_type_is_not_an_error() {
        let body = notify_body(NotifyType(61472), &[1, 2]);
        let notify = Notify::parse(&body, 32).unwrap();
        assert_eq!(notify.kind.to_string(), "unknown-61472");
        assert_eq!(notify.known(), Ok(NotifyData::Raw(&[1, 2])));
    }
}
