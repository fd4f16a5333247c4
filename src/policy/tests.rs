use super::testing::{
    set, TransformNumbers, AES, AH, ECP, ESP, GCM, GIKE_UPDATE, IKE, PRF_SHA, SHA,
};
use super::*;

type Found = (FindingKind, Option<u16>);

fn short(findings: &[Finding]) -> Vec<Found> {
    findings.iter().map(|it| (it.kind, it.transform.map(|transform| transform.id))).collect()
}

/// The findings of the default policy in one proposal.
fn findings(protocol: u8, transforms: &[TransformNumbers]) -> Vec<Found> {
    found("rfc8247", protocol, transforms)
}

fn found(policy: &str, protocol: u8, transforms: &[TransformNumbers]) -> Vec<Found> {
    let policy = Policy::named(policy, None).unwrap();
    let set = set(&[(protocol, transforms)]);
    let findings = assess(&set, policy);
    assert_eq!(finds(&set, policy, &[]), !findings.is_empty());
    assert!(findings.iter().all(|it| it.policy == policy.name()));
    short(&findings)
}

/// The reason to refuse one transform when the other transforms are `rest`.
fn reason(policy: &str, transform: TransformNumbers, rest: &[TransformNumbers]) -> &'static str {
    let all = [&[transform], rest].concat();
    let findings = assess(&set(&[(IKE, &all)]), Policy::named(policy, None).unwrap());
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings[0].reason
}

#[test]
fn a_sound_proposal_has_no_finding() {
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA, ECP]), []);
    assert_eq!(findings(IKE, &[(1, 20, Some(128)), PRF_SHA, (4, 31, None)]), []);
    assert_eq!(findings(IKE, &[GCM, (3, 0, None), PRF_SHA, ECP]), []);
    assert_eq!(assess(&set(&[(IKE, &[GCM, PRF_SHA, ECP])]), Policy::standard()).capacity(), 0);
}

#[test]
fn weak_algorithms_of_every_kind_are_found() {
    let found = findings(IKE, &[(1, 3, None), (2, 1, None), (3, 1, None), (4, 2, None)]);
    let wanted = [
        (FindingKind::Encr, Some(3)),
        (FindingKind::Prf, Some(1)),
        (FindingKind::Integ, Some(1)),
        (FindingKind::Dh, Some(2)),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn an_algorithm_offered_several_times_is_one_finding() {
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA, (4, 2, None), (4, 2, None)]).len(), 1);
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA, (4, 2, None), (6, 2, None)]).len(), 1);
    let weak: &[_] = &[(1, 2, None), SHA, PRF_SHA, ECP];
    assert_eq!(assess(&set(&[(IKE, weak), (IKE, weak)]), Policy::standard()).len(), 1);
}

#[test]
fn each_key_length_is_a_finding_of_its_own() {
    let transforms = [(1, 23, Some(128)), (1, 23, Some(256)), SHA, PRF_SHA, ECP];
    let wanted = [(FindingKind::Encr, Some(23)), (FindingKind::Encr, Some(23))];
    assert_eq!(found("anssi", IKE, &transforms), wanted);
}

#[test]
fn findings_are_limited_and_many_of_one_kind_hide_no_other() {
    let many: Vec<_> = (1000..1200).map(|id| (1, id, None)).chain([SHA, PRF_SHA, ECP]).collect();
    let findings = found("cnsa-2", IKE, &many);
    assert_eq!(findings.len(), MAX_FINDINGS - FindingKind::ALL.len() + 3);
    let last =
        [(FindingKind::Integ, Some(12)), (FindingKind::Prf, Some(5)), (FindingKind::Dh, Some(19))];
    assert_eq!(findings[findings.len() - 3..], last);
}

#[test]
fn xcbc_is_not_weak_and_groups_23_to_25_are() {
    assert_eq!(findings(IKE, &[AES, (3, 5, None), PRF_SHA, ECP]), []);
    for group in [22, 23, 24, 25] {
        let found = findings(IKE, &[AES, SHA, PRF_SHA, (4, group, None)]);
        assert_eq!(found, [(FindingKind::Dh, Some(group))]);
    }
}

#[test]
fn the_default_policy_accepts_sha_1_and_unassigned_numbers() {
    assert_eq!(findings(IKE, &[AES, (3, 2, None), (2, 2, None), (4, 14, None)]), []);
    assert_eq!(findings(IKE, &[(1, 1026, None), SHA, (2, 77, None), (4, 1030, None)]), []);
    // It is not known whether such a cipher provides integrity.
    assert_eq!(findings(IKE, &[(1, 1026, None), PRF_SHA, ECP]), []);
}

#[test]
fn a_hybrid_is_sound_and_its_additional_methods_are_judged() {
    let hybrid = [AES, SHA, PRF_SHA, ECP, (6, 36, None), (7, 0, None)];
    assert_eq!(findings(IKE, &hybrid), []);
    let weak = [AES, SHA, PRF_SHA, ECP, (6, 1, None)];
    assert_eq!(findings(IKE, &weak), [(FindingKind::Dh, Some(1))]);
}

#[test]
fn key_lengths_are_checked() {
    let lengths = |bits| findings(IKE, &[(1, 12, bits), SHA, PRF_SHA, ECP]);
    assert_eq!(lengths(Some(192)), []);
    for bits in [None, Some(0), Some(64), Some(512)] {
        assert_eq!(lengths(bits), [(FindingKind::KeyLength, Some(12))]);
    }
}

#[test]
fn ciphers_with_one_key_length_have_no_attribute() {
    let chacha = |bits| findings(IKE, &[(1, 28, bits), PRF_SHA, ECP]);
    assert_eq!(chacha(None), []);
    assert_eq!(chacha(Some(256)), [(FindingKind::KeyLength, Some(28))]);
    let des = findings(IKE, &[(1, 3, Some(192)), SHA, PRF_SHA, ECP]);
    assert_eq!(des, [(FindingKind::Encr, Some(3)), (FindingKind::KeyLength, Some(3))]);
}

#[test]
fn missing_transforms_are_found() {
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA]), [(FindingKind::NoDh, None)]);
    assert_eq!(findings(IKE, &[AES, SHA, ECP]), [(FindingKind::Prf, None)]);
    assert_eq!(findings(IKE, &[SHA, PRF_SHA, ECP]), [(FindingKind::Encr, None)]);
    assert_eq!(findings(ESP, &[AES, SHA]), []);
    assert_eq!(findings(IKE, &[AES, PRF_SHA, ECP]), [(FindingKind::NoInteg, None)]);
    assert_eq!(findings(IKE, &[AES, (3, 0, None), PRF_SHA, ECP]), [(FindingKind::NoInteg, None)]);
    assert_eq!(
        findings(IKE, &[AES, SHA, (3, 0, None), PRF_SHA, ECP]),
        [(FindingKind::NoInteg, None)]
    );
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA, (4, 0, None)]), [(FindingKind::NoDh, Some(0))]);
    assert_eq!(findings(IKE, &[AES, SHA, PRF_SHA, ECP, (6, 0, None)]), []);
}

#[test]
fn nothing_is_reported_as_missing_in_damaged_proposals() {
    let mut bytes = testing::bytes(&[(IKE, &[AES, SHA, PRF_SHA, ECP])]);
    // Sets a wrong length in the second transform.
    bytes[8 + 12 + 3] = 7;
    let mut cut = ProposalSet::default();
    let mut errors = 0;
    cut.add(crate::wire::Proposals::new(&bytes, 0), &mut |_| errors += 1);
    assert_eq!((errors > 0, cut.all_transforms().len()), (true, 1));
    assert_eq!(assess(&cut, Policy::standard()), []);
    assert_eq!(assess(&set(&[(IKE, &[])]), Policy::standard()).len(), 3);
}

#[test]
fn aead_ciphers_go_without_integrity_algorithms_and_other_ciphers() {
    let both = [GCM, SHA, (3, 13, None), PRF_SHA, ECP];
    assert_eq!(findings(IKE, &both), [(FindingKind::Integ, Some(12))]);
    assert_eq!(findings(IKE, &[GCM, AES, SHA, PRF_SHA, ECP]), [(FindingKind::Integ, None)]);
    let neither = [(FindingKind::NoInteg, None), (FindingKind::Integ, None)];
    assert_eq!(findings(IKE, &[GCM, AES, PRF_SHA, ECP]), neither);
    assert_eq!(findings(ESP, &[GCM, SHA]), [(FindingKind::Integ, Some(12))]);
}

#[test]
fn sequence_numbers_are_for_child_sas() {
    assert_eq!(
        findings(IKE, &[AES, SHA, PRF_SHA, ECP, (5, 0, None)]),
        [(FindingKind::Esn, Some(0))]
    );
    assert_eq!(findings(ESP, &[AES, SHA, (5, 1, None)]), []);
    assert_eq!(findings(AH, &[SHA, (5, 1, None)]), []);
}

#[test]
fn findings_of_composition_are_marked() {
    let transforms = [(1, 2, None), SHA, PRF_SHA];
    let findings = assess(&set(&[(IKE, &transforms)]), Policy::standard());
    let composition: Vec<_> = findings.iter().map(|it| (it.kind, it.composition)).collect();
    assert_eq!(composition, [(FindingKind::Encr, false), (FindingKind::NoDh, true)]);
}

#[test]
fn algorithms_not_allowed_in_ike_are_found_only_in_ike() {
    for id in [11, 34] {
        assert_eq!(
            findings(IKE, &[(1, id, None), SHA, PRF_SHA, ECP])[0],
            (FindingKind::Encr, Some(id))
        );
    }
    for id in [21, 29, 30, 31] {
        assert_eq!(findings(IKE, &[(1, id, None), PRF_SHA, ECP]), [(FindingKind::Encr, Some(id))]);
        assert_eq!(findings(ESP, &[(1, id, None)]), []);
        assert_eq!(found("cnsa-2", ESP, &[(1, id, None)]), []);
    }
    assert_eq!(findings(ESP, &[(1, 11, None), SHA]), []);
    assert_eq!(findings(ESP, &[(1, 11, None)]), [(FindingKind::NoInteg, None)]);
    // Camellia in counter modes is not defined for IKE, but common peers offer it.
    assert_eq!(findings(IKE, &[(1, 24, Some(128)), SHA, PRF_SHA, ECP]), []);
    assert_eq!(findings(IKE, &[(1, 27, Some(128)), PRF_SHA, ECP]), []);
}

#[test]
fn child_sas_and_groups_are_judged_by_algorithm() {
    assert_eq!(findings(ESP, &[(1, 2, None), (3, 1, None)]).len(), 2);
    assert_eq!(found("nist-sp800-77r1", AH, &[(3, 10, None)]), []);
    assert_eq!(found("bsi-tr-02102-3", ESP, &[GCM, (4, 0, None), (5, 0, None)]), []);
    assert_eq!(found("bsi-tr-02102-3", ESP, &[GCM, (4, 14, None)]), [(FindingKind::Dh, Some(14))]);
    assert_eq!(findings(GIKE_UPDATE, &[GCM, (13, 1, None), (14, 1, None)]), []);
}

#[test]
fn nist_refuses_what_is_not_approved() {
    let policy = "nist-sp800-77r1";
    assert_eq!(found(policy, IKE, &[AES, SHA, PRF_SHA, (4, 14, None)]), []);
    assert_eq!(found(policy, IKE, &[AES, (3, 2, None), (2, 2, None), ECP]), []);
    let refused = [(1, 28, None), (2, 4, None), (4, 28, None)];
    let wanted =
        [(FindingKind::Encr, Some(28)), (FindingKind::Prf, Some(4)), (FindingKind::Dh, Some(28))];
    assert_eq!(found(policy, IKE, &refused), wanted);
    assert_eq!(found(policy, IKE, &[(1, 20, Some(192)), PRF_SHA, ECP]), []);
    // These groups were not found in the source, so they are not refused.
    for group in [31, 32, 35, 36, 37] {
        assert_eq!(found(policy, IKE, &[GCM, (2, 8, None), (4, group, None)]), []);
    }
    assert!(!reason(policy, (4, 2, None), &[GCM, PRF_SHA]).contains("unconfirmed"));
    assert!(reason(policy, (2, 4, None), &[GCM, ECP]).contains("unconfirmed"));
}

#[test]
fn bsi_refuses_small_groups_and_sha_1() {
    let policy = "bsi-tr-02102-3";
    assert_eq!(found(policy, IKE, &[AES, SHA, PRF_SHA, (4, 28, None)]), []);
    assert_eq!(found(policy, IKE, &[(1, 15, Some(128)), (2, 4, None), (4, 31, None)]), []);
    let refused = [AES, (3, 2, None), (2, 2, None), (4, 14, None)];
    let wanted =
        [(FindingKind::Integ, Some(2)), (FindingKind::Prf, Some(2)), (FindingKind::Dh, Some(14))];
    assert_eq!(found(policy, IKE, &refused), wanted);
    assert!(!reason(policy, (4, 14, None), &[GCM, PRF_SHA]).contains("unconfirmed"));
    assert!(reason(policy, (4, 32_000, None), &[GCM, PRF_SHA]).contains("unconfirmed"));
}

#[test]
fn ml_kem_is_for_hybrids_where_it_is_not_listed() {
    for policy in ["bsi-tr-02102-3", "anssi"] {
        assert_eq!(found(policy, IKE, &[GCM, PRF_SHA, ECP, (6, 36, None)]), []);
        assert_eq!(found(policy, IKE, &[GCM, PRF_SHA, (4, 36, None), (6, 19, None)]), []);
        let alone = found(policy, IKE, &[GCM, PRF_SHA, (4, 36, None), (6, 0, None)]);
        assert_eq!(alone, [(FindingKind::Dh, Some(36))]);
    }
}

#[test]
fn anssi_refuses_keys_of_192_bits() {
    let suite = |bits| found("anssi", IKE, &[(1, 20, bits), PRF_SHA, (4, 15, None)]);
    assert_eq!(suite(Some(128)), []);
    assert_eq!(suite(Some(256)), []);
    assert_eq!(suite(Some(192)), [(FindingKind::KeyLength, Some(20))]);
    assert_eq!(suite(None), [(FindingKind::KeyLength, Some(20))]);
    assert_eq!(found("anssi", IKE, &[GCM, PRF_SHA, (4, 14, None)]), []);
    let refused = found("anssi", IKE, &[(1, 16, Some(128)), (2, 2, None), (4, 31, None)]);
    assert_eq!(
        refused,
        [(FindingKind::Encr, Some(16)), (FindingKind::Prf, Some(2)), (FindingKind::Dh, Some(31))]
    );
}

#[test]
fn cnsa_1_is_one_cipher_two_hashes_and_three_groups() {
    let sound = [GCM, (2, 6, None), (4, 20, None)];
    assert_eq!(found("cnsa-1", IKE, &sound), []);
    let refused = found("cnsa-1", IKE, &[(1, 20, Some(128)), PRF_SHA, ECP]);
    assert_eq!(
        refused,
        [
            (FindingKind::KeyLength, Some(20)),
            (FindingKind::Prf, Some(5)),
            (FindingKind::Dh, Some(19))
        ]
    );
    let cbc = found("cnsa-1", IKE, &[AES, (3, 13, None), (2, 6, None), (4, 15, None)]);
    assert_eq!(cbc, [(FindingKind::Encr, Some(12))]);
    assert!(!reason("cnsa-1", PRF_SHA, &[GCM, (4, 20, None)]).contains("unconfirmed"));
    assert!(reason("cnsa-1", ECP, &[GCM, (2, 6, None)]).contains("unconfirmed"));
}

#[test]
fn cnsa_2_wants_ml_kem_1024_and_takes_p_384_beside_it() {
    let suite = |exchanges: &[TransformNumbers]| {
        found("cnsa-2", IKE, &[&[GCM, (2, 6, None)], exchanges].concat())
    };
    assert_eq!(suite(&[(4, 37, None)]), []);
    assert_eq!(suite(&[(4, 20, None), (6, 37, None)]), []);
    assert_eq!(suite(&[(4, 20, None)]), [(FindingKind::Dh, Some(20))]);
    assert_eq!(suite(&[(4, 20, None), (4, 37, None)]), [(FindingKind::Dh, Some(20))]);
    assert_eq!(suite(&[(4, 31, None), (6, 37, None)]), [(FindingKind::Dh, Some(31))]);
    let other = [(FindingKind::Dh, Some(20)), (FindingKind::Dh, Some(36))];
    assert_eq!(suite(&[(4, 20, None), (6, 36, None)]), other);
}

#[test]
fn closed_lists_refuse_unassigned_numbers() {
    for policy in Policy::all().iter().skip(1) {
        let found = found(policy.name(), IKE, &[GCM, (2, 6, None), (4, 1030, None)]);
        assert_eq!(found, [(FindingKind::Dh, Some(1030))], "{}", policy.name());
    }
}

fn custom(names: &[(&str, &str)]) -> Policy {
    let mut lists = CustomPolicy::default();
    assert!(lists.is_empty());
    for (kind, name) in names {
        lists.allow(kind, name).unwrap();
    }
    Policy::custom(lists)
}

#[test]
fn custom_allows_what_it_names_and_judges_the_kinds_that_it_has() {
    let policy = custom(&[
        ("encr", "ENCR_AES_GCM_16_256"),
        ("encr", "ENCR_AES_CBC"),
        ("dh", "ECP_384"),
        ("dh", "ML_KEM_768"),
    ]);
    let found =
        |protocol, transforms: &[_]| short(&assess(&set(&[(protocol, transforms)]), &policy));
    assert_eq!(found(IKE, &[GCM, (2, 1, None), (4, 20, None), (6, 36, None), (6, 0, None)]), []);
    assert_eq!(found(IKE, &[AES, SHA, PRF_SHA, (4, 20, None)]), []);
    let refused = found(IKE, &[(1, 20, Some(128)), PRF_SHA, ECP]);
    assert_eq!(refused, [(FindingKind::KeyLength, Some(20)), (FindingKind::Dh, Some(19))]);
    assert_eq!(found(IKE, &[(1, 28, None), PRF_SHA])[0], (FindingKind::Encr, Some(28)));
    assert_eq!(
        found(IKE, &[(1, 20, None), PRF_SHA, (4, 20, None)]),
        [(FindingKind::KeyLength, Some(20))]
    );
    assert_eq!(found(ESP, &[GCM, (4, 0, None), (5, 1, None)]), []);
}

#[test]
fn custom_can_judge_sequence_numbers_and_leaves_none_to_composition() {
    let policy = custom(&[("integ", "AUTH_HMAC_SHA2_256_128"), ("esn", "ESN")]);
    let found =
        |protocol, transforms: &[_]| short(&assess(&set(&[(protocol, transforms)]), &policy));
    assert_eq!(found(ESP, &[AES, SHA, (5, 1, None)]), []);
    assert_eq!(found(ESP, &[GCM, (3, 0, None), (5, 0, None)]), [(FindingKind::Esn, Some(0))]);
    assert_eq!(found(ESP, &[AES, (3, 13, None), (5, 1, None)]), [(FindingKind::Integ, Some(13))]);
}

#[test]
fn policies_are_found_by_name() {
    assert_eq!(Policy::standard().name(), "rfc8247");
    for policy in Policy::all() {
        let found = Policy::named(&policy.name().to_uppercase(), None).unwrap();
        assert_eq!(found.name(), policy.name());
    }
    let lists = custom(&[("dh", "ECP_256")]);
    assert_eq!(Policy::named("custom", Some(&lists)).unwrap().name(), "custom");
    assert_eq!(
        Policy::named("custom", None).unwrap_err(),
        "\"custom\" needs lists of algorithms in custom-policy"
    );
    assert_eq!(
        Policy::named("cnsa2", None).unwrap_err(),
        "\"cnsa2\" is not a known policy (rfc8247, nist-sp800-77r1, bsi-tr-02102-3, anssi, \
         cnsa-1, cnsa-2, custom); did you mean \"cnsa-2\"?"
    );
}

#[test]
fn no_two_policies_have_the_same_number() {
    let customs = [custom(&[("dh", "ECP_256")]), custom(&[("dh", "ECP_384")])];
    let all: Vec<_> = Policy::all().iter().chain(&customs).collect();
    for (place, policy) in all.iter().enumerate() {
        let same: Vec<_> = all.iter().map(|other| other == policy).collect();
        let itself: Vec<_> = (0..all.len()).map(|other| other == place).collect();
        assert_eq!(same, itself, "{}", policy.name());
    }
}

#[test]
fn findings_can_be_limited_to_one_kind() {
    let set = set(&[(IKE, &[AES, SHA, PRF_SHA, (4, 2, None)])]);
    assert!(finds(&set, Policy::standard(), &[FindingKind::Encr, FindingKind::Dh]));
    assert!(!finds(&set, Policy::standard(), &[FindingKind::Encr]));
}
