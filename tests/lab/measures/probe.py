"""Sends probes from the network it runs in. A program of its own: reads one JSON order, writes one JSON report.

TCP: a SYN to each port over a raw socket that the host's own rules see like any other. What the host itself drops is known
at once (EPERM), and what comes back is known when it comes: nobody waits for anything a firewall swallowed.
UDP, ICMP and other protocols: one packet each, with a word in it that a witness (witness.py) at the target knows.

SYNs to all ports of an address differ only in the port and in the lower half of the sequence number, which is the port's
complement: so their checksum is the same, and 65,535 of them are prepared once. sendmmsg(2) sends them in batches.
"""

import ctypes
import errno
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

ALL_PORTS = range(1, 65536)
BATCH = 256
MESSAGE_BYTES = 64
# Answers cross only this machine's memory; this is for a machine that is very busy.
GRACE_SECONDS = 1.0
NEIGHBOUR_SECONDS = 3.0
SWEEPS = 4
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
SYN, ACK, RST = 2, 16, 4
# Not in Python's socket module.
SO_RCVBUFFORCE = 33

libc = ctypes.CDLL(None, use_errno=True)
libc.sendmmsg.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)


def checksum(data: bytes) -> int:
    """The internet checksum's sum, not complemented."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Batch:
    """SYNs to a list of ports, as sendmmsg wants them; `aim` sets what depends on the addresses."""

    def __init__(self, ports, source_port: int, token: int) -> None:
        self.count = len(ports)
        self.source_port, self.token = source_port, token
        self._heads = bytearray(8 * self.count)
        # Acknowledgement, length and flags, window, checksum, urgent: the same for all.
        self._tail = bytearray(struct.pack("!IBBHHH", 0, 5 << 4, SYN, 64240, 0, 0))
        heads, tail = (ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in (self._heads, self._tail))
        vectors = bytearray(32 * self.count)
        messages = bytearray(MESSAGE_BYTES * self.count)
        vector_base = ctypes.addressof(ctypes.c_char.from_buffer(vectors))
        for number, port in enumerate(ports):
            struct.pack_into("!HHHH", self._heads, 8 * number, source_port, port, token, 0xFFFF - port)
            struct.pack_into("QQQQ", vectors, 32 * number, heads + 8 * number, 8, tail, 12)
            struct.pack_into("QQQQ", messages, MESSAGE_BYTES * number, 0, 0, vector_base + 32 * number, 2)
        self._vectors, self._messages = vectors, messages
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(messages))

    def aim(self, source: str, target: str) -> None:
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack("!II", 20, socket.IPPROTO_TCP)
        # Port and complement add up to 0xFFFF, which is nothing in this sum.
        fixed = struct.pack("!HH", self.source_port, self.token) + self._tail[:8] + b"\0\0" + self._tail[10:]
        struct.pack_into("!H", self._tail, 8, 0xFFFF - checksum(pseudo + fixed) or 0xFFFF)


class Aim:
    """One source address, one target address, and the TCP ports to try."""

    def __init__(self, task: dict) -> None:
        self.id, self.source, self.target = task["id"], task["source"], task["target"]
        self.ports = task.get("ports")
        self.version = 6 if ":" in self.target else 4
        self.scope = socket.if_nametoindex(task["interface"]) if task.get("interface") else 0
        self.open: set[int] = set()
        self.refused: set[int] = set()
        self.sent = self.stopped = self.sweeps = 0
        self.trouble: dict[str, int] = {}
        self.socket: socket.socket | None = None

    def end(self, address: str, port: int = 0):
        return (address, port) if self.version == 4 else (address, port, 0, self.scope)

    def connect(self) -> bool:
        raw = socket.socket(FAMILIES[self.version], socket.SOCK_RAW, socket.IPPROTO_TCP)
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        raw.setblocking(False)
        try:
            raw.bind(self.end(self.source))
            raw.connect(self.end(self.target))
        except OSError as error:
            self.trouble[error.strerror] = 1
            raw.close()
            return False
        self.socket = raw
        return True

    def drain(self, source_port: int, token: int) -> None:
        while True:
            try:
                packet = self.socket.recv(256)
            except BlockingIOError:
                return
            except OSError:
                # An ICMP error of an earlier packet.
                continue
            start = (packet[0] & 15) * 4 if self.version == 4 else 0
            try:
                port, to, _, acknowledged, _, flags = struct.unpack_from("!HHIIBB", packet, start)
            except struct.error:
                continue
            # The sequence number's lower half was below 0xFFFF, so one more did not change the upper half.
            if to != source_port or acknowledged >> 16 != token or acknowledged & 0xFFFF != 0x10000 - port:
                continue
            if flags & RST:
                self.refused.add(port)
            elif flags & (SYN | ACK) == SYN | ACK:
                self.open.add(port)


def send(aim: Aim, batch: Batch, count: int) -> None:
    """One packet to each of the first `count` ports."""
    batch.aim(aim.source, aim.target)
    descriptor, base, position, retried = aim.socket.fileno(), batch.address, 0, -1
    sendmmsg, since = libc.sendmmsg, 0
    while position < count:
        done = sendmmsg(descriptor, base + position * MESSAGE_BYTES, min(BATCH, count - position), 0)
        if done > 0:
            position += done
            since += done
            aim.sent += done
            if since >= BATCH:
                aim.drain(batch.source_port, batch.token)
                since = 0
            continue
        code = ctypes.get_errno()
        if code == errno.EPERM:
            aim.stopped += 1
            position += 1
        elif code == errno.EAGAIN:
            select.select([], [aim.socket], [], 1)
        elif retried != position:
            # It may be the ICMP error of an earlier packet.
            retried = position
        else:
            name = errno.errorcode.get(code, str(code))
            aim.trouble[name] = aim.trouble.get(name, 0) + 1
            position += 1
    aim.drain(batch.source_port, batch.token)


def lost_packets() -> int:
    """Packets that this machine dropped because it could not keep up."""
    with open("/proc/net/softnet_stat", encoding="ascii") as file:
        return sum(int(line.split()[1], 16) for line in file)


def wait_for_neighbours() -> None:
    """The first packets to a neighbour wait for its address, and only so many may."""
    until = time.monotonic() + NEIGHBOUR_SECONDS
    while time.monotonic() < until:
        listed = json.loads(subprocess.run(["ip", "-j", "neigh"], capture_output=True, check=True).stdout or b"[]")
        if not any("INCOMPLETE" in entry.get("state", []) for entry in listed):
            return
        time.sleep(0.05)


def probe_tcp(tasks: list[dict], token: int, source_port: int) -> list[Aim]:
    batches: dict[tuple, Batch] = {}
    aims = [Aim(task) for task in tasks]
    ready = [aim for aim in aims if aim.connect()]
    for aim in ready:
        key = tuple(aim.ports) if aim.ports else None
        if key not in batches:
            batches[key] = Batch(aim.ports or ALL_PORTS, source_port, token)
        send(aim, batches[key], 1)
    wait_for_neighbours()
    for aim in ready:
        batch = batches[tuple(aim.ports) if aim.ports else None]
        while aim.sweeps < SWEEPS:
            aim.sweeps += 1
            before = lost_packets()
            aim.sent = aim.stopped = 0
            send(aim, batch, batch.count)
            if lost_packets() == before:
                break
    until = time.monotonic() + GRACE_SECONDS
    while (left := until - time.monotonic()) > 0:
        readable, _, _ = select.select([aim.socket for aim in ready], [], [], left)
        for aim in ready:
            if aim.socket in readable:
                aim.drain(source_port, token)
    return aims


def probe_others(tasks: list[dict], word: bytes) -> dict[str, list]:
    """UDP, echo requests and bare protocols, twice each, for one might be lost. What arrives, the witness says; what the host itself
    stopped, this."""
    stopped: dict[str, list] = {}
    for task in [*tasks, *tasks]:
        aim = Aim(task)
        for kind, number in task["others"]:
            family = FAMILIES[aim.version]
            if kind == "udp":
                sender, packet = socket.socket(family, socket.SOCK_DGRAM), word
            elif kind == "echo":
                protocol = socket.IPPROTO_ICMP if aim.version == 4 else socket.IPPROTO_ICMPV6
                sender = socket.socket(family, socket.SOCK_RAW, protocol)
                packet = struct.pack("!BBHHH", 8 if aim.version == 4 else 128, 0, 0, os.getpid() & 0xFFFF, 1) + word
                # The kernel fills in ICMPv6's.
                packet = packet[:2] + struct.pack("!H", 0xFFFF - checksum(packet)) + packet[4:]
            else:
                sender, packet = socket.socket(family, socket.SOCK_RAW, number), word
            with sender:
                try:
                    sender.bind(aim.end(aim.source))
                    sender.sendto(packet, aim.end(aim.target, number if kind == "udp" else 0))
                except OSError as error:
                    stopped.setdefault(aim.id, []).append([kind, number, errno.errorcode.get(error.errno, "?")])
    return stopped


def ranges(numbers: set[int]) -> list[list[int]]:
    """[[first, last], …]: an open host refuses 65,534 ports."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def main() -> None:
    order = json.load(sys.stdin)
    tasks = order["tasks"]
    aims = probe_tcp([task for task in tasks if "others" not in task], order["token"], order["source_port"])
    stopped = probe_others([task for task in tasks if "others" in task], order["word"].encode())
    report = {
        aim.id: {
            "open": sorted(aim.open),
            "refused": ranges(aim.refused),
            "sent": aim.sent,
            "stopped": aim.stopped,
            "sweeps": aim.sweeps,
            "trouble": aim.trouble,
        }
        for aim in aims
    }
    json.dump({"tcp": report, "stopped": stopped}, sys.stdout)


if __name__ == "__main__":
    main()
