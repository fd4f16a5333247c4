//! Negotiations with each kind of irregularity, and correct ones.

use super::Irregularity::*;
use super::*;
use crate::message::testing;
use crate::policy::testing::TransformNumbers;
use crate::wire::registry::{PayloadType, Protocol};
use crate::wire::testing::{notify_body, proposal, sa_body, transform, MessageBuilder};

const AES_128: TransformNumbers = (1, 12, Some(128));
const AES_256: TransformNumbers = (1, 12, Some(256));
const GCM_256: TransformNumbers = (1, 20, Some(256));
const PRF: TransformNumbers = (2, 5, None);
const SHA_1: TransformNumbers = (3, 2, None);
const SHA_2: TransformNumbers = (3, 12, None);
const NO_INTEG: TransformNumbers = (3, 0, None);
const MODP_2048: TransformNumbers = (4, 14, None);
const ECP_256: TransformNumbers = (4, 19, None);
const ML_KEM_768: TransformNumbers = (6, 36, None);
const NO_ADDKE: TransformNumbers = (6, 0, None);

const USUAL: &[TransformNumbers] = &[AES_128, AES_256, PRF, SHA_1, SHA_2, MODP_2048, ECP_256];
const CHOICE: &[TransformNumbers] = &[AES_256, PRF, SHA_2, ECP_256];

fn decode(message: MessageBuilder) -> Message {
    testing::decode(&message.build())
}

fn bytes(number: u8, transforms: &[TransformNumbers]) -> Vec<u8> {
    let transforms: Vec<_> = transforms
        .iter()
        .map(|(kind, id, key_length)| transform(TransformType(*kind), *id, *key_length))
        .collect();
    proposal(number, Protocol::IKE, &[], &transforms)
}

fn with_sa(message: MessageBuilder, proposals: &[Vec<u8>], group: u16) -> Message {
    let ke = [&group.to_be_bytes()[..], &[0; 2], &[7; 64]].concat();
    decode(
        message
            .payload(PayloadType::SA, sa_body(proposals))
            .payload(PayloadType::KE, ke)
            .payload(PayloadType::NONCE, [7; 32]),
    )
}

fn request(proposals: &[&[TransformNumbers]], group: u16) -> Message {
    let proposals: Vec<_> = (1..).zip(proposals).map(|(number, it)| bytes(number, it)).collect();
    with_sa(MessageBuilder::request(ExchangeType::IKE_SA_INIT), &proposals, group)
}

fn response(proposals: &[(u8, &[TransformNumbers])], group: u16) -> Message {
    let proposals: Vec<_> = proposals.iter().map(|(number, it)| bytes(*number, it)).collect();
    let message = MessageBuilder::response(ExchangeType::IKE_SA_INIT);
    with_sa(message.header(|header| header.message_id = 0), &proposals, group)
}

fn invalid_ke(group: u16) -> Message {
    let body = notify_body(NotifyType::INVALID_KE_PAYLOAD, &group.to_be_bytes());
    let message = MessageBuilder::response(ExchangeType::IKE_SA_INIT);
    decode(message.payload(PayloadType::NOTIFY, body))
}

fn offer(proposals: &[&[TransformNumbers]], group: u16) -> StoredOffer {
    StoredOffer::of(&request(proposals, group)).unwrap()
}

fn list(found: Irregularities) -> Vec<Irregularity> {
    found.iter().collect()
}

/// The irregularities of a choice from a single proposal with these alternatives.
fn choice(offered: &[TransformNumbers], chosen: &[TransformNumbers]) -> Vec<Irregularity> {
    let group = 19;
    list(offer(&[offered], group).check_response(&response(&[(1, chosen)], group)))
}

#[test]
fn an_honest_choice_has_no_irregularity() {
    assert_eq!(choice(USUAL, CHOICE), []);
    assert_eq!(choice(CHOICE, CHOICE), []);
    let mut two = offer(&[&[GCM_256, PRF, ECP_256], USUAL], 19);
    assert_eq!(list(two.check_response(&response(&[(2, CHOICE)], 19))), []);
}

#[test]
fn algorithms_that_were_not_offered_are_found() {
    for chosen in [
        [(1, 13, Some(256)), PRF, SHA_2, ECP_256],
        [(1, 12, Some(192)), PRF, SHA_2, ECP_256],
        [(1, 12, None), PRF, SHA_2, ECP_256],
        [AES_256, (2, 7, None), SHA_2, ECP_256],
        [AES_256, PRF, (3, 14, None), ECP_256],
    ] {
        assert_eq!(choice(USUAL, &chosen), [ChosenNotOffered], "{chosen:?}");
    }
}

#[test]
fn a_choice_is_one_of_each_type_and_of_one_proposal() {
    assert_eq!(choice(USUAL, &[AES_128, AES_256, PRF, SHA_2, ECP_256]), [ChosenNotOffered]);
    assert_eq!(choice(USUAL, &[AES_256, PRF, ECP_256]), [ChosenNotOffered]);
    assert_eq!(choice(USUAL, &[AES_256, PRF, SHA_2, ECP_256, NO_ADDKE]), []);
    assert_eq!(choice(USUAL, &[AES_256, PRF, SHA_2, ECP_256, ML_KEM_768]), [ChosenNotOffered]);
    let mut two = offer(&[&[GCM_256, PRF, ECP_256], &[AES_256, PRF, SHA_2, ECP_256]], 19);
    let mixed = response(&[(1, &[GCM_256, PRF, SHA_2, ECP_256])], 19);
    assert_eq!(list(two.check_response(&mixed)), [ChosenNotOffered]);
    let wrong_number = response(&[(3, CHOICE)], 19);
    assert_eq!(list(two.check_response(&wrong_number)), [ChosenNotOffered]);
    let both = response(&[(1, &[GCM_256, PRF, ECP_256]), (2, CHOICE)], 19);
    assert_eq!(list(two.check_response(&both)), [MultipleChosen]);
}

#[test]
fn none_is_the_same_as_nothing() {
    let aead = [GCM_256, PRF, ECP_256];
    let aead_none = [GCM_256, PRF, NO_INTEG, ECP_256];
    for (offered, chosen) in [
        (&aead[..], &aead_none[..]),
        (&aead_none, &aead),
        (&[GCM_256, PRF, SHA_2, ECP_256], &aead),
        (&[GCM_256, PRF, ECP_256, ML_KEM_768, NO_ADDKE], &aead),
        (&[GCM_256, PRF, ECP_256, (5, 0, None)], &aead),
    ] {
        assert_eq!(choice(offered, chosen), [], "{offered:?}");
    }
    assert_eq!(choice(&[GCM_256, PRF, ECP_256, ML_KEM_768], &aead), [ChosenNotOffered]);
    let cbc_none = [AES_256, PRF, NO_INTEG, ECP_256];
    assert_eq!(choice(USUAL, &cbc_none), [ChosenNotOffered]);
}

#[test]
fn protocol_and_spi_are_the_offered_ones() {
    let transforms: Vec<_> = CHOICE
        .iter()
        .map(|(kind, id, length)| transform(TransformType(*kind), *id, *length))
        .collect();
    for (protocol, spi) in [(Protocol::ESP, &[][..]), (Protocol::IKE, &[1; 8])] {
        let message = MessageBuilder::response(ExchangeType::IKE_SA_INIT);
        let chosen = proposal(1, protocol, spi, &transforms);
        let found = offer(&[USUAL], 19).check_response(&with_sa(message, &[chosen], 19));
        assert_eq!(list(found), [ChosenNotOffered]);
    }
}

#[test]
fn a_key_length_of_a_cipher_that_has_one_says_nothing() {
    let offered = [(1, 3, Some(192)), PRF, SHA_1, ECP_256];
    assert_eq!(choice(&offered, &[(1, 3, None), PRF, SHA_1, ECP_256]), []);
}

#[test]
fn a_key_exchange_is_of_an_offered_group() {
    assert_eq!(list(check_request(&request(&[USUAL], 14))), []);
    assert_eq!(list(check_request(&request(&[USUAL], 31))), [KeGroupNotOffered]);
    assert_eq!(list(check_request(&response(&[(1, CHOICE)], 31))), []);
    let mut offer = offer(&[USUAL], 19);
    let found = offer.check_response(&response(&[(1, CHOICE)], 14));
    assert_eq!(list(found), [KeGroupNotOffered]);
    let chosen = [AES_256, PRF, SHA_2, MODP_2048];
    let found = offer.check_response(&response(&[(1, &chosen)], 14));
    assert_eq!(list(found), [KeGroupNotOffered]);
}

#[test]
fn only_a_weaker_group_is_a_downgrade() {
    let mut strong = offer(&[USUAL], 19);
    assert_eq!(list(strong.check_response(&invalid_ke(14))), [DowngradeKe]);
    let mut weak = offer(&[USUAL], 14);
    assert_eq!(list(weak.check_response(&invalid_ke(19))), []);
    assert_eq!(list(weak.check_response(&invalid_ke(14))), []);
    assert_eq!(list(weak.check_response(&invalid_ke(1))), [KeGroupNotOffered, DowngradeKe]);
    // Without an estimate of strength nothing is reported.
    assert_eq!(list(weak.check_response(&invalid_ke(1025))), [KeGroupNotOffered]);
}

#[test]
fn after_a_rejection_the_group_may_be_one_of_a_request_not_seen() {
    let mut offer = offer(&[USUAL], 14);
    offer.check_response(&invalid_ke(19));
    assert_eq!(list(offer.check_response(&response(&[(1, CHOICE)], 19))), []);
}

#[test]
fn a_retry_offers_as_much_as_the_first_request() {
    let less = [AES_128, PRF, SHA_2, ECP_256];
    let mut first = offer(&[USUAL], 14);
    assert_eq!(list(first.renew(offer(&[USUAL], 19))), []);
    assert_eq!(list(first.renew(offer(&[CHOICE], 19))), []);
    assert_eq!(list(first.clone().renew(offer(&[&less], 19))), [DowngradeRetry]);
    let weak_group = [AES_256, PRF, SHA_2, MODP_2048];
    assert_eq!(list(first.renew(offer(&[&weak_group], 14))), [DowngradeRetry]);
    // The comparison is always with the first request.
    assert_eq!(list(first.renew(offer(&[&weak_group], 14))), [DowngradeRetry]);
    let hybrid = [GCM_256, PRF, ECP_256, ML_KEM_768];
    let mut first = offer(&[&hybrid], 19);
    assert_eq!(list(first.renew(offer(&[&[GCM_256, PRF, ECP_256]], 19))), [DowngradeRetry]);
    // An algorithm without an estimate may be stronger than the one it replaces.
    let unknown = [GCM_256, PRF, (4, 2000, None)];
    let mut first = offer(&[&[GCM_256, PRF, ECP_256]], 19);
    assert_eq!(list(first.renew(offer(&[&unknown], 2000))), []);
}

#[test]
fn other_messages_are_no_offer_and_no_answer() {
    assert!(StoredOffer::of(&response(&[(1, CHOICE)], 19)).is_none());
    assert!(StoredOffer::of(&invalid_ke(19)).is_none());
    assert!(Chosen::of(&request(&[CHOICE], 19)).is_none());
    let found = offer(&[USUAL], 19).check_response(&request(&[CHOICE], 31));
    assert!(found.is_empty());
}

#[test]
fn an_offer_is_bounded_and_small() {
    let many: Vec<TransformNumbers> = (0..200).map(|id| (1, id, Some(256))).collect();
    assert!(StoredOffer::of(&request(&[&many, &many, &many], 19)).is_none());
    let offer = offer(&[USUAL, USUAL], 19);
    let packed = REFERENCES + size_of::<PackedOffer>();
    assert!(packed <= 80, "{packed}");
    assert!(offer.heap_size() <= packed + 2 * 8 + 2 * USUAL.len() * 4);
    assert!(size_of::<StoredOffer>() <= 72, "{}", size_of::<StoredOffer>());
    assert!(size_of::<Chosen>() <= 40, "{}", size_of::<Chosen>());
}

#[test]
fn a_choice_is_kept_with_all_its_parts() {
    let hybrid = [GCM_256, PRF, NO_INTEG, ECP_256, ML_KEM_768];
    let chosen = Chosen::of(&response(&[(1, &hybrid)], 19)).unwrap();
    assert_eq!((chosen.encr(), chosen.key_length()), (Some(Encr::ENCR_AES_GCM_16), Some(256)));
    assert_eq!((chosen.integ(), chosen.dh()), (None, Some(KeyExchangeMethod::ECP_256)));
    assert_eq!(chosen.id(TransformType::ADDKE1), Some(36));
    assert_eq!(chosen.id(TransformType::ADDKE7), None);
    assert_eq!(chosen.id(TransformType(200)), None);
    assert_eq!(chosen.security_bits(), Some(192));
    let all: Vec<_> = chosen.transforms().map(|it| (it.kind.0, it.id, it.key_length)).collect();
    assert_eq!(all, hybrid);
    let twice = Chosen::of(&response(&[(1, CHOICE), (2, CHOICE)], 19)).unwrap();
    assert_eq!(twice.security_bits(), None);
}

fn peer(number: u32) -> Endpoint {
    Endpoint { address: number.to_be_bytes().into(), port: 500 }
}

#[test]
fn peers_that_settle_for_less_are_found_once() {
    let peers = PeerStrengths::new(1024);
    assert!(!peers.record(&peer(1), &peer(2), 128));
    assert!(!peers.record(&peer(1), &peer(2), 256));
    assert!(!peers.record(&peer(1), &peer(3), 112));
    assert!(peers.record(&peer(2), &peer(1), 128));
    assert!(!peers.record(&peer(1), &peer(2), 128));
    assert!(peers.record(&peer(1), &peer(2), 0));
    assert!(!peers.record(&peer(1), &peer(2), u16::MAX));
    assert!(peers.record(&peer(1), &peer(2), 1));
}

#[test]
fn a_peer_is_an_address_and_a_port() {
    let peers = PeerStrengths::new(1024);
    assert!(!peers.record(&peer(1), &peer(2), 256));
    let client = Endpoint { port: 40000, ..peer(1) };
    assert!(!peers.record(&client, &peer(2), 128));
    assert!(peers.record(&peer(1), &peer(2), 128));
}

#[test]
fn the_memory_of_peers_is_bounded_and_confuses_none() {
    let peers = PeerStrengths::new(1000);
    assert_eq!(peers.heap_size(), 8 * 1024);
    // Every pair has a lower strength than the pairs before. If one pair were taken for
    // another, this would be found as a downgrade.
    for pair in 0..60_000 {
        assert!(!peers.record(&peer(0), &peer(pair + 1), 60_000 - pair as u16));
    }
    for smallest in [0, 1, 3] {
        assert!(!PeerStrengths::new(smallest).record(&peer(1), &peer(2), 9));
    }
}

#[test]
fn a_pair_among_few_is_not_forgotten() {
    let peers = PeerStrengths::new(4096);
    for pair in 0..400 {
        peers.record(&peer(0), &peer(pair + 1), 256);
    }
    let remembered = (0..400).filter(|pair| peers.record(&peer(0), &peer(pair + 1), 128)).count();
    assert!(remembered >= 399, "{remembered}");
}

#[test]
fn names_are_distinct() {
    let mut names: Vec<_> = Irregularity::ALL.iter().map(|it| it.name()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
