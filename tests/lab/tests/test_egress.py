"""What counts as an escape from a host, and what the tap makes of frames."""

import struct
import unittest

from lab import fleet
from lab.paths import PROJECT
from measures.attack import wrapped
from measures.egress import _Judge
from measures.reach import load
from measures.tap import read

FULL = PROJECT / "ansible/inventories/full/hosts.yml"
APP, DB, CONTROL = "10.61.30.21", "10.61.30.41", "10.61.50.2"
WORD, TOKEN = b"kinora-probe-test", 0xBEEF


class Judging(unittest.TestCase):
    def setUp(self) -> None:
        plan = fleet.load(FULL, "full")
        self.judge = _Judge(load(plan, FULL, "lb1"), plan.host("app1"))

    def escapes(self, protocol: str, source: str, target: str, first: int, second: int, marked: bool = True) -> bool:
        return bool(self.judge.escape("c0", protocol, source, target, first, second, marked, 1))

    def test_what_a_flow_permits_is_none_and_proves_that_the_tap_sees(self) -> None:
        self.assertFalse(self.escapes("tcp", APP, DB, 40000, 5432))
        self.assertEqual(self.judge.permitted_and_marked, 1)

    def test_everything_else_of_the_attack_is_one(self) -> None:
        self.assertTrue(self.escapes("tcp", APP, DB, 40000, 22))
        self.assertTrue(self.escapes("udp", APP, "203.0.113.53", 40000, 53))
        self.assertTrue(self.escapes("icmp", APP, DB, 8, 0))
        self.assertTrue(self.escapes("icmpv6", "fd61:30::21", "2001:db8::1", 135, 0))
        self.assertTrue(self.escapes("protocol", APP, DB, 47, 0))

    def test_a_port_of_a_service_makes_no_answer_of_an_attack(self) -> None:
        self.assertTrue(self.escapes("tcp", "10.61.50.21", CONTROL, 22, 40000))
        self.assertFalse(self.escapes("tcp", "10.61.50.21", CONTROL, 22, 40000, marked=False))

    def test_another_s_address_is_one_even_where_its_owner_may(self) -> None:
        self.assertTrue(self.escapes("tcp", "10.61.30.22", DB, 40000, 5432))

    def test_neighbours_may_find_each_other(self) -> None:
        self.assertFalse(self.escapes("icmpv6", "fe80::1", "ff02::1:ff00:41", 135, 0, marked=False))


class Frames(unittest.TestCase):
    def read(self, packet: bytes, kind: int) -> tuple | None:
        return read(bytes(12) + struct.pack("!H", kind) + packet, WORD, TOKEN)

    def ipv4(self, protocol: int, body: bytes, fragment: int = 0) -> bytes:
        packet = wrapped(APP, DB, protocol, body, fragment)
        return packet[:2] + struct.pack("!H", len(packet)) + packet[4:]

    def test_ports_types_and_marks(self) -> None:
        self.assertEqual(self.read(self.ipv4(17, struct.pack("!HHHH", 40000, 53, 8, 0) + WORD), 0x0800), ("udp", APP, DB, 40000, 53, True))
        self.assertEqual(self.read(self.ipv4(1, bytes([8]) + bytes(7)), 0x0800), ("icmp", APP, DB, 8, 0, False))
        syn = struct.pack("!HHIIBBHHH", 40000, 443, TOKEN << 16, 0, 80, 2, 0, 0, 0)
        self.assertEqual(self.read(self.ipv4(6, syn), 0x0800), ("tcp", APP, DB, 40000, 443, True))
        self.assertEqual(self.read(self.ipv4(47, WORD), 0x0800), ("protocol", APP, DB, 47, 0, True))

    def test_a_fragment_has_no_ports_to_believe(self) -> None:
        self.assertEqual(self.read(self.ipv4(17, WORD, 1), 0x0800), ("fragment", APP, DB, 17, 0, True))

    def test_ipv6_with_headers_before_what_it_carries(self) -> None:
        body = bytes([17, 0]) + bytes(6) + struct.pack("!HHHH", 40000, 53, 8, 0) + WORD
        found = self.read(wrapped("fd61:30::21", "2001:db8::1", 60, body), 0x86DD)
        self.assertEqual(found, ("udp", "fd61:30::21", "2001:db8::1", 40000, 53, True))

    def test_what_is_not_ip_is_nothing(self) -> None:
        self.assertIsNone(self.read(bytes(28), 0x0806))


if __name__ == "__main__":
    unittest.main()
