//! EAP (RFC 3748) inside IKE_AUTH.

use crate::wire::registry::{EapCode, EapMethod};
use crate::wire::Eap;

/// The identity in a response of type Identity (RFC 3748, 5.1).
pub fn identity<'a>(eap: &Eap<'a>) -> Option<&'a [u8]> {
    let is_identity = eap.code == EapCode::RESPONSE && eap.method == Some(EapMethod::IDENTITY);
    is_identity.then_some(eap.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_response_of_type_identity_has_one() {
        let identity_of = |body: &[u8]| {
            Eap::parse(body, 32).ok().and_then(|eap| identity(&eap).map(<[u8]>::to_vec))
        };
        assert_eq!(identity_of(b"\x02\x07\x00\x0a\x01alice"), Some(b"alice".to_vec()));
        assert_eq!(identity_of(b"\x01\x07\x00\x0a\x01alice"), None);
        assert_eq!(identity_of(b"\x02\x07\x00\x0a\x04alice"), None);
        assert_eq!(identity_of(b"\x03\x07\x00\x04"), None);
    }
}
