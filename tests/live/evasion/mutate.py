"""Changes to a message, each with a word that says what it is.

Every function takes the message and a random generator, changes the message, and
returns what it did in a few words.
"""

import struct

import before
import message as m
from message import Payload

KNOWN = [*range(33, 55), 48, 49, 50]
UNASSIGNED = [*range(1, 33), *range(55, 128)]
PRIVATE = list(range(128, 256))


def random_kind(rng):
    return rng.choice(rng.choice([KNOWN, UNASSIGNED, PRIVATE, PRIVATE]))


def junk(rng):
    return rng.randbytes(rng.choice([0, 0, 1, 3, 4, 8, 17, 40, 200]))


# --- the header -------------------------------------------------------------


def spi_beginning(message, rng):
    what = rng.choice(before.BEGINNINGS)[:8]
    message.init_spi = what + message.init_spi[len(what) :]
    return f"SPI begins {what!r}"


def sip_spi(message, rng):
    method = rng.choice(before.SIP_METHODS) + " sip:"
    what = method.encode()[:8]
    message.init_spi = what + message.init_spi[len(what) :]
    return f"SPI begins {what!r}"


def responder_spi(message, rng):
    message.resp_spi = rng.choice([rng.randbytes(8), bytes(7) + b"\1", message.init_spi])
    return f"responder SPI {message.resp_spi.hex()}"


def message_id(message, rng):
    message.message_id = rng.choice([1, 2, 0x100, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)])
    return f"message ID {message.message_id:#x}"


def minor_version(message, rng):
    message.version = 0x20 | rng.randrange(1, 16)
    return f"version {message.version:#x}"


def major_version(message, rng):
    message.version = rng.choice([0x00, 0x10, 0x30, 0x3F, 0x40, 0xF0])
    return f"version {message.version:#x}"


def reserved_flags(message, rng):
    some = rng.choice([0x01, 0x02, 0x04, 0x40, 0x80, 0xC7, rng.getrandbits(8) & 0xC7])
    message.flags |= some
    return f"flags {message.flags:#x}"


def version_flag(message, _rng):
    message.flags |= 0x10
    return "version flag"


def no_initiator_flag(message, _rng):
    message.flags &= ~m.INITIATOR
    return "no initiator flag"


def response_flag(message, _rng):
    message.flags |= m.RESPONSE
    return "response flag"


def exchange_type(message, rng):
    others = [35, 36, 37, 38, 39, 40, 43, 44, 45, 99, 240, 255, 0, 2, 4, 5, 33]
    message.exchange = rng.choice(others)
    return f"exchange type {message.exchange}"


def absurd_length(message, rng):
    message.length = rng.choice([0, 1, 4, 27, 28, 31, 32, 0xFFFF, 0x10000, 70000, 2**31, 2**32 - 1])
    return f"Length {message.length}"


def wrong_length(message, rng):
    true = len(message.lay_out()[0]) - len(message.trailing)
    error = rng.choice([-100, -32, -4, -2, -1, 1, 2, 4, 8, 28, 100, 256, 65536])
    message.length = max(0, true + error)
    return f"Length {message.length} for {true}"


def trailing(message, rng):
    count = rng.choice([1, 2, 3, 4, 7, 16, 100])
    message.trailing = rng.choice([bytes(count), rng.randbytes(count)])
    return f"{count} trailing bytes"


def inside(message, rng):
    count = rng.choice([1, 2, 3, 4, 7, 16, 100])
    message.inside = rng.choice([bytes(count), rng.randbytes(count)])
    return f"{count} bytes behind the payloads"


def cut(message, rng):
    """Short of its end, and with a Length that fits or does not."""
    message.cut = 0
    whole = len(message.lay_out()[0])
    message.cut = rng.choice([1, 4, 36, whole - m.HEADER, rng.randrange(1, whole - m.HEADER)])
    if rng.random() < 0.5:
        message.length = whole - message.cut
    return f"{message.cut} bytes cut off, Length {message.length or 'as it was'}"


def first_payload(message, rng):
    message.first = rng.choice([0, random_kind(rng), random_kind(rng)])
    return f"first payload called {message.first}"


def last_next(message, rng):
    message.last_next = rng.choice([m.NOTIFY, m.SA, random_kind(rng)])
    return f"last payload calls {message.last_next} next"


# --- payloads ---------------------------------------------------------------


def room(message, rng):
    """A place for a payload; not behind an encrypted one, which is last."""
    return rng.randrange(len(message.payloads) + 1 - message.is_sealed())


def leading(message, rng):
    kind = rng.choice(rng.choice([UNASSIGNED, PRIVATE]))
    message.payloads.insert(0, Payload(kind, junk(rng)))
    return f"payload {kind} first"


def unknown(message, rng):
    kind = random_kind(rng)
    if kind in (m.SK, m.SKF):
        kind = 200
    at = room(message, rng)
    message.payloads.insert(at, Payload(kind, junk(rng)))
    return f"payload {kind} at {at}"


def unknown_critical(message, rng):
    kind = random_kind(rng)
    message.payloads.insert(room(message, rng), Payload(kind, junk(rng), 0x80))
    return f"critical payload {kind}"


def many(message, rng):
    count = rng.choice([5, 17, 40, 100])
    kind = rng.choice([m.VENDOR_ID, m.NOTIFY, rng.choice(PRIVATE), rng.choice(UNASSIGNED)])
    body = bytes(4) if kind == m.NOTIFY else b"\x5a"
    at = room(message, rng)
    message.payloads[at:at] = [Payload(kind, body) for _ in range(count)]
    return f"{count} payloads {kind} at {at}"


def shuffled(message, rng):
    if message.is_sealed():
        return unknown(message, rng)
    rng.shuffle(message.payloads)
    return f"order {[payload.kind for payload in message.payloads]}"


def repeated(message, rng):
    one = rng.choice(message.payloads)
    if isinstance(one.body, m.Sealed):
        return unknown(message, rng)
    copy = Payload(one.kind, one.body, one.flags)
    message.payloads.insert(room(message, rng), copy)
    return f"payload {one.kind} twice"


def left_out(message, rng):
    if len(message.payloads) < 2:
        return unknown(message, rng)
    one = message.payloads.pop(rng.randrange(len(message.payloads) - 1))
    return f"no payload {one.kind}"


def payload_flags(message, rng):
    one = rng.choice(message.payloads)
    one.flags = rng.choice([0x80, 0x01, 0x40, 0x7F, 0xFF])
    return f"payload {one.kind} has flags {one.flags:#x}"


def payload_length(message, rng):
    one = rng.choice(message.payloads)
    true = 4 + len(one.body)
    one.length = max(0, true + rng.choice([-40, -4, -1, 1, 4, 40, 1000, -true]))
    return f"payload {one.kind} has length {one.length}"


def vendor_id(message, rng):
    body = rng.choice([junk(rng), b"BYE sip:", b"strongSwan", bytes(300), b"\xff" * 20])
    at = room(message, rng)
    message.payloads.insert(at, Payload(m.VENDOR_ID, body))
    return f"Vendor ID of {len(body)} at {at}"


def odd_notify(message, rng):
    errors, states = [1, 7, 14, 17, 24], [16384, 16388, 16390, 16404, 16406, 16430, 16431, 40000]
    kind, spi = rng.choice(errors + states), rng.choice([b"", bytes(4), bytes(8)])
    one = m.notify(kind, junk(rng), rng.choice([0, 0, 1, 3, 200]), spi)
    at = room(message, rng)
    message.payloads.insert(at, one)
    return f"notification {kind} of {len(one.body)} at {at}"


def short_payload(message, rng):
    kind = rng.choice([m.NOTIFY, m.VENDOR_ID, m.DELETE, m.SA, m.KE, m.NONCE, 37, 38, 47, m.TS_I])
    body = bytes(rng.choice([0, 0, 1, 2, 3]))
    at = room(message, rng)
    message.payloads.insert(at, Payload(kind, body))
    return f"payload {kind} of {len(body)} bytes at {at}"


# --- what is in them --------------------------------------------------------


def of_kind(message, kind):
    return next((payload for payload in message.payloads if payload.kind == kind), None)


def proposals(message, rng):
    sa = of_kind(message, m.SA)
    if sa is None:
        return unknown(message, rng)
    kinds = rng.choices([1, 2, 3, 4, 5, 6, 99, 250], k=3)
    odd = [(kind, rng.getrandbits(16), junk(rng)[:8]) for kind in kinds]
    spi = rng.choice([b"", bytes(8), b"abc"])
    extra = m.proposal(True, 1, odd, rng.choice([1, 1, 2, 3, 9]), spi)
    right = m.proposal(False, rng.choice([2, 2, 1, 7]), m.SUITE)
    sa.body = extra + right
    return f"an odd proposal first ({extra.hex()})"


def more_transforms(message, rng):
    sa = of_kind(message, m.SA)
    if sa is None:
        return unknown(message, rng)
    kinds = rng.choices([1, 2, 3, 4, 5, 6, 13, 241], k=rng.choice([1, 3, 40]))
    more = [(kind, rng.getrandbits(16)) for kind in kinds]
    sa.body = m.proposal(False, 1, rng.sample(m.SUITE + more, len(m.SUITE) + len(more)))
    return f"{len(more)} transforms more"


def reserved_in_sa(message, rng):
    sa = of_kind(message, m.SA)
    if sa is None:
        return unknown(message, rng)
    some = rng.randrange(1, 256)
    suite = [(*one, b"", some) for one in m.SUITE]
    sa.body = m.proposal(False, 1, suite, reserved=rng.choice([0, some]))
    return "reserved bytes in SA"


def other_suite(message, rng):
    """What the peer may refuse: by NO_PROPOSAL_CHOSEN or INVALID_KE_PAYLOAD."""
    sa = of_kind(message, m.SA)
    if sa is None:
        return unknown(message, rng)
    group, key_length = rng.choice([14, 19, 2, 1, 99, 31]), b"\x80\x0e\x01\x00"
    suites = [[(1, 12, key_length), (3, 12)], [(1, 20, key_length)], [(1, 3), (3, 2)]]
    suite = rng.choice(suites)
    sa.body = m.proposal(False, 1, [*suite, (2, 5), (4, group)])
    return f"group {group} and another suite offered"


def key_exchange(message, rng):
    ke = of_kind(message, m.KE)
    if ke is None:
        return unknown(message, rng)
    group, value = m.X25519, ke.body[4:]
    reserved = rng.choice([0, 0xFFFF])
    group = rng.choice([group, group, 14, 19, 0, 65535])
    value = rng.choice([value, value, bytes(32), rng.randbytes(256), b""])
    ke.body = struct.pack("!HH", group, reserved) + value
    return f"KE of group {group}, reserved {reserved:#x}, {len(value)} bytes"


def nonce(message, rng):
    one = of_kind(message, m.NONCE)
    if one is None:
        return unknown(message, rng)
    one.body = rng.randbytes(rng.choice([0, 1, 15, 16, 17, 255, 256, 257, 700]))
    return f"nonce of {len(one.body)}"


# Weights: what is sure to be refused is rarer.
HEADER = [
    (spi_beginning, 4), (sip_spi, 4), (responder_spi, 4), (message_id, 4), (minor_version, 3),
    (major_version, 1), (reserved_flags, 6), (version_flag, 3), (no_initiator_flag, 3),
    (response_flag, 1), (exchange_type, 2), (absurd_length, 6), (wrong_length, 6), (trailing, 5),
    (inside, 3), (cut, 2), (first_payload, 2), (last_next, 3),
]
PAYLOADS = [
    (leading, 8), (unknown, 6), (unknown_critical, 3), (many, 3), (shuffled, 4), (repeated, 3),
    (left_out, 1), (payload_flags, 5), (payload_length, 2), (vendor_id, 4), (odd_notify, 4),
    (short_payload, 4), (proposals, 4), (more_transforms, 3), (reserved_in_sa, 3), (other_suite, 2),
    (key_exchange, 2), (nonce, 2),
]
# SPIs and the number of a protected message have to be those of its SA.
PROTECTED = [
    (minor_version, 3), (reserved_flags, 4), (version_flag, 2), (exchange_type, 1),
    (absurd_length, 2), (wrong_length, 2), (trailing, 3), (no_initiator_flag, 1),
    (leading, 5), (unknown, 4), (many, 2), (vendor_id, 2), (odd_notify, 2), (payload_flags, 3),
    (last_next, 1), (inside, 1), (short_payload, 2),
]


def mutate(message, rng, choices, count):
    """Makes so many changes, and says which: pairs of a name and what was done."""
    ways, weights = zip(*choices)
    chosen = rng.choices(ways, weights, k=count)
    return [(way.__name__, way(message, rng)) for way in chosen]
