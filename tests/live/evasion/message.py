"""IKEv2 messages whose every field can be made wrong."""

import struct

import crypto

HEADER = 28
MARKER = bytes(4)
SA, KE, ID_I, AUTH, NONCE, NOTIFY, DELETE, VENDOR_ID = 33, 34, 35, 39, 40, 41, 42, 43
TS_I, TS_R, SK, SKF = 44, 45, 46, 53
IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL = 34, 35, 36, 37
RESPONSE, INITIATOR = 0x20, 0x08
X25519 = 31
PSK = b"not a secret: only for captures"


class Payload:
    """One payload; `flags` is its critical bit and the reserved ones."""

    def __init__(self, kind, body, flags=0):
        self.kind, self.body, self.flags = kind, body, flags
        # Instead of the true length.
        self.length = None

    def encode(self, following):
        length = 4 + len(self.body) if self.length is None else self.length
        return struct.pack("!BBH", following, self.flags, length & 0xFFFF) + self.body


class Message:
    """A request of the initiator. What is None is what it should be."""

    def __init__(self, spi, exchange=IKE_SA_INIT, message_id=0, payloads=()):
        self.init_spi, self.resp_spi = spi, bytes(8)
        self.version, self.exchange, self.flags = 0x20, exchange, INITIATOR
        self.message_id, self.payloads = message_id, list(payloads)
        self.first = self.length = None
        # What the last payload calls the next one.
        self.last_next = 0
        # Bytes inside of the Length behind the payloads, and behind the Length.
        self.inside = self.trailing = b""
        # How many bytes are missing at the end.
        self.cut = 0

    def encode(self, keys=None, iv=bytes(8)):
        """The message; with keys, a last payload that is to be sealed is."""
        data, place = self.lay_out()
        if keys is None or not self.is_sealed():
            return data
        body = self.payloads[-1].body
        place += len(body.clear)
        whole = keys.seal(iv, data[:place], body.plain)
        return data[:place] + whole + data[place + len(whole) :]

    def is_sealed(self):
        return bool(self.payloads) and isinstance(self.payloads[-1].body, Sealed)

    def lay_out(self):
        """All bytes, and where the last payload's body begins."""
        kinds = [payload.kind for payload in self.payloads]
        chain, place = b"", HEADER
        for payload, following in zip(self.payloads, [*kinds[1:], self.last_next]):
            place = HEADER + len(chain) + 4
            chain += payload.encode(following)
        chain += self.inside
        first = (kinds or [0])[0] if self.first is None else self.first
        length = HEADER + len(chain) if self.length is None else self.length
        header = struct.pack(
            "!8s8sBBBBII", self.init_spi, self.resp_spi, first, self.version,
            self.exchange, self.flags, self.message_id, length & 0xFFFFFFFF,
        )
        whole = header + chain + self.trailing
        return whole[: max(HEADER, len(whole) - self.cut)], place


class Sealed(bytes):
    """The room of an encrypted body, which knows what will be in it.

    `clear` is what comes before and is not encrypted, the numbers of a fragment.
    """

    def __new__(cls, plain, clear=b""):
        self = super().__new__(cls, clear + bytes(8 + len(plain) + 16))
        self.plain, self.clear = plain, clear
        return self


def protected(spis, exchange, message_id, inner, pieces=1):
    """A message whose payloads `inner` are encrypted, in so many fragments."""
    kinds = [payload.kind for payload in inner]
    plain = b"".join(p.encode(n) for p, n in zip(inner, [*kinds[1:], 0]))
    size = -(-len(plain) // pieces)
    for at in range(pieces):
        message = Message(spis[0], exchange, message_id)
        message.resp_spi = spis[1]
        part = plain[at * size : (at + 1) * size] + b"\0"
        clear = struct.pack("!HH", at + 1, pieces) if pieces > 1 else b""
        message.payloads = [Payload(SKF if clear else SK, Sealed(part, clear))]
        message.last_next = (kinds or [0])[0] if at == 0 else 0
        yield message


def transform(more, kind, ident, attribute=b"", reserved=0):
    return struct.pack(
        "!BBHBBH", 3 if more else 0, reserved, 8 + len(attribute), kind, reserved, ident
    ) + attribute


def proposal(more, number, transforms, protocol=1, spi=b"", reserved=0):
    body = b"".join(
        transform(at < len(transforms) - 1, *one) for at, one in enumerate(transforms)
    )
    return struct.pack(
        "!BBHBBBB", 2 if more else 0, reserved, 8 + len(spi) + len(body), number,
        protocol, len(spi), len(transforms),
    ) + spi + body


SUITE = [(1, 28), (2, 5), (4, X25519)]


def sa_init(spi, nonce):
    """A request for ChaCha20-Poly1305, PRF-HMAC-SHA2-256 and Curve25519."""
    return Message(spi, payloads=[
        Payload(SA, proposal(False, 1, SUITE)),
        Payload(KE, struct.pack("!HH", X25519, 0) + crypto.PUBLIC),
        Payload(NONCE, nonce),
    ])


def notify(kind, data=b"", protocol=0, spi=b""):
    return Payload(NOTIFY, struct.pack("!BBH", protocol, len(spi), kind) + spi + data)


def notifications(data):
    """The types of the notifications in a message that is in order."""
    bodies = [body for kind, body in payloads(data) if kind == NOTIFY and len(body) >= 4]
    return [struct.unpack("!H", body[2:4])[0] for body in bodies]


def payloads(data):
    """The payloads of a message that is in order, as pairs of kind and body."""
    kind, at = data[16], HEADER
    while kind and at + 4 <= len(data):
        following, _, length = struct.unpack_from("!BBH", data, at)
        if length < 4:
            return
        yield kind, data[at + 4 : at + length]
        kind, at = following, at + length


def auth_payloads(keys, first_message, peer_nonce, child_spi):
    """IDi and AUTH by the pre-shared key, and a child when there is an SPI for it."""
    identity = b"\x02\0\0\0left.example"
    signed = first_message + peer_nonce + crypto.prf(keys.signing, identity)
    secret = crypto.prf(PSK, b"Key Pad for IKEv2")
    proof = b"\x02\0\0\0" + crypto.prf(secret, signed)
    inner = [Payload(ID_I, identity), Payload(AUTH, proof)]
    if child_spi:
        everything = b"\x01\0\0\0\x07\0\0\x10\0\0\xff\xff\0\0\0\0\xff\xff\xff\xff"
        esp = proposal(False, 1, [(1, 28), (5, 0)], 3, child_spi)
        inner += [Payload(SA, esp), Payload(TS_I, everything), Payload(TS_R, everything)]
    return inner
