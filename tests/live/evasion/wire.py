"""Frames, and the cable on which they go."""

import ctypes
import socket
import struct
import time

PEER = "192.0.2.20"
# Ours, and the peer's in its own namespace.
INTERFACE, PEER_INTERFACE = "to-right", "to-wire"
SO_RCVBUFFORCE = 33
ALL_PROTOCOLS = 3
PCAP_HEADER = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def socket_in(namespace, interface):
    """A raw socket in another network namespace."""
    library = ctypes.CDLL(None, use_errno=True)

    def enter(file):
        if library.setns(file.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    with open("/proc/self/ns/net", "rb") as own, open(f"/var/run/netns/{namespace}", "rb") as other:
        enter(other)
        raw = raw_socket(interface, 0)
        enter(own)
    return raw


def raw_socket(interface, protocol):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    raw.bind((interface, protocol))
    return raw


def checksum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16) ^ 0xFFFF


def frame(macs, addresses, ports, data):
    """Ethernet, IPv4 and UDP, with both checksums right."""
    source, destination = map(socket.inet_aton, addresses)
    length = 8 + len(data)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0) + source + destination
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    udp = struct.pack("!HHHH", *ports, length, 0) + data
    pseudo = source + destination + struct.pack("!HH", 17, length)
    total = checksum(pseudo + udp + bytes(len(udp) % 2)) or 0xFFFF
    return b"".join((*macs, b"\x08\0", ip, udp[:6], struct.pack("!H", total), data))


class Wire:
    """What goes over the cable; a case's frames are kept, and it knows where."""

    def __init__(self, namespace, path):
        self.near = raw_socket(INTERFACE, ALL_PROTOCOLS)
        self.far = socket_in(namespace, PEER_INTERFACE)
        self.macs = self.far.getsockname()[4], self.near.getsockname()[4]
        self.file = open(path, "wb")
        self.file.write(PCAP_HEADER)

    def keep(self, case, data):
        case.frames.append(self.file.tell())
        seconds, micro = divmod(time.time_ns() // 1000, 1000000)
        self.file.write(struct.pack("<IIII", seconds, micro, len(data), len(data)) + data)

    def send(self, case, ports, data, backwards=False):
        """To the peer; backwards, as if from the peer, which does not notice."""
        macs, addresses = self.macs, (case.address, PEER)
        if backwards:
            macs, addresses, ports = macs[::-1], addresses[::-1], ports[::-1]
        whole = frame(macs, addresses, ports, data)
        self.keep(case, whole)
        (self.far if backwards else self.near).send(whole)

    def receive(self):
        """A UDP datagram from the peer, if one is there: for whom, data, frame."""
        whole, (_, _, kind, *_) = self.near.recvfrom(65535)
        if kind == socket.PACKET_OUTGOING or whole[12:14] != b"\x08\0" or whole[23] != 17:
            return None
        end = 34 + int.from_bytes(whole[38:40], "big")
        return socket.inet_ntoa(whole[30:34]), whole[42:end], whole
