"""The kept copies go back into the repository, on hosts with and without a listener, and what ran before runs again."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from inventories import ANSIBLE

PROGRAM = ANSIBLE / "roles/backup/files/backup-return"


class Return(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.place = Path(scratch.name)
        for part in ("archive", "backup"):
            self.put(f"kept/{part}/kinora/a", part)
            for epoch in (100, 200):
                self.put(f"kept/info/{part}.info.{epoch}", f"{part} {epoch}")
        self.put("repository/archive/kinora/a", "altered")
        (self.place / "bin").mkdir()

    def put(self, name, text):
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run_program(self, *arguments, listens=True, installed=True):
        for name in ("systemctl", "chown", "runuser"):
            code = 0 if listens else 1
            self.put(f"bin/{name}", f'#!/bin/sh\necho {name} "$@" >> {self.place}/asked\ncase "$*" in *is-enabled*) exit {code} ;; cat*) exit {0 if installed else 1} ;; esac\n')
            (self.place / "bin" / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{self.place}/bin:{os.environ['PATH']}"}
        subprocess.run(["sh", PROGRAM, self.place / "repository", self.place / "kept", *arguments], env=environment, check=True, capture_output=True)
        return (self.place / "asked").read_text(encoding="utf-8").splitlines()

    def text(self, name):
        return (self.place / "repository" / name).read_text(encoding="utf-8")

    def test_everything_is_back(self):
        asked = self.run_program(listens=True)
        self.assertEqual((self.text("archive/kinora/a"), self.text("backup/kinora/a")), ("archive", "backup"))
        self.assertEqual((self.text("archive/kinora/archive.info"), self.text("backup/kinora/backup.info.copy")), ("archive 200", "backup 200"))
        self.assertIn("systemctl start pgbackrest.service", asked)
        self.assertEqual(len([line for line in asked if line.startswith("runuser") and line.endswith(" start")]), 2)

    def test_the_lists_as_of_then(self):
        self.run_program("150", listens=True)
        self.assertEqual(self.text("backup/kinora/backup.info"), "backup 100")

    def test_on_a_bare_host_files_are_put_there_and_nothing_else_is_done(self):
        asked = self.run_program(installed=False)
        self.assertEqual((self.text("archive/kinora/archive.info"), self.text("backup/kinora/a")), ("archive 200", "backup"))
        self.assertEqual({line for line in asked if not line.startswith("systemctl cat")}, set())

    def test_what_is_off_on_purpose_stays_off(self):
        asked = self.run_program(listens=False)
        self.assertNotIn("systemctl start pgbackrest.service", asked)
        self.assertIn("systemctl start kinora-backup-full.timer", " ".join(asked))


if __name__ == "__main__":
    unittest.main()
