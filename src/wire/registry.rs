//! The numbers of IKEv2 and their names. Every table of IANA's [IKEv2
//! parameters](https://www.iana.org/assignments/ikev2-parameters) (as of 2026-07-16) that a
//! message can refer to is here, with one row for each assigned number.
//!
//! Users see these names in rules and in EVE, so the names consist of letters, digits and
//! `_` only. If IANA's name has other characters, the documentation of the table describes
//! the difference.

use super::macros::open_enum;

open_enum! {
    /// Exchange types (RFC 7296, section 3.1; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-1
    pub struct ExchangeType(u8) {
        IKE_SA_INIT = 34,
        IKE_AUTH = 35,
        CREATE_CHILD_SA = 36,
        INFORMATIONAL = 37,
        IKE_SESSION_RESUME = 38,
        GSA_AUTH = 39,
        GSA_REGISTRATION = 40,
        GSA_REKEY = 41,
        GSA_INBAND_REKEY = 42,
        IKE_INTERMEDIATE = 43,
        IKE_FOLLOWUP_KE = 44,
    }
}

open_enum! {
    /// Payload types (RFC 7296, section 3.2; [IANA]), named
    /// by their notation; `NONE` is IANA's "No Next Payload".
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-2
    pub struct PayloadType(u8) {
        NONE = 0,
        SA = 33,
        KE = 34,
        IDI = 35 => "IDi",
        IDR = 36 => "IDr",
        CERT = 37,
        CERTREQ = 38,
        AUTH = 39,
        NONCE = 40 => "Nonce",
        NOTIFY = 41 => "Notify",
        DELETE = 42 => "Delete",
        VENDOR_ID = 43 => "VendorID",
        TSI = 44 => "TSi",
        TSR = 45 => "TSr",
        SK = 46,
        CP = 47,
        EAP = 48,
        GSPM = 49,
        IDG = 50 => "IDg",
        GSA = 51,
        KD = 52,
        SKF = 53,
        PS = 54,
    }
}

open_enum! {
    /// Transform types (RFC 7296, section 3.3.2; [IANA]),
    /// named by their abbreviation. `SN`, Sequence Numbers, was `ESN` until RFC 9827.
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-3
    pub struct TransformType(u8) {
        ENCR = 1,
        PRF = 2,
        INTEG = 3,
        KE = 4,
        SN = 5,
        ADDKE1 = 6,
        ADDKE2 = 7,
        ADDKE3 = 8,
        ADDKE4 = 9,
        ADDKE5 = 10,
        ADDKE6 = 11,
        ADDKE7 = 12,
        KWA = 13,
        GCAUTH = 14,
    }
}

open_enum! {
    /// Transform attribute types (RFC 7296, section 3.3.5;
    /// [IANA]), without the format bit.
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-4
    pub struct AttributeType(u16) {
        KEY_LENGTH = 14,
        SIGNATURE_ALGORITHM_IDENTIFIER = 18,
    }
}

open_enum! {
    /// Transform type 1, encryption algorithms ([IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-5
    pub struct Encr(u16) {
        ENCR_DES_IV64 = 1,
        ENCR_DES = 2,
        ENCR_3DES = 3,
        ENCR_RC5 = 4,
        ENCR_IDEA = 5,
        ENCR_CAST = 6,
        ENCR_BLOWFISH = 7,
        ENCR_3IDEA = 8,
        ENCR_DES_IV32 = 9,
        ENCR_NULL = 11,
        ENCR_AES_CBC = 12,
        ENCR_AES_CTR = 13,
        ENCR_AES_CCM_8 = 14,
        ENCR_AES_CCM_12 = 15,
        ENCR_AES_CCM_16 = 16,
        ENCR_AES_GCM_8 = 18,
        ENCR_AES_GCM_12 = 19,
        ENCR_AES_GCM_16 = 20,
        ENCR_NULL_AUTH_AES_GMAC = 21,
        ENCR_CAMELLIA_CBC = 23,
        ENCR_CAMELLIA_CTR = 24,
        ENCR_CAMELLIA_CCM_8 = 25,
        ENCR_CAMELLIA_CCM_12 = 26,
        ENCR_CAMELLIA_CCM_16 = 27,
        ENCR_CHACHA20_POLY1305 = 28,
        ENCR_AES_CCM_8_IIV = 29,
        ENCR_AES_GCM_16_IIV = 30,
        ENCR_CHACHA20_POLY1305_IIV = 31,
        ENCR_KUZNYECHIK_MGM_KTREE = 32,
        ENCR_MAGMA_MGM_KTREE = 33,
        ENCR_KUZNYECHIK_MGM_MAC_KTREE = 34,
        ENCR_MAGMA_MGM_MAC_KTREE = 35,
    }
}

open_enum! {
    /// Transform type 2, pseudorandom functions ([IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-6
    pub struct Prf(u16) {
        PRF_HMAC_MD5 = 1,
        PRF_HMAC_SHA1 = 2,
        PRF_HMAC_TIGER = 3,
        PRF_AES128_XCBC = 4,
        PRF_HMAC_SHA2_256 = 5,
        PRF_HMAC_SHA2_384 = 6,
        PRF_HMAC_SHA2_512 = 7,
        PRF_AES128_CMAC = 8,
        PRF_HMAC_STREEBOG_512 = 9,
    }
}

open_enum! {
    /// Transform type 3, integrity algorithms ([IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-7
    pub struct Integ(u16) {
        NONE = 0,
        AUTH_HMAC_MD5_96 = 1,
        AUTH_HMAC_SHA1_96 = 2,
        AUTH_DES_MAC = 3,
        AUTH_KPDK_MD5 = 4,
        AUTH_AES_XCBC_96 = 5,
        AUTH_HMAC_MD5_128 = 6,
        AUTH_HMAC_SHA1_160 = 7,
        AUTH_AES_CMAC_96 = 8,
        AUTH_AES_128_GMAC = 9,
        AUTH_AES_192_GMAC = 10,
        AUTH_AES_256_GMAC = 11,
        AUTH_HMAC_SHA2_256_128 = 12,
        AUTH_HMAC_SHA2_384_192 = 13,
        AUTH_HMAC_SHA2_512_256 = 14,
    }
}

open_enum! {
    /// Transform types 4 and 6 to 12, key exchange methods ("Diffie-Hellman groups"
    /// before RFC 9370; [IANA]). `MODP_2048_224` is the
    /// 2048-bit group with a 224-bit prime order subgroup, `ECP_256` the 256-bit
    /// random ECP group.
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-8
    pub struct KeyExchangeMethod(u16) {
        NONE = 0,
        MODP_768 = 1,
        MODP_1024 = 2,
        MODP_1536 = 5,
        MODP_2048 = 14,
        MODP_3072 = 15,
        MODP_4096 = 16,
        MODP_6144 = 17,
        MODP_8192 = 18,
        ECP_256 = 19,
        ECP_384 = 20,
        ECP_521 = 21,
        MODP_1024_160 = 22,
        MODP_2048_224 = 23,
        MODP_2048_256 = 24,
        ECP_192 = 25,
        ECP_224 = 26,
        BRAINPOOL_P224R1 = 27,
        BRAINPOOL_P256R1 = 28,
        BRAINPOOL_P384R1 = 29,
        BRAINPOOL_P512R1 = 30,
        CURVE25519 = 31,
        CURVE448 = 32,
        GOST3410_2012_256 = 33,
        GOST3410_2012_512 = 34,
        ML_KEM_512 = 35,
        ML_KEM_768 = 36,
        ML_KEM_1024 = 37,
    }
}

open_enum! {
    /// Transform type 5, properties of sequence numbers ("Extended Sequence
    /// Numbers" before RFC 9827; [IANA]). In IANA's words
    /// 0 is "32-bit Sequential Numbers", 1 "Partially Transmitted 64-bit Sequential
    /// Numbers", 2 "32-bit Unspecified Numbers".
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-9
    pub struct SequenceNumbers(u16) {
        NO_ESN = 0,
        ESN = 1,
        UNSPECIFIED_32 = 2,
    }
}

open_enum! {
    /// Transform type 13, key wrap algorithms of G-IKEv2 (RFC 9838;
    /// [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#key-wrap-algorithm-transform-ids
    pub struct KeyWrap(u16) {
        KW_5649_128 = 1,
        KW_5649_192 = 2,
        KW_5649_256 = 3,
        KW_ARX = 4,
    }
}

open_enum! {
    /// Transform type 14, group controller authentication methods of G-IKEv2 (RFC
    /// 9838; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#group-controller-authentication-method-transform-ids
    pub struct GcAuth(u16) {
        IMPLICIT = 1,
        DIGITAL_SIGNATURE = 2,
    }
}

open_enum! {
    /// Security protocol identifiers (RFC 7296, section 3.3.1;
    /// [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-18
    pub struct Protocol(u8) {
        IKE = 1,
        AH = 2,
        ESP = 3,
        FC_ESP_HEADER = 4,
        FC_CT_AUTHENTICATION = 5,
        GIKE_UPDATE = 6,
    }
}

open_enum! {
    /// Identification types (RFC 7296, section 3.5; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-10
    pub struct IdType(u8) {
        ID_IPV4_ADDR = 1,
        ID_FQDN = 2,
        ID_RFC822_ADDR = 3,
        ID_IPV6_ADDR = 5,
        ID_DER_ASN1_DN = 9,
        ID_DER_ASN1_GN = 10,
        ID_KEY_ID = 11,
        ID_FC_NAME = 12,
        ID_NULL = 13,
    }
}

open_enum! {
    /// Certificate encodings (RFC 7296, section 3.6; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-11
    pub struct CertEncoding(u8) {
        PKCS7_X509 = 1,
        PGP = 2,
        DNS_SIGNED_KEY = 3,
        X509_SIGNATURE = 4,
        KERBEROS_TOKEN = 6,
        CRL = 7,
        ARL = 8,
        SPKI = 9,
        X509_ATTRIBUTE = 10,
        RAW_RSA_KEY = 11,
        HASH_AND_URL_X509 = 12,
        HASH_AND_URL_X509_BUNDLE = 13,
        OCSP_CONTENT = 14,
        RAW_PUBLIC_KEY = 15,
    }
}

open_enum! {
    /// Authentication methods (RFC 7296, section 3.8; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-12
    pub struct AuthMethod(u8) {
        RSA_SIGNATURE = 1,
        SHARED_KEY_MIC = 2,
        DSS_SIGNATURE = 3,
        ECDSA_SHA256_P256 = 9,
        ECDSA_SHA384_P384 = 10,
        ECDSA_SHA512_P521 = 11,
        GSPM = 12,
        NULL = 13,
        DIGITAL_SIGNATURE = 14,
    }
}

open_enum! {
    /// Notify message types: errors are below 16384, and statuses start there (RFC 7296,
    /// section 3.10.1; [errors], [statuses]).
    ///
    /// IANA's types are followed by those of 3GPP, which an ePDG and an N3IWF send. They
    /// are in the ranges for private use. Other vendors use the same numbers for other
    /// purposes: 40961 is also strongSwan's USE_BEET_MODE.
    ///
    /// [errors]:
    /// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-14
    /// [statuses]:
    /// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-16
    pub struct NotifyType(u16) {
        UNSUPPORTED_CRITICAL_PAYLOAD = 1,
        INVALID_IKE_SPI = 4,
        INVALID_MAJOR_VERSION = 5,
        INVALID_SYNTAX = 7,
        INVALID_MESSAGE_ID = 9,
        INVALID_SPI = 11,
        NO_PROPOSAL_CHOSEN = 14,
        INVALID_KE_PAYLOAD = 17,
        AUTHENTICATION_FAILED = 24,
        SINGLE_PAIR_REQUIRED = 34,
        NO_ADDITIONAL_SAS = 35,
        INTERNAL_ADDRESS_FAILURE = 36,
        FAILED_CP_REQUIRED = 37,
        TS_UNACCEPTABLE = 38,
        INVALID_SELECTORS = 39,
        UNACCEPTABLE_ADDRESSES = 40,
        UNEXPECTED_NAT_DETECTED = 41,
        USE_ASSIGNED_HOA = 42 => "USE_ASSIGNED_HoA",
        TEMPORARY_FAILURE = 43,
        CHILD_SA_NOT_FOUND = 44,
        INVALID_GROUP_ID = 45,
        AUTHORIZATION_FAILED = 46,
        STATE_NOT_FOUND = 47,
        TS_MAX_QUEUE = 48,
        REGISTRATION_FAILED = 49,
        // 3GPP's private errors (TS 24.302, 8.1.2.2; TS 24.502, 9.2.4.2).
        PDN_CONNECTION_REJECTION = 8192,
        MAX_CONNECTION_REACHED = 8193,
        SEMANTIC_ERROR_IN_THE_TFT_OPERATION = 8241,
        SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION = 8242,
        SEMANTIC_ERRORS_IN_PACKET_FILTERS = 8244,
        SYNTACTICAL_ERRORS_IN_PACKET_FILTERS = 8245,
        NON_3GPP_ACCESS_TO_EPC_NOT_ALLOWED = 9000,
        USER_UNKNOWN = 9001,
        NO_APN_SUBSCRIPTION = 9002,
        AUTHORIZATION_REJECTED = 9003,
        ILLEGAL_ME = 9006,
        NETWORK_FAILURE = 10500,
        RAT_TYPE_NOT_ALLOWED = 11001,
        IMEI_NOT_ACCEPTED = 11005,
        PLMN_NOT_ALLOWED = 11011,
        UNAUTHENTICATED_EMERGENCY_NOT_SUPPORTED = 11055,
        CONGESTION = 15500,
        INITIAL_CONTACT = 16384,
        SET_WINDOW_SIZE = 16385,
        ADDITIONAL_TS_POSSIBLE = 16386,
        IPCOMP_SUPPORTED = 16387,
        NAT_DETECTION_SOURCE_IP = 16388,
        NAT_DETECTION_DESTINATION_IP = 16389,
        COOKIE = 16390,
        USE_TRANSPORT_MODE = 16391,
        HTTP_CERT_LOOKUP_SUPPORTED = 16392,
        REKEY_SA = 16393,
        ESP_TFC_PADDING_NOT_SUPPORTED = 16394,
        NON_FIRST_FRAGMENTS_ALSO = 16395,
        MOBIKE_SUPPORTED = 16396,
        ADDITIONAL_IP4_ADDRESS = 16397,
        ADDITIONAL_IP6_ADDRESS = 16398,
        NO_ADDITIONAL_ADDRESSES = 16399,
        UPDATE_SA_ADDRESSES = 16400,
        COOKIE2 = 16401,
        NO_NATS_ALLOWED = 16402,
        AUTH_LIFETIME = 16403,
        MULTIPLE_AUTH_SUPPORTED = 16404,
        ANOTHER_AUTH_FOLLOWS = 16405,
        REDIRECT_SUPPORTED = 16406,
        REDIRECT = 16407,
        REDIRECTED_FROM = 16408,
        TICKET_LT_OPAQUE = 16409,
        TICKET_REQUEST = 16410,
        TICKET_ACK = 16411,
        TICKET_NACK = 16412,
        TICKET_OPAQUE = 16413,
        LINK_ID = 16414,
        USE_WESP_MODE = 16415,
        ROHC_SUPPORTED = 16416,
        EAP_ONLY_AUTHENTICATION = 16417,
        CHILDLESS_IKEV2_SUPPORTED = 16418,
        QUICK_CRASH_DETECTION = 16419,
        IKEV2_MESSAGE_ID_SYNC_SUPPORTED = 16420,
        IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED = 16421,
        IKEV2_MESSAGE_ID_SYNC = 16422,
        IPSEC_REPLAY_COUNTER_SYNC = 16423,
        SECURE_PASSWORD_METHODS = 16424,
        PSK_PERSIST = 16425,
        PSK_CONFIRM = 16426,
        ERX_SUPPORTED = 16427,
        IFOM_CAPABILITY = 16428,
        GROUP_SENDER = 16429,
        IKEV2_FRAGMENTATION_SUPPORTED = 16430,
        SIGNATURE_HASH_ALGORITHMS = 16431,
        CLONE_IKE_SA_SUPPORTED = 16432,
        CLONE_IKE_SA = 16433,
        PUZZLE = 16434,
        USE_PPK = 16435,
        PPK_IDENTITY = 16436,
        NO_PPK_AUTH = 16437,
        INTERMEDIATE_EXCHANGE_SUPPORTED = 16438,
        IP4_ALLOWED = 16439,
        IP6_ALLOWED = 16440,
        ADDITIONAL_KEY_EXCHANGE = 16441,
        USE_AGGFRAG = 16442,
        SUPPORTED_AUTH_METHODS = 16443,
        SA_RESOURCE_INFO = 16444,
        USE_PPK_INT = 16445,
        PPK_IDENTITY_KEY = 16446,
        IKE_SA_INIT_FULL_TRANSCRIPT_AUTH = 16447,
        // 3GPP's private statuses (TS 24.302, 8.1.2.3; TS 24.502, 9.2.4.1).
        REACTIVATION_REQUESTED_CAUSE = 40961,
        BACKOFF_TIMER = 41041,
        PDN_TYPE_IPV4_ONLY_ALLOWED = 41050 => "PDN_TYPE_IPv4_ONLY_ALLOWED",
        PDN_TYPE_IPV6_ONLY_ALLOWED = 41051 => "PDN_TYPE_IPv6_ONLY_ALLOWED",
        DEVICE_IDENTITY = 41101,
        EMERGENCY_SUPPORT = 41112,
        EMERGENCY_CALL_NUMBERS = 41134,
        NBIFOM_GENERIC_CONTAINER = 41288,
        P_CSCF_RESELECTION_SUPPORT = 41304,
        PTI = 41501,
        IKEV2_MULTIPLE_BEARER_PDN_CONNECTIVITY = 42011,
        EPS_QOS = 42014,
        EXTENDED_EPS_QOS = 42015,
        TFT = 42017,
        MODIFIED_BEARER = 42020,
        APN_AMBR = 42094,
        EXTENDED_APN_AMBR = 42095,
        N1_MODE_CAPABILITY = 51015,
        N1_MODE_INFORMATION = 51115,
        QOS_INFO_5G = 55501 => "5G_QOS_INFO",
        NAS_IP4_ADDRESS = 55502,
        NAS_IP6_ADDRESS = 55503,
        UP_IP4_ADDRESS = 55504,
        UP_IP6_ADDRESS = 55505,
        NAS_TCP_PORT = 55506,
        N3GPP_BACKOFF_TIMER = 55507,
        UP_SA_INFO = 55508,
    }
}

open_enum! {
    /// IPComp transform identifiers in `IPCOMP_SUPPORTED` (RFC 7296, section 3.10.1;
    /// [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-17
    pub struct IpcompTransform(u8) {
        IPCOMP_OUI = 1,
        IPCOMP_DEFLATE = 2,
        IPCOMP_LZS = 3,
        IPCOMP_LZJH = 4,
    }
}

open_enum! {
    /// Traffic selector types (RFC 7296, section 3.13.1; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-19
    pub struct TsType(u8) {
        TS_IPV4_ADDR_RANGE = 7,
        TS_IPV6_ADDR_RANGE = 8,
        TS_FC_ADDR_RANGE = 9,
        TS_SECLABEL = 10,
    }
}

open_enum! {
    /// Configuration payload types (RFC 7296, section 3.15; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-20
    pub struct CfgType(u8) {
        CFG_REQUEST = 1,
        CFG_REPLY = 2,
        CFG_SET = 3,
        CFG_ACK = 4,
    }
}

open_enum! {
    /// Configuration attribute types (RFC 7296, section 3.15.1;
    /// [IANA]), without the reserved bit.
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-21
    pub struct CfgAttribute(u16) {
        INTERNAL_IP4_ADDRESS = 1,
        INTERNAL_IP4_NETMASK = 2,
        INTERNAL_IP4_DNS = 3,
        INTERNAL_IP4_NBNS = 4,
        INTERNAL_IP4_DHCP = 6,
        APPLICATION_VERSION = 7,
        INTERNAL_IP6_ADDRESS = 8,
        INTERNAL_IP6_DNS = 10,
        INTERNAL_IP6_DHCP = 12,
        INTERNAL_IP4_SUBNET = 13,
        SUPPORTED_ATTRIBUTES = 14,
        INTERNAL_IP6_SUBNET = 15,
        MIP6_HOME_PREFIX = 16,
        INTERNAL_IP6_LINK = 17,
        INTERNAL_IP6_PREFIX = 18,
        HOME_AGENT_ADDRESS = 19,
        P_CSCF_IP4_ADDRESS = 20,
        P_CSCF_IP6_ADDRESS = 21,
        FTT_KAT = 22,
        EXTERNAL_SOURCE_IP4_NAT_INFO = 23,
        TIMEOUT_PERIOD_FOR_LIVENESS_CHECK = 24,
        INTERNAL_DNS_DOMAIN = 25,
        INTERNAL_DNSSEC_TA = 26,
        ENCDNS_IP4 = 27,
        ENCDNS_IP6 = 28,
        ENCDNS_DIGEST_INFO = 29,
    }
}

open_enum! {
    /// Gateway identity types of `REDIRECT` (RFC 5685; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-parameters-22
    pub struct GatewayIdType(u8) {
        IPV4 = 1,
        IPV6 = 2,
        FQDN = 3,
    }
}

open_enum! {
    /// Hash algorithms of `SIGNATURE_HASH_ALGORITHMS` (RFC 7427; [IANA]).
    /// `SHA2_256` stands for IANA's "SHA2-256".
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#hash-algorithms
    pub struct HashAlgorithm(u16) {
        SHA1 = 1,
        SHA2_256 = 2,
        SHA2_384 = 3,
        SHA2_512 = 4,
        IDENTITY = 5 => "Identity",
        STREEBOG_256 = 6,
        STREEBOG_512 = 7,
    }
}

open_enum! {
    /// Methods of `SECURE_PASSWORD_METHODS` (RFC 6467; [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#secure-password-methods
    pub struct SecurePasswordMethod(u16) {
        PACE = 1,
        AUGPAKE = 2 => "AugPAKE",
        SECURE_PSK = 3,
    }
}

open_enum! {
    /// Types of a post-quantum preshared key identity (RFC 8784;
    /// [IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml#ikev2-post-quantum-preshared-key-id-types
    pub struct PpkIdType(u8) {
        PPK_ID_OPAQUE = 1,
        PPK_ID_FIXED = 2,
    }
}

open_enum! {
    /// EAP packet codes
    /// ([IANA]).
    ///
    /// [IANA]: https://www.iana.org/assignments/eap-numbers/eap-numbers.xhtml#eap-numbers-1
    pub struct EapCode(u8) {
        REQUEST = 1 => "Request",
        RESPONSE = 2 => "Response",
        SUCCESS = 3 => "Success",
        FAILURE = 4 => "Failure",
        INITIATE = 5 => "Initiate",
        FINISH = 6 => "Finish",
    }
}

open_enum! {
    /// EAP methods that VPN peers use ([IANA]). In practice, 26, "MS-EAP-Authentication",
    /// carries MSCHAPv2.
    ///
    /// [IANA]: https://www.iana.org/assignments/eap-numbers/eap-numbers.xhtml#eap-numbers-4
    pub struct EapMethod(u8) {
        IDENTITY = 1 => "Identity",
        NOTIFICATION = 2 => "Notification",
        LEGACY_NAK = 3 => "Legacy_Nak",
        MD5_CHALLENGE = 4 => "MD5_Challenge",
        OTP = 5,
        GTC = 6,
        TLS = 13 => "EAP_TLS",
        LEAP = 17,
        SIM = 18 => "EAP_SIM",
        TTLS = 21 => "EAP_TTLS",
        AKA = 23 => "EAP_AKA",
        PEAP = 25,
        MS_EAP_AUTHENTICATION = 26 => "MS_EAP_Authentication",
        MSCHAP_V2 = 29 => "EAP_MSCHAP_V2",
        HTTP_DIGEST = 38 => "HTTP_Digest",
        FAST = 43 => "EAP_FAST",
        PSK = 47 => "EAP_PSK",
        IKEV2 = 49 => "EAP_IKEv2",
        AKA_PRIME = 50 => "EAP_AKA_prime",
        GPSK = 51 => "EAP_GPSK",
        PWD = 52 => "EAP_pwd",
        EKE = 53 => "EAP_EKE",
        PT_EAP = 54,
        TEAP = 55,
        NOOB = 56 => "EAP_NOOB",
        EXPANDED = 254 => "Expanded",
        EXPERIMENTAL = 255 => "Experimental",
    }
}

impl ExchangeType {
    /// Whether the original initiator always starts this exchange. This holds for the
    /// exchanges of the handshake (RFC 7296, 1.2; RFC 5723, 4.3.2; RFC 9242, 3.1; RFC 9838,
    /// 2.3.1).
    pub const fn is_begun_by_initiator(self) -> bool {
        matches!(
            self,
            Self::IKE_SA_INIT
                | Self::IKE_SESSION_RESUME
                | Self::IKE_INTERMEDIATE
                | Self::IKE_AUTH
                | Self::GSA_AUTH
        )
    }
}

impl NotifyType {
    /// Whether the type reports an error (RFC 7296, section 3.10.1).
    pub const fn is_error(self) -> bool {
        self.0 < 16384
    }

    /// Whether the type reports a status or a capability.
    pub const fn is_status(self) -> bool {
        !self.is_error()
    }
}

impl TransformType {
    /// Whether the transform negotiates a key exchange: type 4, or one of the additional
    /// key exchanges of RFC 9370. The identifiers of all of them are
    /// [`KeyExchangeMethod`]s.
    pub const fn is_key_exchange(self) -> bool {
        matches!(self.0, 4 | 6..=12)
    }
}

impl PayloadType {
    /// Whether the payload is an Encrypted or an Encrypted Fragment payload.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::SK | Self::SKF)
    }
}

/// The name of a transform identifier. It depends on the transform's type. `None` if the
/// type or the identifier is not assigned.
pub const fn transform_name(kind: TransformType, id: u16) -> Option<&'static str> {
    match kind {
        TransformType::ENCR => Encr(id).name(),
        TransformType::PRF => Prf(id).name(),
        TransformType::INTEG => Integ(id).name(),
        TransformType::SN => SequenceNumbers(id).name(),
        TransformType::KWA => KeyWrap(id).name(),
        TransformType::GCAUTH => GcAuth(id).name(),
        _ if kind.is_key_exchange() => KeyExchangeMethod(id).name(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
