"""Root on a host tries to get packets out that no flow permits. A program of its own: reads one JSON order, writes one JSON
report. It runs in the host's network; what really got out, tap.py sees on the host's cables.

Everything it sends carries the order's word, TCP also its token in the sequence number.
"""

import contextlib
import json
import random
import socket
import struct
import subprocess
import sys

SYN, ACK, RST, FIN, PUSH, URGENT = 2, 16, 4, 1, 8, 32
ODD_FLAGS = (ACK, RST, FIN, SYN | ACK, ACK | PUSH, FIN | ACK, RST | ACK, 0, FIN | PUSH | URGENT)


def checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


class Attack:
    def __init__(self, order: dict) -> None:
        self.word, self.token = order["word"].encode(), order["token"]
        self.tried: dict[str, int] = {}
        # Sends that the kernel let pass; the tap says whether they came out.
        self.passed: dict[str, int] = {}

    def send(self, name: str, family: int, kind: int, protocol: int, packet: bytes, target: tuple, source: str = "", hops: int = 0) -> None:
        """One packet; a refusal by the host's own rules is what should happen."""
        self.tried[name] = self.tried.get(name, 0) + 1
        with contextlib.suppress(OSError):
            with socket.socket(family, kind, protocol) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                if hops and family == socket.AF_INET6:
                    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
                    sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops)
                if source:
                    sender.bind((source, 0))
                sender.setblocking(False)
                sender.sendto(packet, target)
                self.passed[name] = self.passed.get(name, 0) + 1

    def tcp(self, source: str, target: str, source_port: int, port: int, flags: int) -> bytes:
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        head = struct.pack("!HHIIBBHHH", source_port, port, self.token << 16, self.token << 16, 5 << 4, flags, 64240, 0, 0)
        pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target)
        pseudo += struct.pack("!II", 20 + len(self.word), 6)
        return head[:16] + struct.pack("!H", checksum(pseudo + head + self.word)) + head[18:] + self.word

    def udp(self, source: str, target: str, source_port: int, port: int) -> bytes:
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        length = 8 + len(self.word)
        head = struct.pack("!HHHH", source_port, port, length, 0)
        pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack("!II", length, 17)
        return head[:6] + struct.pack("!H", checksum(pseudo + head + self.word)) + self.word


def wrapped(source: str, target: str, protocol: int, body: bytes, fragment: int = 0) -> bytes:
    """An IP header of one's own around a body."""
    if ":" in target:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), random.randrange(65536), fragment, 64, protocol, 0)
    return head + socket.inet_aton(source) + socket.inet_aton(target) + body


def family_of(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ordinary(attack: Attack, target: str, sources: list[str], order: dict) -> None:
    """What any program could try: datagrams, connections, pings."""
    family = family_of(target)
    for port in order["udp"]:
        name = {53: "DNS", 123: "NTP", 443: "QUIC"}.get(port, "other UDP")
        attack.send(name, family, socket.SOCK_DGRAM, 0, attack.word, (target, port))
    for source in sources:
        for port in order["tcp"]:
            name = {53: "DNS", 80: "HTTP", 443: "HTTPS", 853: "DNS"}.get(port, "other TCP")
            attack.send(name, family, socket.SOCK_RAW, 6, attack.tcp(source, target, random.randrange(40000, 60000), port, SYN), (target, 0), source)


def icmp(attack: Attack, target: str) -> None:
    if ":" in target:
        for kind in (1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137, 143):
            packet = struct.pack("!BBHHH", kind, 0, 0, 1, 1) + bytes(16) + attack.word
            attack.send("ICMPv6", socket.AF_INET6, socket.SOCK_RAW, 58, packet, (target, 0), hops=255)
    else:
        for kind in (0, 3, 5, 8, 9, 10, 11, 12, 13, 15, 17):
            packet = struct.pack("!BBHHH", kind, 0, 0, 1, 1) + attack.word
            packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
            attack.send("ICMP", socket.AF_INET, socket.SOCK_RAW, 1, packet, (target, 0))


def crafted(attack: Attack, target: str, sources: list[str], order: dict) -> None:
    """Raw sockets: other protocols, segments that belong to no connection, fragments."""
    family = family_of(target)
    for protocol in range(2, 255):
        if protocol not in (6, 17, 58):
            attack.send("other protocols", family, socket.SOCK_RAW, protocol, attack.word, (target, 0))
    for source in sources:
        for flags in ODD_FLAGS:
            for source_port, port in ((22, 40000), (443, 40000), (40000, 22), (53, 53), (40000, 443), *((p, 40000) for p in order["listening"])):
                packet = attack.tcp(source, target, source_port, port, flags)
                attack.send("segments without a connection", family, socket.SOCK_RAW, 6, packet, (target, 0), source)
        if family == socket.AF_INET:
            for fragment in (0x2000, 0x0001, 0x2001, 0x0010):
                body = attack.udp(source, target, 40000, 53)
                packet = wrapped(source, target, 17, body + bytes(-len(body) % 8), fragment)
                attack.send("fragments", family, socket.SOCK_RAW, socket.IPPROTO_RAW, packet, (target, 0))
        else:
            for offset in (1, 8, 9):
                body = struct.pack("!BBHI", 17, 0, offset, random.randrange(1 << 32)) + attack.udp(source, target, 40000, 53)
                attack.send("fragments", family, socket.SOCK_RAW, socket.IPPROTO_RAW, wrapped(source, target, 44, body), (target, 0))


def spoofed(attack: Attack, source: str, target: str, order: dict) -> None:
    """Another host's address as the source."""
    family = family_of(target)
    for port in order["spoof_tcp"]:
        packet = wrapped(source, target, 6, attack.tcp(source, target, random.randrange(40000, 60000), port, SYN))
        attack.send("others' addresses as source", family, socket.SOCK_RAW, socket.IPPROTO_RAW, packet, (target, 0))
    for port in (53, 123, 443):
        packet = wrapped(source, target, 17, attack.udp(source, target, 40000, port))
        attack.send("others' addresses as source", family, socket.SOCK_RAW, socket.IPPROTO_RAW, packet, (target, 0))


def ip(*arguments: str, check: bool = False) -> bool:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.returncode == 0


def on_the_wire(attack: Attack, target: str) -> None:
    """To neighbours by link-local addresses, and to all of them at once."""
    family = family_of(target)
    for port in (22, 53, 123, 137, 443, 1900, 5353, 5355):
        attack.send("on the wire", family, socket.SOCK_DGRAM, 0, attack.word, (target, port))
    icmp(attack, target)
    for protocol in (2, 4, 41, 47, 50, 89, 103, 112, 132):
        attack.send("on the wire", family, socket.SOCK_RAW, protocol, attack.word, (target, 0))


def with_addresses(attack: Attack, order: dict) -> None:
    """Addresses that the inventory does not give the host."""
    for entry in order["new_addresses"]:
        flags = ["nodad"] if ":" in entry["address"] else []
        ip("address", "add", f"{entry['address']}/{entry['length']}", "dev", entry["interface"], *flags, check=True)
        try:
            for target in entry["targets"]:
                for port in order["spoof_tcp"]:
                    packet = attack.tcp(entry["address"], target, random.randrange(40000, 60000), port, SYN)
                    attack.send("an added address", family_of(target), socket.SOCK_RAW, 6, packet, (target, 0), entry["address"])
                for port in (53, 123, 443):
                    attack.send("an added address", family_of(target), socket.SOCK_DGRAM, 0, attack.word, (target, port), entry["address"])
        finally:
            ip("address", "delete", f"{entry['address']}/{entry['length']}", "dev", entry["interface"])


def with_routes(attack: Attack, order: dict) -> None:
    """Other ways to the world: each zone's gateway, and each neighbour as if it were one."""
    for entry in order["new_routes"]:
        if not ip("route", "add", entry["network"], "via", entry["via"], "dev", entry["interface"], "onlink"):
            continue
        try:
            for port in (53, 123, 443):
                attack.send("an added route", family_of(entry["target"]), socket.SOCK_DGRAM, 0, attack.word, (entry["target"], port))
            for port in (22, 53, 80, 443, 853):
                packet = attack.tcp(entry["source"], entry["target"], random.randrange(40000, 60000), port, SYN)
                attack.send("an added route", family_of(entry["target"]), socket.SOCK_RAW, 6, packet, (entry["target"], 0), entry["source"])
        finally:
            ip("route", "delete", entry["network"], "via", entry["via"], "dev", entry["interface"])


def through_a_network_of_its_own(attack: Attack, order: dict) -> None:
    """A network without rules behind the host, which is told to pass its packets on."""
    forwarding = {path: open(path, encoding="ascii").read() for path in ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")}
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE) as inner:
        try:
            inner.stdout.readline()
            ip("link", "add", "kinora-out", "type", "veth", "peer", "name", "kinora-in", "netns", str(inner.pid), check=True)
            ip("address", "add", "169.254.77.1/30", "dev", "kinora-out")
            ip("address", "add", "fd77::1/64", "dev", "kinora-out", "nodad")
            ip("link", "set", "kinora-out", "up")
            for path in forwarding:
                with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
                    file.write("1\n")
            inside = ["nsenter", f"--net=/proc/{inner.pid}/ns/net", "--"]
            for line in (
                "link set lo up", "address add 169.254.77.2/30 dev kinora-in", "address add fd77::2/64 dev kinora-in nodad",
                "link set kinora-in up", "route add default via 169.254.77.1", "-6 route add default via fd77::1",
            ):  # fmt: skip
                subprocess.run([*inside, "ip", *line.split()], check=True, capture_output=True)
            subprocess.run([*inside, sys.executable, "-B", __file__, "--inner"], input=json.dumps(order), text=True, check=True)
            name = "forwarded from a network of its own"
            attack.tried[name] = 5 * len(order["forwarded"])
        finally:
            inner.kill()
            for path, before in forwarding.items():
                with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
                    file.write(before)
            ip("link", "delete", "kinora-out")


def inner(order: dict) -> None:
    attack = Attack(order)
    for target in order["forwarded"]:
        for port in (22, 53, 123, 443, 5432):
            attack.send("forwarded", family_of(target), socket.SOCK_DGRAM, 0, attack.word, (target, port))


def main() -> None:
    order = json.load(sys.stdin)
    if sys.argv[1:] == ["--inner"]:
        inner(order)
        return
    attack = Attack(order)
    for target in order["targets"]:
        sources = [source for source in order["sources"] if family_of(source) == family_of(target)]
        ordinary(attack, target, sources, order)
        icmp(attack, target)
        crafted(attack, target, sources, order)
    for target in order["wire"]:
        on_the_wire(attack, target)
    for source, target in order["spoofed"]:
        spoofed(attack, source, target, order)
    with_addresses(attack, order)
    with_routes(attack, order)
    through_a_network_of_its_own(attack, order)
    json.dump({"tried": attack.tried, "passed": attack.passed}, sys.stdout)


if __name__ == "__main__":
    main()
