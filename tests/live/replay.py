"""Sends the frames of a capture, as fast as they were recorded.

usage: replay.py INTERFACE FILE

The file is a classic pcap of Ethernet. Meant for a network namespace that leads nowhere.
"""

import socket
import struct
import sys
import time


def frames(file):
    """The frames and their times in seconds."""
    header = file.read(24)
    order = "<" if header[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    magic, link_type = struct.unpack(order + "I16xI", header)
    if (magic, link_type) != (0xA1B2C3D4, 1):
        sys.exit("not a capture of Ethernet in microseconds")
    while record := file.read(16):
        seconds, microseconds, length, _ = struct.unpack(order + "4I", record)
        yield seconds + microseconds / 1e6, file.read(length)


def main(interface, path):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((interface, 0))
    first = None
    with open(path, "rb") as file:
        for recorded, frame in frames(file):
            first = first or recorded - time.monotonic()
            time.sleep(max(0, recorded - first - time.monotonic()))
            raw.send(frame)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
