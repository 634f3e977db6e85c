"""Sees what came past the firewall of the network it runs in. A program of its own, beside probe.py.

Raw sockets get their copy of a packet only after the host's input rules have let it in. Prints a line when it is ready, then
waits for the end of its standard input, and prints what it has seen as JSON: [[protocol, port, source, target], …].
"""

import json
import select
import socket
import struct
import sys

# ICMP, IP in IP, UDP, IPv6 in IP, GRE, ESP, ICMPv6, VRRP, SCTP.
PROTOCOLS = {4: (1, 4, 17, 47, 50, 112, 132), 6: (17, 41, 47, 50, 58, 112, 132)}
# Not in Python's socket module.
SO_RCVBUFFORCE, IPV6_RECVPKTINFO, IPV6_PKTINFO = 33, 49, 50


def listeners(tcp_port: int | None):
    found = {}
    for version, protocols in PROTOCOLS.items():
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        for protocol in protocols:
            raw = socket.socket(family, socket.SOCK_RAW, protocol)
            raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            if version == 6:
                raw.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
            found[raw] = (version, protocol)
    if tcp_port:
        # A port that must be seen open.
        listener = socket.create_server(("::", tcp_port), family=socket.AF_INET6, dualstack_ipv6=True)
        found[listener] = (0, 0)
    return found


def read(raw: socket.socket, version: int, protocol: int, word: bytes):
    packet, extra, _, sender = raw.recvmsg(2048, 256)
    if word not in packet:
        return None
    source = sender[0].split("%")[0]
    if version == 4:
        target = socket.inet_ntop(socket.AF_INET, packet[16:20])
        packet = packet[(packet[0] & 15) * 4 :]
    else:
        target = next((socket.inet_ntop(socket.AF_INET6, data[:16]) for _, kind, data in extra if kind == IPV6_PKTINFO), "")
    if protocol == 17:
        return ["udp", struct.unpack_from("!H", packet, 2)[0], source, target]
    if protocol in (1, 58):
        return ["echo", 0, source, target] if packet[0] in (8, 128) else None
    return ["protocol", protocol, source, target]


def main() -> None:
    order = json.loads(sys.stdin.readline())
    sockets = listeners(order.get("listen"))
    print("ready", flush=True)
    seen = set()
    while True:
        readable, _, _ = select.select([sys.stdin, *sockets], [], [])
        for one in readable:
            if one is sys.stdin:
                continue
            version, protocol = sockets[one]
            if version == 0:
                one.accept()[0].close()
                continue
            found = read(one, version, protocol, order["word"].encode())
            if found:
                seen.add(tuple(found))
        if readable == [sys.stdin]:
            break
    json.dump(sorted(seen), sys.stdout)


if __name__ == "__main__":
    main()
