"""What the prober sends: every packet's checksum is right, though it is computed once for all ports."""

import ctypes
import socket
import struct
import unittest

from measures.probe import Batch, checksum, ranges


def packets(batch: Batch) -> list[bytes]:
    """What sendmmsg would take from the batch's memory."""
    found = []
    for number in range(batch.count):
        message = ctypes.string_at(batch.address + 64 * number, 32)
        vectors, count = struct.unpack_from("QQ", message, 16)
        parts = [struct.unpack("QQ", ctypes.string_at(vectors + 16 * n, 16)) for n in range(count)]
        found.append(b"".join(ctypes.string_at(base, length) for base, length in parts))
    return found


class Packets(unittest.TestCase):
    def test_every_port_gets_a_syn_with_a_right_checksum(self) -> None:
        ports = [1, 22, 443, 32768, 65535]
        batch = Batch(ports, 20001, 0xBEEF)
        for family, source, target in (
            (socket.AF_INET, "10.61.10.200", "10.61.10.11"),
            (socket.AF_INET6, "fd61:10::200", "fd61:10::11"),
        ):
            batch.aim(source, target)
            pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, target) + struct.pack("!II", 20, 6)
            sent = packets(batch)
            self.assertEqual([struct.unpack_from("!H", packet, 2)[0] for packet in sent], ports)
            for packet in sent:
                self.assertEqual(len(packet), 20)
                self.assertEqual(packet[13], 2)
                self.assertEqual(checksum(pseudo + packet), 0xFFFF)

    def test_ranges(self) -> None:
        self.assertEqual(ranges({5, 1, 2, 3, 9}), [[1, 3], [5, 5], [9, 9]])
        self.assertEqual(ranges(set()), [])


if __name__ == "__main__":
    unittest.main()
