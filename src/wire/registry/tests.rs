//! Compares the tables with IANA's registries and with the numbers that peers send.

use super::*;

/// Checks one table: the names are unique, contain only allowed characters, and are found
/// in upper and lower case. The numbers ascend.
macro_rules! check {
    ($($registry:ident),*) => {$({
        let all = $registry::ALL;
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        for entry in all {
            let name = entry.name().unwrap();
            assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'), "{name}");
            assert_eq!($registry::from_name(&name.to_lowercase()), Some(*entry));
            assert_eq!($registry::from_name(&name.to_uppercase()), Some(*entry));
            assert_eq!(entry.to_string(), name);
        }
    })*};
}

#[test]
fn every_table_is_well_formed() {
    check!(
        ExchangeType,
        PayloadType,
        TransformType,
        AttributeType,
        Encr,
        Prf,
        Integ,
        KeyExchangeMethod,
        SequenceNumbers,
        KeyWrap,
        GcAuth,
        Protocol,
        IdType,
        CertEncoding,
        AuthMethod,
        NotifyType,
        IpcompTransform,
        TsType,
        CfgType,
        CfgAttribute,
        GatewayIdType,
        HashAlgorithm,
        SecurePasswordMethod,
        PpkIdType,
        EapCode,
        EapMethod
    );
}

#[test]
fn tables_have_as_many_rows_as_iana() {
    assert_eq!(ExchangeType::ALL.len(), 11);
    assert_eq!(PayloadType::ALL.len(), 23);
    assert_eq!(TransformType::ALL.len(), 14);
    assert_eq!(Encr::ALL.len(), 32);
    assert_eq!(Prf::ALL.len(), 9);
    assert_eq!(Integ::ALL.len(), 15);
    assert_eq!(KeyExchangeMethod::ALL.len(), 28);
    let of_iana = |kind: &&NotifyType| !matches!(kind.0, 8192..16384 | 40960..);
    assert_eq!(NotifyType::ALL.iter().filter(of_iana).count(), 25 + 64);
    assert_eq!(NotifyType::ALL.len(), 25 + 64 + 17 + 27);
    assert_eq!(CfgAttribute::ALL.len(), 26);
}

#[test]
fn unassigned_numbers_print_as_numbers() {
    assert_eq!(ExchangeType(240).to_string(), "unknown-240");
    assert_eq!(format!("{:?}", Encr(1026)), "unknown-1026");
    assert_eq!(ExchangeType(240).name(), None);
    assert_eq!(Encr::from_name("unknown-1026"), None);
}

#[test]
fn the_numbers_that_peers_send_have_names() {
    let named = [16396, 16406, 16407, 16430, 16435, 16438, 16441];
    assert!(named.iter().all(|kind| NotifyType(*kind).name().is_some()));
    assert_eq!(NotifyType(44), NotifyType::CHILD_SA_NOT_FOUND);
    assert_eq!(NotifyType(46), NotifyType::AUTHORIZATION_FAILED);
    assert_eq!(NotifyType(16440), NotifyType::IP6_ALLOWED);
}

#[test]
fn initial_contact_is_a_status() {
    assert!(NotifyType::INITIAL_CONTACT.is_status());
    assert!(NotifyType(16383).is_error());
}

#[test]
fn the_name_of_a_transform_depends_on_its_type() {
    assert_eq!(transform_name(TransformType::ENCR, 20), Some("ENCR_AES_GCM_16"));
    assert_eq!(transform_name(TransformType::ADDKE1, 36), Some("ML_KEM_768"));
    assert_eq!(transform_name(TransformType::SN, 2), Some("UNSPECIFIED_32"));
    assert_eq!(transform_name(TransformType(200), 1), None);
    for kind in TransformType::ALL {
        let id = u16::from(*kind != TransformType::KE);
        assert!(transform_name(*kind, id).is_some(), "{kind}");
    }
}
