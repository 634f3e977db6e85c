"""Copies of the repository: what is new is copied once, what is altered later is not, and what is too old goes."""

import importlib.machinery
import importlib.util
import os
import tempfile
import time
import unittest
from pathlib import Path

from inventories import ANSIBLE

_loader = importlib.machinery.SourceFileLoader("backup_keep", str(ANSIBLE / "roles/backup/files/backup-keep"))
keep = importlib.util.module_from_spec(importlib.util.spec_from_loader("backup_keep", _loader))
_loader.exec_module(keep)

SEGMENT = "archive/kinora/17-1/0000000100000000/000000010000000000000001-aa.zst"
FULL, LATER = "20261101-013000F", "20261108-013000F"
INCREMENT = f"{FULL}_20261102-013000I"


class Kept(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.repository, self.kept = Path(scratch.name, "repository"), Path(scratch.name, "kept")
        self.kept.mkdir()
        for name in (SEGMENT, *keep.INFO, *(f"backup/kinora/{label}/{file}" for label in (FULL, LATER, INCREMENT) for file in ("backup.manifest", "bundle/1"))):
            self.put(name, name)

    def put(self, name, text):
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_at(self, now=None):
        now = now or time.time()
        keep.keep_info(self.repository, self.kept, now)
        for name in keep.files(self.repository):
            if not (self.kept / name).exists():
                keep.copy(self.repository / name, self.kept / name)

    def age(self, days):
        for path in self.kept.rglob("*"):
            if path.is_file():
                os.utime(path, (time.time() - days * keep.DAY,) * 2)

    def test_what_is_altered_or_removed_later_stays_as_it_was(self):
        self.run_at(1000)
        self.put(SEGMENT, "altered")
        (self.repository / f"backup/kinora/{FULL}/bundle/1").unlink()
        self.put(keep.INFO[1], "another list")
        self.run_at(2000)
        self.run_at(3000)
        self.assertEqual((self.kept / SEGMENT).read_text(), SEGMENT)
        self.assertTrue((self.kept / f"backup/kinora/{FULL}/bundle/1").is_file())
        # The list of backups changes all the time: each as it was, once.
        self.assertEqual(sorted(path.name for path in (self.kept / "info").iterdir()), ["archive.info.1000", "backup.info.1000", "backup.info.2000"])

    def test_a_backup_that_is_not_through_is_left(self):
        self.put("backup/kinora/20261115-013000F/bundle/1", "half")
        self.put("backup/kinora/20261115-013000F/backup.manifest.copy", "half")
        self.run_at()
        self.assertFalse((self.kept / "backup/kinora/20261115-013000F").exists())

    def test_the_first_full_backup_of_a_month_stays_for_a_year(self):
        self.run_at()
        self.age(42)
        keep.forget(self.kept, 43, time.time())
        self.assertTrue((self.kept / SEGMENT).is_file())
        self.age(44)
        keep.forget(self.kept, 43, time.time())
        self.assertFalse((self.kept / SEGMENT).exists())
        self.assertEqual([path.name for path in (self.kept / "backup/kinora").iterdir()], [FULL])
        self.assertTrue((self.kept / f"backup/kinora/{FULL}/bundle/1").is_file())
        self.assertTrue(list((self.kept / "info").iterdir()))
        self.age(371)
        keep.forget(self.kept, 43, time.time())
        self.assertEqual(list(self.kept.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
