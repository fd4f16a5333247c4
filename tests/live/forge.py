"""Sends forged IKEv2 messages that no peer would.

usage: forge.py malformed SOURCE DESTINATION
       forge.py flood INTERFACE MAC DESTINATION RATE SECONDS

malformed: broken ones in the flows on 500 and 4500 between the two addresses,
with DSCP 1 so that they can be counted. flood: IKE_SA_INIT requests from random
addresses of 198.18.0.0/15 and random ports, each a flow with an SPI of its own, at
RATE a second or as many as can be sent. Prints how many were sent, and in how many
seconds. It is meant for a network namespace that leads nowhere.
"""

import os
import random
import socket
import struct
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../capture/lib"))
import flood  # noqa: E402

HEADER = 28
MARKER = bytes(4)
ROUND = 64


def udp(source, destination, ports, data):
    """IPv4 and UDP around data. The checksum of UDP may be absent."""
    length = 28 + len(data)
    ip = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 1 << 2, length, 0, 0, 64, 17, 0,
        socket.inet_aton(source), socket.inet_aton(destination),
    )
    return ip + struct.pack("!HHHH", *ports, length - 20, 0) + data


def broken(message):
    """The message cut short everywhere, and with each length in it made wrong."""
    for end in range(HEADER - 4, len(message)):
        yield message[:end]
    for at in (HEADER + 2, 24, 26):
        for length in (0, 1, 3, 0x7FFF, 0xFFFF):
            yield message[:at] + struct.pack("!H", length) + message[at + 2 :]
    for following in (1, 32, 46, 53, 255):
        yield message[:16] + bytes([following]) + message[17:]
    for octet in range(HEADER, len(message)):
        yield message[:octet] + b"\xff" + message[octet + 1 :]
    yield message + bytes(500)


def malformed(source, destination):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sent = 0
    for port, before in ((500, b""), (4500, MARKER)):
        for message in broken(flood.request(sent)):
            raw.sendto(udp(source, destination, (port, port), before + message), (destination, 0))
            sent += 1
            time.sleep(0.001)
    return sent


def ip_checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def frames(mac, own, destination, count):
    """Ethernet and IP of requests from random addresses, and all behind the SPI."""
    ethernet = bytes.fromhex(mac.replace(":", "")) + own + b"\x08\x00"
    rest = flood.request(0)[8:]
    ports = struct.pack("!HHH", 500, 16 + len(rest), 0)
    for _ in range(count):
        source = struct.pack("!I", 0xC6120000 | random.getrandbits(17))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 36 + len(rest), 0, 0, 64, 17, 0)
        ip += source + socket.inet_aton(destination)
        yield ethernet + ip[:10] + struct.pack("!H", ip_checksum(ip)) + ip[12:], ports, rest


def send_flood(interface, mac, destination, rate, seconds):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((interface, 0))
    ready = list(frames(mac, raw.getsockname()[4], destination, 50000))
    sent = 0
    begin = time.monotonic()
    while (now := time.monotonic() - begin) < seconds:
        if sent > now * rate:
            time.sleep(0.001)
            continue
        noise = os.urandom(10 * ROUND)
        for at in range(0, 10 * ROUND, 10):
            before, ports, rest = ready[sent % len(ready)]
            raw.send(before + noise[at : at + 2] + ports + noise[at + 2 : at + 10] + rest)
            sent += 1
    return sent


def main(what, *arguments):
    begin = time.monotonic()
    if what == "malformed":
        sent = malformed(*arguments)
    else:
        sent = send_flood(*arguments[:3], int(arguments[3]), float(arguments[4]))
    print(sent, round(time.monotonic() - begin, 1))


if __name__ == "__main__":
    if (sys.argv[1:2], len(sys.argv)) not in ((["malformed"], 4), (["flood"], 7)):
        sys.exit(__doc__)
    main(*sys.argv[1:])
