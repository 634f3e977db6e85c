"""The log collector that the lab's own messages are read with."""

import io
import unittest

from measures import collector

FRAME = b'<110>1 2026-11-22T17:00:00.123456+00:00 be1.backend.kinora.internal kinora-audit - - - {"sequence": "7", "action": "person.made"}'


class Collector(unittest.TestCase):
    def test_a_message(self) -> None:
        message = collector.parse(FRAME)
        self.assertEqual((message["priority"], message["host"], message["application"]), (110, "be1.backend.kinora.internal", "kinora-audit"))
        self.assertEqual((message["sequence"], message["action"]), ("7", "person.made"))

    def test_what_is_no_message(self) -> None:
        for frame in (b"", b"<13>Nov 22 17:00:00 be1 kinora: x", FRAME[:-1], FRAME.replace(b">1 ", b">2 ")):
            with self.assertRaises(ValueError, msg=frame):
                collector.parse(frame)

    def test_frames_are_counted_in_octets(self) -> None:
        two = b"".join(b"%d %s" % (len(frame), frame) for frame in (FRAME, "<110>1 é".encode()))
        self.assertEqual(list(collector.frames(io.BytesIO(two))), [FRAME, "<110>1 é".encode()])


if __name__ == "__main__":
    unittest.main()
