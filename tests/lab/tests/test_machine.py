"""How much of the disk a fleet needs."""

import unittest

from lab import machine

GB = 10**9


class Disk(unittest.TestCase):
    def test_an_empty_disk_lacks_nothing(self) -> None:
        self.assertLessEqual(machine.lacking_bytes(10 * GB, 80 * GB), 0)

    def test_a_disk_that_would_be_reported_by_every_host_lacks_what_brings_it_below(self) -> None:
        used, free = 70 * GB, 20 * GB
        lacking = machine.lacking_bytes(used, free)
        self.assertGreater(lacking, 0)
        self.assertAlmostEqual((used - lacking + machine.DISK_BYTES) / (used + free), machine.DISK_FULL)


if __name__ == "__main__":
    unittest.main()
