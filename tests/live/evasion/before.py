"""Datagrams of other kinds, which may come first in a flow."""

import struct

import message

SIP_METHODS = [
    "REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "REFER", "PRACK", "SUBSCRIBE",
    "NOTIFY", "PUBLISH", "MESSAGE", "INFO", "OPTIONS",
]

# How protocols begin that a Suricata knows by content.
BEGINNINGS = [
    *(method.encode() for method in SIP_METHODS),
    b"SIP/2.0", b"d1:ad2:id20:", b"d1:rd2:id20:", b"d2:ip", b"d1:", b"\x04\x00", b"\x05\x00",
    b"\x16\xfe\xfd", b"\x16\xfe\xff", b"\x80\x80", b"\x01\x00\x00\x00", b"\x04\x00\x00\x00",
    b"\xff\xff\xff\xff", b"\xff", b"\0\0\0", b"\0\0\0\0", b"\0\0\0\0\0", b"\0\0\0\0\0\0\0",
    b"\0\x01", b"\0\x03", b"HTTP/1.1", b"GET /", b"SSH-2.0-", b"\xfeSMB", b"\xffSMB", b"RFB 003.",
    b"\x13BitTorr", b"\x30\x82", b"\x6a\x81", b"\x1b", b"\x23", b"\xe3", b"\xc0\0\0\0\x01",
    b"\xc3\0\0\0\x01", b"\x40", b"M-SEARCH", b"\x01\x01\x06\0", b"\x21\x12\xa4\x42", b"\x38",
    b"\x01\0\0\0\0\0\0", b"\x20\x22\x08\0", b"\x64\0\0\0", b"\x65\0\0\0",
]


def sip(rng):
    method = rng.choice(SIP_METHODS)
    text = f"{method} sip:a@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10\r\nCall-ID: 1\r\n\r\n"
    return rng.choice([method, method + " ", method + " sip:a", text]).encode()


def dht(rng):
    whole = b"d1:ad2:id20:" + rng.randbytes(20) + b"e1:q4:ping1:t2:aa1:y1:qe"
    return rng.choice([b"d1:ad2:id20:", b"d1:rd2:id20:", b"d2:ip6:", whole, whole[:-1]])


def ikev1(rng):
    """A Main Mode request, or an Informational one, or only a header."""
    attributes = bytes.fromhex("80010007800e0080800200028004000280030001800b0001800c0e10")
    inner = struct.pack("!BBHBBBB", 0, 0, 8 + len(attributes), 1, 1, 0, 0) + attributes
    one = struct.pack("!BBHBBBB", 0, 0, 8 + len(inner), 1, 1, 0, 1) + inner
    sa = struct.pack("!BBHII", 0, 0, 12 + len(one), 1, 1) + one
    exchange, body = rng.choice([(2, sa), (4, sa), (5, sa), (2, b"")])
    header = struct.pack(
        "!8s8sBBBBII", rng.randbytes(8), bytes(8), 1 if body else 0, 0x10, exchange, 0, 0,
        message.HEADER + len(body),
    )
    return header + body


def marked_ikev1(rng):
    return message.MARKER + ikev1(rng)


def dns(rng):
    flags = rng.choice([0x0100, 0x8180])
    name = b"\x07example\x03com\0"
    return struct.pack("!HHHHHH", rng.getrandbits(16), flags, 1, 0, 0, 0) + name + b"\0\1\0\1"


def stun(rng):
    return struct.pack("!HHI", 1, 0, 0x2112A442) + rng.randbytes(12)


def keepalive(rng):
    return b"\xff" * rng.choice([1, 1, 1, 2, 4])


def esp(rng):
    spi = rng.getrandbits(32) | 0x100
    return struct.pack("!II", spi, rng.choice([1, 2, 7, rng.getrandbits(31)])) + rng.randbytes(
        4 * rng.randrange(4, 20)
    )


def esp_stream(rng):
    """Packets of one SA, enough for anybody to see that it is ESP."""
    spi, first = rng.getrandbits(32) | 0x100, rng.choice([1, 1, rng.getrandbits(30)])
    return [
        struct.pack("!II", spi, first + at) + rng.randbytes(4 * rng.randrange(8, 20))
        for at in range(rng.choice([2, 3, 10, 40]))
    ]


def header(rng):
    """A header of IKEv2, alone: of any exchange and either direction."""
    exchange = rng.choice([34, 34, 35, 36, 37, 38, 43, 99, 240])
    return struct.pack(
        "!8s8sBBBBII", rng.randbytes(8), rng.choice([bytes(8), rng.randbytes(8)]),
        rng.choice([0, 33, 46, 41]), 0x20, exchange, rng.choice([8, 0x20, 0x28, 0]),
        rng.choice([0, 0, 1, 7]), rng.choice([28, 28, 0, 200, 70000]),
    )


def ikev2(rng):
    """A sound request of another SA, whole, cut, or behind a marker."""
    whole = message.sa_init(rng.randbytes(8), rng.randbytes(32)).encode()
    return rng.choice([whole[: rng.randrange(1, len(whole))], message.MARKER + whole[:40]])


def other_major(rng):
    """Another major version, of the future or of none."""
    whole = bytearray(message.sa_init(rng.randbytes(8), rng.randbytes(32)).encode())
    whole[17] = rng.choice([0x00, 0x11, 0x30, 0x4F, 0xF0])
    return bytes(whole)


def garbage(rng):
    return rng.randbytes(rng.choice([1, 2, 3, 4, 7, 8, 12, 20, 28, 32, 60, 200, 600]))


def zeros(rng):
    return bytes(rng.choice([1, 4, 8, 28, 32, 60]))


def empty(_rng):
    return b""


def text(rng):
    return rng.choice([b"GET / HTTP/1.1\r\n\r\n", b"hello\n", b"<34>Oct 11 su: no\n", b"\r\n\r\n"])


def beginning(rng):
    return rng.choice(BEGINNINGS) + rng.randbytes(rng.choice([0, 0, 8, 40]))


def ntp(rng):
    return bytes([rng.choice([0x1B, 0x23, 0xE3])]) + bytes(39) + rng.randbytes(8)


def snmp(rng):
    return bytes.fromhex(
        "302602010104067075626c6963a019020400000001020100020100300b300906052b060102010500"
    )


def tftp(rng):
    return rng.choice([b"\0\x01pxelinux.0\0octet\0", b"\0\x02a\0netascii\0", b"\0\x05\0\x01no\0"])


def radius(rng):
    return b"\x01\x07\0\x26" + rng.randbytes(16) + b"\x01\x12" + rng.randbytes(16)


def quic(rng):
    return (
        b"\xc3\0\0\0\x01\x08" + rng.randbytes(8) + b"\0\0\x44\x96" + rng.randbytes(1182)
    )


def dtls(rng):
    body = b"\x01\0\0\x2a\0\0\0\0\0\0\0\x2a\xfe\xfd" + rng.randbytes(32) + bytes(8)
    return b"\x16\xfe\xfd" + bytes(8) + struct.pack("!H", len(body)) + body


def wireguard(rng):
    return b"\x01\0\0\0" + rng.randbytes(144)


def rtp(rng):
    return b"\x80\0" + rng.randbytes(10) + b"\xd5" * 160


def dhcp(rng):
    return b"\x01\x01\x06\0" + rng.randbytes(4) + bytes(228) + b"\x63\x82\x53\x63\x35\x01\x01\xff"


def krb5(rng):
    beginning = bytes.fromhex("6a81dc3081d9a103020105a20302010aa30e300c300aa1040202009516")
    return beginning + rng.randbytes(40)


def enip(rng):
    return b"\x63\0\0\0" + bytes(20)


def rpc(rng):
    return rng.randbytes(4) + struct.pack("!IIIII", 0, 2, 100003, 3, 0) + bytes(16)


def dcerpc(rng):
    return b"\x04\0\x28\0\x10\0\0\0" + rng.randbytes(72)


def ldap(rng):
    return bytes.fromhex("300c020101600702010304008000")


# Twice what is likelier to be taken for something else.
KINDS = [
    sip, sip, dht, ikev1, ikev1, marked_ikev1, dns, stun, keepalive, esp, esp, esp_stream,
    esp_stream, header, header, ikev2, other_major, garbage, garbage, zeros, empty, text,
    beginning, beginning, ntp, snmp, tftp, radius, quic, dtls, wireguard, rtp, dhcp, krb5, enip,
    rpc, dcerpc, ldap,
]


def other(rng):
    """The name of a kind and datagrams of it."""
    kind = rng.choice(KINDS)
    data = kind(rng)
    return kind.__name__, data if isinstance(data, list) else [data]
