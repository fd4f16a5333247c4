//! The numbers that messages are built of, as IANA has them. Only those that tests need:
//! the plugin has tables of its own, and tests compare with other numbers than its.

/// Exchange type.
pub const IKE_SA_INIT: u8 = 34;
/// Exchange type.
pub const IKE_AUTH: u8 = 35;
/// Exchange type.
pub const CREATE_CHILD_SA: u8 = 36;
/// Exchange type.
pub const INFORMATIONAL: u8 = 37;

/// Flag of the header: sent by the original initiator of the IKE SA.
pub const INITIATOR: u8 = 0x08;
/// Flag of the header: a response.
pub const RESPONSE: u8 = 0x20;

/// Payload type: Security Association.
pub const SA: u8 = 33;
/// Payload type: Key Exchange.
pub const KE: u8 = 34;
/// Payload type: Identification of the initiator.
pub const IDI: u8 = 35;
/// Payload type: Identification of the responder.
pub const IDR: u8 = 36;
/// Payload type: Certificate.
pub const CERT: u8 = 37;
/// Payload type: Certificate Request.
pub const CERTREQ: u8 = 38;
/// Payload type: Authentication.
pub const AUTH: u8 = 39;
/// Payload type: Nonce.
pub const NONCE: u8 = 40;
/// Payload type: Notify.
pub const NOTIFY: u8 = 41;
/// Payload type: Delete.
pub const DELETE: u8 = 42;
/// Payload type: Vendor ID.
pub const VENDOR_ID: u8 = 43;
/// Payload type: Traffic Selectors of the initiator.
pub const TSI: u8 = 44;
/// Payload type: Traffic Selectors of the responder.
pub const TSR: u8 = 45;
/// Payload type: Encrypted and Authenticated.
pub const SK: u8 = 46;
/// Payload type: Configuration.
pub const CP: u8 = 47;
/// Payload type: Extensible Authentication.
pub const EAP: u8 = 48;
/// Payload type: Encrypted and Authenticated Fragment.
pub const SKF: u8 = 53;
/// Payload type: Puzzle Solution.
pub const PS: u8 = 54;
/// A payload type that IANA has not assigned.
pub const UNASSIGNED_PAYLOAD: u8 = 200;

/// Protocol of a proposal.
pub const FOR_IKE: u8 = 1;
/// Protocol of a proposal.
pub const FOR_AH: u8 = 2;
/// Protocol of a proposal.
pub const FOR_ESP: u8 = 3;

/// Notify type.
pub const NO_PROPOSAL_CHOSEN: u16 = 14;
/// Notify type.
pub const INVALID_KE_PAYLOAD: u16 = 17;
/// Notify type.
pub const INITIAL_CONTACT: u16 = 16_384;
/// Notify type.
pub const NAT_DETECTION_SOURCE_IP: u16 = 16_388;
/// Notify type.
pub const NAT_DETECTION_DESTINATION_IP: u16 = 16_389;
/// Notify type.
pub const COOKIE: u16 = 16_390;
/// Notify type.
pub const SIGNATURE_HASH_ALGORITHMS: u16 = 16_431;
/// Notify type.
pub const USE_PPK: u16 = 16_435;
/// Notify type.
pub const IKE_SA_INIT_FULL_TRANSCRIPT_AUTH: u16 = 16_447;
