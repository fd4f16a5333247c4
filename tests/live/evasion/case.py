"""One sender, who has an address of his own, and what he says."""

import random
import socket
import struct

import before
import crypto
import message as m
import mutate

# The namespace of the peer takes these for its ports 500 and 4500.
TO_500 = [53, 123, 443, 1194, 3478, 5000, 5060, 6881, 51820]
TO_4500 = [88, 161, 389, 4433, 5004, 5353, 10000, 44818]
ODD_SOURCES = [53, 67, 69, 88, 111, 123, 135, 161, 443, 1812, 2049, 3478, 5060, 5353, 6881, 44818]
INVALID_KE_PAYLOAD, FRAGMENTATION_SUPPORTED = 17, 16430
# Notifications, with the length of their data: NAT detection and that.
USUAL = [(16388, 20), (16389, 20), (FRAGMENTATION_SUPPORTED, 0)]


def source_port(rng):
    return rng.randrange(1024, 65536) if rng.random() < 0.7 else rng.choice(ODD_SOURCES)


def choose_ports(rng):
    """Source, destination, and whether there is a marker."""
    odd, to_500, to_4500 = source_port(rng), rng.choice(TO_500), rng.choice(TO_4500)
    ways = [
        ((500, 500, False), 30), ((odd, 500, False), 18), ((4500, 4500, True), 15),
        ((odd, 4500, True), 12), ((500, 4500, False), 4), ((4500, 500, False), 4),
        ((odd, to_500, False), 8), ((odd, to_4500, True), 8), ((500, to_500, False), 2),
        ((500, to_4500, False), 1), ((4500, to_4500, True), 2), ((4500, to_500, False), 1),
    ]
    return rng.choices([way for way, _ in ways], [weight for _, weight in ways])[0]


class Turn:
    """Messages that one answer is for, and what is sent before them."""

    def __init__(self, ports, noise):
        self.ports, self.noise, self.messages = ports, noise, []

    def add(self, data, changes):
        self.messages.append((data, changes))


class Case:
    def __init__(self, seed, number, children):
        self.number, self.children = number, children
        self.rng = random.Random(f"{seed} {number}")
        self.address = socket.inet_ntoa(struct.pack("!I", 0xC6120001 + number))
        self.records, self.frames = [], []
        self.ports = choose_ports(self.rng)
        self.alone = self.rng.random() < 0.5
        # Handshakes that may yet begin.
        self.again = self.rng.choices([0, 1, 2], [70, 20, 10])[0]

    def noise(self, likely):
        """Datagrams of other kinds: whether from the peer, the kind, the data."""
        rng = self.rng
        if rng.random() >= likely:
            return []
        count = rng.choices([1, 2, 3, 12], [65, 20, 10, 5])[0]
        found = []
        for _ in range(count):
            backwards, (kind, datagrams) = rng.random() < 0.25, before.other(rng)
            found += [(backwards, kind, data) for data in datagrams]
        return found

    def begin(self, spi=None):
        """An IKE_SA_INIT request; of the same SA when there is an SPI."""
        rng = self.rng
        # How many messages there will be while the peer answers.
        self.steps = rng.choices([1, 2, 3, 4], [50, 20, 10, 20])[0]
        self.done = 0
        message = m.sa_init(spi or rng.randbytes(8), rng.randbytes(32))
        for kind, size in USUAL:
            if rng.random() < 0.5:
                message.payloads.append(m.notify(kind, rng.randbytes(size)))
        count = rng.choices([0, 1, 2, 3, 4, 6], [12, 33, 30, 14, 7, 4])[0]
        changes = mutate.mutate(message, rng, mutate.HEADER + mutate.PAYLOADS, count)
        self.init, self.init_bytes = message, message.encode()
        turn = Turn(self.ports, self.noise(0 if self.alone else 0.9))
        turn.add(self.init_bytes, changes)
        return turn

    def following(self, answer):
        """The next turn, when the peer's answer allows one."""
        self.done += 1
        if self.done == 1 and not self.derive(answer):
            same = INVALID_KE_PAYLOAD in m.notifications(answer)
            return self.begin_again(self.init.init_spi if same else None)
        if self.done >= self.steps:
            return self.begin_again(None)
        if self.rng.random() < 0.4:
            self.ports = choose_ports(self.rng)
        return self.protected_turn()

    def begin_again(self, spi):
        self.again -= 1
        return self.begin(spi) if self.again >= 0 else None

    def derive(self, answer):
        """Keys of the answer to IKE_SA_INIT; false when there was no agreement."""
        found = dict(m.payloads(answer))
        key, nonce = found.get(m.KE, b""), mutate.of_kind(self.init, m.NONCE)
        if m.NONCE not in found or nonce is None or key[:2] != struct.pack("!H", m.X25519):
            return False
        self.resp_spi, self.peer_nonce = answer[8:16], found[m.NONCE]
        self.fragments = FRAGMENTATION_SUPPORTED in m.notifications(answer)
        spis = self.init.init_spi + self.resp_spi
        self.keys = crypto.Keys(key[4:36], nonce.body + self.peer_nonce, spis)
        return True

    def protected_turn(self):
        rng = self.rng
        turn = Turn(self.ports, self.noise(0.2))
        exchange, inner = self.inner()
        pieces = rng.choice([1, 1, 2, 3]) if self.fragments and len(inner) > 1 else 1
        spis = self.init.init_spi, self.resp_spi
        for message in m.protected(spis, exchange, self.done, inner, pieces):
            count = rng.choices([0, 1, 2, 3], [35, 35, 20, 10])[0]
            changes = mutate.mutate(message, rng, mutate.PROTECTED, count)
            turn.add(message.encode(self.keys, rng.randbytes(8)), changes)
        return turn

    def inner(self):
        """The exchange and what is encrypted."""
        rng = self.rng
        if self.done == 1:
            child = rng.randbytes(4)
            if self.children == "some" and rng.random() < 0.6:
                child = b""
            return m.IKE_AUTH, m.auth_payloads(self.keys, self.init_bytes, self.peer_nonce, child)
        if self.done == self.steps - 1:
            return m.INFORMATIONAL, [m.Payload(m.DELETE, b"\x01\0\0\0")]
        if rng.random() < 0.5:
            return m.INFORMATIONAL, []
        rekeyed = m.proposal(False, 1, m.SUITE, 1, rng.randbytes(8))
        fresh = m.sa_init(bytes(8), rng.randbytes(32))
        return m.CREATE_CHILD_SA, [m.Payload(m.SA, rekeyed), *reversed(fresh.payloads[1:])]

    def sent(self, data, ports, marker, **more):
        """Notes a message of ours, or what may be taken for one."""
        before_marker = m.MARKER if marker else b""
        one = {
            "spi": data[:8].hex(), "id": int.from_bytes(data[20:24], "big"), "exchange": data[18],
            "major": data[17] >> 4, "response": bool(data[19] & m.RESPONSE),
            "length": int.from_bytes(data[24:28], "big"), "ports": ports, "marker": marker,
            "data": (before_marker + data).hex(), "answers": [], "before": [], "changes": [],
            "part": False, "noise": False, **more,
        }
        self.records.append(one)
        return one

    def asked(self, data):
        """The message of ours that this is an answer to, if any."""
        if len(data) < m.HEADER:
            return None
        spi, number = data[:8].hex(), int.from_bytes(data[20:24], "big")
        fitting = [one for one in reversed(self.records) if one["spi"] == spi and not one["part"]]
        return next((one for one in fitting if one["id"] == number), (fitting or [None])[0])

    def as_json(self):
        return {
            "case": self.number, "address": self.address, "frames": self.frames,
            "messages": self.records,
        }
