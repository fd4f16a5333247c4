"""What an initiator of IKEv2 has to compute, with nothing but the standard library.

Curve25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439, in IKE: RFC 7634) and
PRF-HMAC-SHA2-256. Not constant in time: for tests between namespaces alone.
"""

import hashlib
import hmac
import struct

FIELD = 2**255 - 19
POLY = 2**130 - 5
# One key for all handshakes: what matters is that the peer answers.
PRIVATE = bytes([0x40]) + bytes(range(1, 31)) + bytes([0x41])


def x25519(scalar, point):
    k = int.from_bytes(scalar, "little") & (2**255 - 8) | 2**254
    u = int.from_bytes(point, "little") % 2**255
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for at in range(254, -1, -1):
        bit = k >> at & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % FIELD, b * b % FIELD, d * a % FIELD, c * b % FIELD
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % FIELD, u * (da - cb) ** 2 % FIELD
        x2, z2 = aa * bb % FIELD, e * (aa + 121665 * e) % FIELD
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, FIELD - 2, FIELD) % FIELD).to_bytes(32, "little")


PUBLIC = x25519(PRIVATE, bytes([9]) + bytes(31))


def chacha_block(key, counter, nonce):
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    state += [*struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    x = list(state)

    def quarter(a, b, c, d):
        for left, right, bits in ((d, b, 16), (b, d, 12), (d, b, 8), (b, d, 7)):
            # a += b; d ^= a; d <<<= 16; c += d; b ^= c; b <<<= 12; and again.
            into = a if left == d else c
            x[into] = (x[into] + x[right]) & 0xFFFFFFFF
            word = x[left] ^ x[into]
            x[left] = (word << bits | word >> (32 - bits)) & 0xFFFFFFFF

    for _ in range(10):
        for at in range(4):
            quarter(at, at + 4, at + 8, at + 12)
        for at in range(4):
            quarter(at, (at + 1) % 4 + 4, (at + 2) % 4 + 8, (at + 3) % 4 + 12)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, state)))


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\x01", "little")) * r % POLY
    total += int.from_bytes(key[16:], "little")
    return (total & (2**128 - 1)).to_bytes(16, "little")


def padded(data):
    return data + bytes(-len(data) % 16)


def seal(key, nonce, associated, plain):
    stream = b"".join(
        chacha_block(key, 1 + at // 64, nonce) for at in range(0, len(plain), 64)
    )
    cipher = bytes(a ^ b for a, b in zip(plain, stream))
    lengths = struct.pack("<QQ", len(associated), len(cipher))
    mac_key = chacha_block(key, 0, nonce)[:32]
    return cipher + poly1305(mac_key, padded(associated) + padded(cipher) + lengths)


def prf(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def prf_plus(key, seed, length):
    out = last = b""
    while len(out) < length:
        last = prf(key, last + seed + bytes([len(out) // 32 + 1]))
        out += last
    return out[:length]


class Keys:
    """SK_ei and SK_pi of an SA with ChaCha20-Poly1305 and PRF-HMAC-SHA2-256."""

    def __init__(self, peer_public, nonces, spis):
        seed = prf(nonces, x25519(PRIVATE, peer_public))
        stream = prf_plus(seed, nonces + spis, 32 + 36 + 36 + 32)
        self.encryption, self.salt = stream[32:64], stream[64:68]
        self.signing = stream[104:136]

    def seal(self, iv, associated, plain):
        return iv + seal(self.encryption, self.salt + iv, associated, plain)
