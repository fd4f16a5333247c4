//! The numbers and names of registries as JSON.
//!
//! Records repeat them very often, so each text is created once.

use lazy_static::lazy_static;

use crate::proposal::Transform;
use crate::wire::registry::{
    AuthMethod, CertEncoding, CfgAttribute, CfgType, Encr, GatewayIdType, GcAuth, HashAlgorithm,
    IdType, Integ, KeyExchangeMethod, KeyWrap, NotifyType, PayloadType, Prf, SequenceNumbers,
    TransformType,
};

/// A number that records show with its name.
pub(super) trait Registered {
    /// The number.
    fn number(&self) -> u64;
    /// The number and its name as JSON, without the key of the number:
    /// `12,"name":"ENCR_AES_CBC"`. None if the registry has no name for the number.
    fn json(&self) -> Option<&'static str>;
}

/// Numbers below this one are used as an index.
const SMALL: u16 = 256;

/// The texts of one registry.
struct RegistryTexts {
    small: Vec<Option<Box<str>>>,
    /// The texts of larger numbers, in ascending order.
    large: Vec<(u16, Box<str>)>,
}

impl RegistryTexts {
    /// Creates the texts. The numbers must be in ascending order.
    fn new(named: impl Iterator<Item = (u16, &'static str)>) -> Self {
        let mut texts = Self { small: Vec::new(), large: Vec::new() };
        for (number, name) in named {
            let text = format!("{number},\"name\":\"{name}\"").into_boxed_str();
            if number < SMALL {
                texts.small.resize_with(usize::from(number), || None);
                texts.small.push(Some(text));
            } else {
                texts.large.push((number, text));
            }
        }
        texts
    }

    fn get(&self, number: u16) -> Option<&str> {
        if let Some(text) = self.small.get(usize::from(number)) {
            return text.as_deref();
        }
        let place = self.large.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.large.get(place).map(|(_, text)| &**text)
    }
}

macro_rules! registered {
    ($($texts:ident: $registry:ident,)*) => {
        lazy_static! {$(
            static ref $texts: RegistryTexts = RegistryTexts::new(
                $registry::ALL.iter().filter_map(|it| Some((it.0.into(), it.name()?))),
            );
        )*}

        $(impl Registered for $registry {
            fn number(&self) -> u64 {
                self.0.into()
            }

            fn json(&self) -> Option<&'static str> {
                $texts.get(self.0.into())
            }
        })*

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn every_name_is_found_by_its_number() {
                $(for entry in $registry::ALL {
                    let text = format!("{},\"name\":\"{entry}\"", entry.0);
                    assert_eq!(entry.json(), Some(text.as_str()));
                })*
            }

            #[test]
            fn other_numbers_have_no_name() {
                $(for number in 0..=u16::from(u8::MAX) {
                    let entry = $registry(number.try_into().expect("it fits"));
                    assert_eq!(entry.json().is_some(), entry.name().is_some());
                })*
                assert_eq!(NotifyType(65_000).json(), None);
            }
        }
    };
}

registered! {
    AUTH_METHODS: AuthMethod,
    CERT_ENCODINGS: CertEncoding,
    CFG_ATTRIBUTES: CfgAttribute,
    CFG_TYPES: CfgType,
    ENCR: Encr,
    GATEWAY_ID_TYPES: GatewayIdType,
    GC_AUTH: GcAuth,
    HASH_ALGORITHMS: HashAlgorithm,
    ID_TYPES: IdType,
    INTEG: Integ,
    KEY_EXCHANGE_METHODS: KeyExchangeMethod,
    KEY_WRAP: KeyWrap,
    NOTIFY_TYPES: NotifyType,
    PAYLOAD_TYPES: PayloadType,
    PRF: Prf,
    SEQUENCE_NUMBERS: SequenceNumbers,
}

/// The type of a transform determines the registry of its identifier.
impl Registered for Transform {
    fn number(&self) -> u64 {
        self.id.into()
    }

    fn json(&self) -> Option<&'static str> {
        match self.kind {
            TransformType::ENCR => Encr(self.id).json(),
            TransformType::PRF => Prf(self.id).json(),
            TransformType::INTEG => Integ(self.id).json(),
            TransformType::SN => SequenceNumbers(self.id).json(),
            TransformType::KWA => KeyWrap(self.id).json(),
            TransformType::GCAUTH => GcAuth(self.id).json(),
            kind if kind.is_key_exchange() => KeyExchangeMethod(self.id).json(),
            _ => None,
        }
    }
}
