"""Sees what comes out of a host's cables. A program of its own, run where the bridges are: reads one JSON order, prints a line
when it is ready, and at the end of its standard input what it has seen, as JSON.

Each entry is one kind of packet with how often it came: cable, protocol, source, target, ports or ICMP's type, whether it carries
the order's word, and whether the sender is the host (by the cable it came from, whatever addresses it claims).
"""

import collections
import contextlib
import json
import select
import socket
import struct
import sys

RECEIVE_BYTES = 1 << 28
# What is kept of a frame: all of those that attack.py makes.
FRAME_BYTES = 4096
ETH_ALL, ETH_IPV4, ETH_IPV6, ETH_VLAN = 3, 0x0800, 0x86DD, 0x8100
SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE = 263, 23, 33
# Headers that stand between IPv6 and what it carries.
EXTENSIONS = (0, 43, 60, 135)


def open_cable(name: str) -> socket.socket:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    # Room for all that one attack sends: on a busy machine this program may not run for seconds.
    tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
    tap.setblocking(False)
    tap.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    tap.bind((name, ETH_ALL))
    return tap


def read(frame: bytes, word: bytes, token: int) -> tuple | None:
    """(protocol, source, target, first port or type, second port, marked); nothing for what is not IP."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    marked = word in frame
    if kind == ETH_IPV4:
        start = 14 + (frame[14] & 15) * 4
        protocol, source, target = frame[23], socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
        if struct.unpack_from("!H", frame, 20)[0] & 0x1FFF:
            return ("fragment", source, target, protocol, 0, marked)
    elif kind == ETH_IPV6:
        start, protocol = 54, frame[20]
        source, target = (socket.inet_ntop(socket.AF_INET6, frame[at : at + 16]) for at in (22, 38))
        while protocol in EXTENSIONS and len(frame) > start + 2:
            protocol, start = frame[start], start + 8 + 8 * frame[start + 1]
        if protocol == 44:
            return ("fragment", source, target, frame[start], 0, marked)
    else:
        return None
    if protocol == 6 and len(frame) >= start + 8:
        first, second, sequence = struct.unpack_from("!HHI", frame, start)
        return ("tcp", source, target, first, second, marked or sequence >> 16 == token and sequence & 0xFFFF == 0)
    if protocol == 17 and len(frame) >= start + 4:
        return ("udp", source, target, *struct.unpack_from("!HH", frame, start), marked)
    if protocol in (1, 58) and len(frame) > start:
        return ("icmp" if protocol == 1 else "icmpv6", source, target, frame[start], 0, marked)
    return ("protocol", source, target, protocol, 0, marked)


def drain(tap: socket.socket, frames: list[bytes]) -> None:
    """Takes what has come; it is read later, as reading it is slower than it may come."""
    with contextlib.suppress(BlockingIOError):
        while True:
            frames.append(tap.recv(FRAME_BYTES))


def lost(taps: dict) -> int:
    """Packets that came faster than they were read."""
    return sum(struct.unpack("II", tap.getsockopt(SOL_PACKET, 6, 8))[1] for tap in taps)


def main() -> None:
    order = json.loads(sys.stdin.readline())
    taps = {open_cable(name): name for name in order["cables"]}
    print("ready", flush=True)
    frames: dict[str, list[bytes]] = {name: [] for name in taps.values()}
    ended = False
    while not ended:
        readable, _, _ = select.select([sys.stdin, *taps], [], [])
        ended = sys.stdin in readable
        for tap, name in taps.items():
            drain(tap, frames[name])
    seen = collections.Counter()
    for name, taken in frames.items():
        found = (read(frame, order["word"].encode(), order["token"]) for frame in taken)
        seen.update((name, *one) for one in found if one)
    json.dump({"seen": [[*key, count] for key, count in seen.items()], "lost": lost(taps)}, sys.stdout)


if __name__ == "__main__":
    main()
