"""The verb `restore`: which instant is meant, and which backup and timeline lead there."""

import unittest

from inventories import load, load_plugin

backup = load_plugin("kinora_backup")
plan = load("restore_plan", "roles/backup/files/restore_plan.py")

TAKEOVER = "no recovery target specified"
# Begun at 100: a takeover of 1. At 200: a restore from 2 to an instant at which it was at 0/9000000. At 300: a takeover of 3.
HISTORIES = {
    2: (100, f"1\t0/5000000\t{TAKEOVER}\n"),
    3: (200, f"1\t0/5000000\t{TAKEOVER}\n\n2\t0/9000000\tbefore 2026-11-21 14:03:27.5+00\n"),
    4: (300, f"1\t0/5000000\t{TAKEOVER}\n\n2\t0/9000000\tbefore 2026-11-21 14:03:27.5+00\n\n3\t0/D000000\t{TAKEOVER}\n"),
}


def taken(label, timeline, start, stop, at, error=False):
    name = f"{timeline:08X}0000000000000001"
    return {"label": label, "error": error, "archive": {"start": name, "stop": name}, "lsn": {"start": start, "stop": stop}, "timestamp": {"stop": at}}


BACKUPS = [
    taken("first", 1, "0/1000000", "0/1400000", 10),
    taken("discarded", 2, "0/A000000", "0/A400000", 150),
    taken("broken", 2, "0/8000000", "0/8400000", 120, error=True),
    taken("after", 3, "0/9400000", "0/9800000", 210),
]


class Instants(unittest.TestCase):
    def test_zones(self):
        for text, utc in (
            ("2026-11-21 14:03:27", "2026-11-21 14:03:27+00"),
            ("2026-11-21T14:03:27Z", "2026-11-21 14:03:27+00"),
            ("2026-11-21 14:03:27.25 UTC", "2026-11-21 14:03:27.250000+00"),
            ("2026-11-21 15:03:27 +01:00", "2026-11-21 14:03:27+00"),
            ("2026-11-21 15:03:27+0100", "2026-11-21 14:03:27+00"),
            ("2026-11-21 09:33:27 -04:30", "2026-11-21 14:03:27+00"),
            ("2026-07-21 15:03:27 Europe/Berlin", "2026-07-21 13:03:27+00"),
        ):
            with self.subTest(text):
                self.assertEqual(backup.instant(text, "UTC")["utc"], utc)

    def test_both_are_said(self):
        self.assertEqual(backup.instant("2026-07-21 13:03:27", "Europe/Berlin")["said"], "2026-07-21 13:03:27 UTC (2026-07-21 15:03:27 local time, UTC+0200)")
        self.assertIn("(2026-07-21 15:03:27 Europe/Berlin, UTC+0200)", backup.instant("2026-07-21 15:03:27 Europe/Berlin")["said"])

    def test_refused(self):
        for text in ("", "yesterday", "2026-11-21", "2026-13-21 14:03:27", "2026-11-21 14:03:27 Nowhere/City", "2026-10-25 02:30:00 Europe/Berlin", "2026-03-29 02:30:00 Europe/Berlin"):
            with self.subTest(text), self.assertRaises(backup.InstantError):
                backup.instant(text)


class Plans(unittest.TestCase):
    def test_the_timeline_is_the_one_written_then(self):
        for epoch, timeline in ((50, 2), (100, 2), (150, 2), (199, 2), (200, 4), (250, 4), (301, 4)):
            with self.subTest(epoch):
                self.assertEqual(plan.timeline_at(epoch, HISTORIES), timeline)
        self.assertEqual(plan.timeline_at(5, {}), 1)

    def test_the_backup_lies_on_the_timeline(self):
        for epoch, label in ((5, None), (10, None), (50, "first"), (140, "first"), (160, "discarded"), (199, "discarded"), (205, "first"), (250, "after")):
            with self.subTest(epoch):
                found = plan.choose(epoch, BACKUPS, plan.timeline_at(epoch, HISTORIES), HISTORIES)
                self.assertEqual(found and found["label"], label)

    def test_each_part_of_the_log_is_asked_for_on_its_timeline(self):
        names = plan.needed(BACKUPS[0], 4, HISTORIES, 0xD800000)
        self.assertEqual(names[0], "000000010000000000000004")
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([name[8:] for name in names], [f"00000000{number:08X}" for number in range(4, 0x36)])
        # The one with the branch is taken from the timeline that begins in it.
        self.assertIn("000000020000000000000014", names)
        self.assertNotIn("000000010000000000000014", names)
        self.assertEqual(names[-1], "000000040000000000000035")


    def test_gaps(self):
        whole = set(plan.needed(BACKUPS[0], 4, HISTORIES, 0xD800000)) | {f"0000000200000000{number:08X}" for number in range(0x14, 0x2C)}
        self.assertEqual(plan.gaps(BACKUPS[0], 4, HISTORIES, whole, 0xD800000), [])
        for name in ("000000010000000000000008", "000000020000000000000022", "000000020000000000000028", "000000040000000000000034"):
            with self.subTest(name):
                self.assertEqual(plan.gaps(BACKUPS[0], 4, HISTORIES, whole - {name}, 0xD800000), [name])


if __name__ == "__main__":
    unittest.main()
