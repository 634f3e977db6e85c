"""A primary sends to the archive what the one before it had not, and nothing that nobody ever wrote."""

import importlib.machinery
import importlib.util
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from inventories import ANSIBLE

LOADER = importlib.machinery.SourceFileLoader("archive_rest", str(ANSIBLE / "roles/database/files/archive-rest"))
rest = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(rest)

SIZE = 4 << 20
# The second timeline began within 0/2D, the third at the beginning of 0/40.
HISTORY = "1\t0/B5A3C08\tno recovery target specified\n\n2\t0/10000000\tno recovery target specified\n"


def name(timeline, number):
    return f"{timeline:08X}{number // 1024:08X}{number % 1024:08X}"


class Parts(unittest.TestCase):
    def test_each_timeline_has_its_own(self):
        self.assertEqual(rest.spans(HISTORY), [(1, 0, 0xB5A3C08), (2, 0xB5A3C08, 0x10000000)])
        names = [name(timeline, number) for timeline in (1, 2, 3) for number in range(0x28, 0x48)]
        chosen = rest.whole_parts(HISTORY, names, SIZE)
        # 0x2D was cut short; the second timeline begins with it. What is named after the ends is empty files for later.
        self.assertEqual(chosen, [name(1, number) for number in range(0x28, 0x2D)] + [name(2, number) for number in range(0x2D, 0x40)])

    def test_names_go_on_after_four_gibibytes(self):
        history = "1\t1/400010\tno recovery target specified\n"
        self.assertEqual(rest.whole_parts(history, [name(1, 1023), name(1, 1024), name(1, 1025)], SIZE), [name(1, 1023), "000000010000000100000000"])


class Sending(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.log, self.programs = Path(place.name) / "pg_wal", Path(place.name) / "bin"
        self.log.mkdir()
        self.programs.mkdir()
        for part in (name(1, 3), name(1, 4), name(1, 5), name(1, 6), name(2, 5)):
            (self.log / part).write_bytes(b"\0" * 4096)
        (self.log / "00000002.history").write_text("1\t0/5800\tno recovery target specified\n", encoding="ascii")
        self.enterContext(mock.patch.dict(os.environ, PATH=f"{self.programs}:{os.environ['PATH']}"))
        self.said = self.enterContext(mock.patch.object(rest, "say"))
        # Its own alone: waiting for a program sleeps, too.
        self.slept = self.enterContext(mock.patch.object(rest, "time")).sleep
        self.program("psql", "echo 00000002")

    def program(self, called, text):
        path = self.programs / called
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def pushed(self):
        path = self.programs / "asked"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def archive(self, answer):
        """pgBackRest; it is told the path last."""
        self.program("pgbackrest", f'for path do :; done; basename "$path" >> {self.programs}/asked; {answer}')

    def test_what_is_missing_is_sent(self):
        self.archive(f'case $path in *{name(1, 3)}) echo "WARN: it already exists in the repo1 archive with the same checksum" ;; esac')
        rest.attend(self.log)
        self.assertEqual(self.pushed(), [name(1, 3), name(1, 4)])
        self.assertIn(f"sent 1 parts of the log that the primary before had not sent: {name(1, 4)} to {name(1, 4)}", self.said.call_args.args[1])

    def test_an_archive_that_is_away_is_tried_again(self):
        self.archive(f'[ -e {self.programs}/there ] || {{ echo "ERROR: [049]: unable to connect"; exit 49; }}')
        self.slept.side_effect = lambda _: (self.programs / "there").touch() if self.slept.call_count == 2 else None
        rest.attend(self.log)
        self.assertEqual(self.pushed(), [name(1, 3)] * 3 + [name(1, 4)])
        self.assertEqual([call.args[1].split(":")[0] for call in self.said.call_args_list][:1], [f"{name(1, 3)} is not in the archive yet"])
        self.assertEqual(self.said.call_count, 2)

    def test_another_part_of_that_name_is_left_and_told(self):
        self.archive('echo "ERROR: [045]: WAL file already exists in the repo1 archive with a different checksum"; exit 45')
        rest.attend(self.log)
        self.assertEqual(self.pushed(), [name(1, 3), name(1, 4)])
        self.assertEqual(self.said.call_count, 2)

    def test_a_standby_sends_nothing(self):
        self.archive("true")
        self.program("psql", "echo")
        rest.attend(self.log)
        self.program("psql", "exit 2")
        rest.attend(self.log)
        self.program("psql", "echo 00000001")
        rest.attend(self.log)
        self.assertEqual(self.pushed(), [])

    def test_it_ends_where_it_is_no_primary_any_more(self):
        self.archive("exit 49")
        self.slept.side_effect = lambda _: self.program("psql", "echo")
        rest.attend(self.log)
        self.assertEqual(self.pushed(), [name(1, 3)])


if __name__ == "__main__":
    unittest.main()
