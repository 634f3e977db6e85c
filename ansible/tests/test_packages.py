"""Which packages an upgrade and a rollback change: what is installed and differs, and nothing else."""

import importlib.util
import unittest

from inventories import ANSIBLE

SPEC = importlib.util.spec_from_file_location("kinora_packages", ANSIBLE / "library/kinora_packages.py")
packages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packages)

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


if __name__ == "__main__":
    unittest.main()
