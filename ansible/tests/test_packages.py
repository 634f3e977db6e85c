"""Which packages an upgrade and a rollback change: what is installed and differs, and nothing else."""

import hashlib
import tarfile
import tempfile
import unittest
from pathlib import Path

from inventories import load

packages = load("kinora_packages", "library/kinora_packages.py")
package_archive = load("package_archive", "roles/base/files/package_archive.py")

INDEX = """\
Package: kinora-worker
Architecture: amd64
Version: 0.2.0-1
Depends: libc6 (>= 2.36)
Description: media
 Version: of nothing

Package: redis-server
Version: 5:8.0.2-3+deb13u3

Package: ffmpeg
Version: 7:7.1.5-0+deb13u1
"""


def compare(one: str, other: str) -> int:
    """Good enough for these."""
    return (one > other) - (one < other)


class Packages(unittest.TestCase):
    def test_an_index_is_read(self):
        self.assertEqual(packages.offered(INDEX), {"kinora-worker": "0.2.0-1", "redis-server": "5:8.0.2-3+deb13u3", "ffmpeg": "7:7.1.5-0+deb13u1"})

    def test_what_was_removed_is_not_installed(self):
        self.assertEqual(packages.installed("installed a 1\nconfig-files b 2\nnot-installed c \n"), {"a": "1"})

    def test_names_are_patterns(self):
        self.assertTrue(packages.chosen("erlang-base", ["rabbitmq-server", "erlang-*"], []))
        self.assertFalse(packages.chosen("erlang-base", ["*"], ["erlang-*"]))
        self.assertFalse(packages.chosen("kinora-worker", ["kinora"], []))

    def test_older_becomes_newer_and_newer_stays(self):
        gets = {"a": "2", "b": "2", "c": "2"}
        self.assertEqual(packages.pending({"a": "1", "b": "2", "c": "3", "d": "1"}, gets, False, compare), ["a=2"])

    def test_going_back_newer_becomes_older_and_what_an_upgrade_left_behind_comes_along(self):
        gets = {"a": "2", "b": "2", "c": "2"}
        self.assertEqual(packages.pending({"a": "1", "b": "2", "c": "3", "d": "1"}, gets, True, compare), ["a=2", "c=2"])


class Archive(unittest.TestCase):
    """What a host is given: apt must not choose a package whose file only hosts of other roles have."""

    def test_the_index_tells_of_what_is_in_the_archive_and_of_nothing_else(self):
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            for name in ("a_1+b_all.deb", "b_1_all.deb"):
                (place / name).write_text(name, encoding="utf-8")
            (place / "Packages").write_text(
                "Package: a\nVersion: 1+b\nFilename: ./a_1+b_all.deb\nDescription: one\n .\n more\n\nPackage: b\nVersion: 1\nFilename: ./b_1_all.deb\n\n", encoding="utf-8"
            )
            package_archive.make(place, place / "made/key.tar", "key", ["a_1+b_all.deb"])
            with tarfile.open(place / "made/key.tar") as tar:
                self.assertEqual(tar.getnames(), ["key/a_1+b_all.deb", "key/Packages"])
                index = tar.extractfile("key/Packages").read().decode()
            self.assertEqual(packages.offered(index), {"a": "1+b"})
            self.assertTrue(index.endswith(" more\n\n"), index)
            self.assertEqual(sorted(path.name for path in (place / "made").iterdir()), ["key.tar"])

    def test_an_archive_is_taken_again_as_long_as_it_is_what_the_bundle_says(self):
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            archive, name = place / "made/key.tar", "a_1_all.deb"
            (place / name).write_text("a package", encoding="utf-8")
            digest = hashlib.sha256(b"a package").hexdigest()
            (place / "Packages").write_text(f"Package: a\nFilename: ./{name}\nSize: 9\nSHA256: {digest}\nDescription: one\n .\n more\n\n", encoding="utf-8")

            def make(names=(name,)):
                return package_archive.make(place, archive, "key", list(names))

            self.assertTrue(make())
            self.assertFalse(make())
            whole = archive.read_bytes()
            for place_of_bit in (whole.index(b"a package"), whole.index(b"Size: 9")):
                archive.write_bytes(whole[:place_of_bit] + bytes([whole[place_of_bit] ^ 1]) + whole[place_of_bit + 1 :])
                self.assertTrue(make(), place_of_bit)
                self.assertEqual(archive.read_bytes(), whole)
            archive.write_bytes(whole[:700])
            self.assertTrue(make())
            self.assertFalse(make())


if __name__ == "__main__":
    unittest.main()
