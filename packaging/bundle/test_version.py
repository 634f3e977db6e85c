"""What is built later has a greater version, so that apt replaces what was built before."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VERSION = Path(__file__).resolve().parent.parent / "version"


class VersionTest(unittest.TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.write("Cargo.toml", '[workspace.package]\nversion = "0.2.0"\n', at=1_000_000_000)

    def git(self, *arguments: str) -> None:
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "x"), ("EMAIL", "x@localhost"))}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **identity}
        subprocess.run(["git", "-C", self.root, "-c", "init.defaultBranch=main", *arguments], check=True, capture_output=True, env=environment)

    def write(self, name: str, text: str, at: int) -> None:
        (self.root / name).write_text(text, encoding="utf-8")
        os.utime(self.root / name, (at, at))

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--message", "x")
        return self.version()

    def version(self) -> str:
        return subprocess.run([sys.executable, "-B", VERSION, self.root], check=True, capture_output=True, text=True).stdout.strip()

    def grows(self, *versions: str) -> None:
        for earlier, later in zip(versions, versions[1:], strict=False):
            with self.subTest(earlier=earlier, later=later):
                done = subprocess.run(["dpkg", "--compare-versions", f"{earlier}-1", "lt", f"{later}-1"], check=False)
                self.assertEqual(done.returncode, 0)

    def test_it_grows_with_every_commit_and_change(self) -> None:
        self.git("init")
        first = self.commit()
        self.assertRegex(first, r"^0\.2\.0~dev1\.g[0-9a-f]{7}$")
        self.write("new", "1", at=1_700_000_001)
        changed = self.version()
        self.assertRegex(changed, r"\.m1700000001$")
        self.assertEqual(self.version(), changed)
        self.write("new", "2", at=1_700_000_002)
        again = self.version()
        earlier = self.commit()
        # Ten commits: 11 is more than 2, though not as text.
        later = [self.commit() for _ in range(10)][-1]
        self.git("tag", "v0.2.0")
        release = self.version()
        self.assertEqual(release, "0.2.0")
        after = self.commit()
        self.assertRegex(after, r"^0\.2\.0\+dev1\.g[0-9a-f]{7}$")
        self.write("Cargo.toml", '[workspace.package]\nversion = "0.3.0"\n', at=1_700_000_003)
        self.grows(first, changed, again, earlier, later, release, after, self.commit())

    def test_a_tagged_commit_with_changes_is_no_release(self) -> None:
        self.git("init")
        self.commit()
        self.git("tag", "v0.2.0")
        self.write("Cargo.toml", '[workspace.package]\nversion = "0.2.0"\n# more\n', at=1_700_000_001)
        self.assertRegex(self.version(), r"^0\.2\.0\+dev0\.g[0-9a-f]{7}\.m1700000001$")
        self.grows("0.2.0", self.version())

    def test_a_removed_file_is_a_change(self) -> None:
        self.git("init")
        self.write("old", "1", at=1_000_000_000)
        committed = self.commit()
        (self.root / "old").unlink()
        self.grows(committed, self.version())

    def test_sources_without_git_are_the_release(self) -> None:
        self.assertEqual(self.version(), "0.2.0")


if __name__ == "__main__":
    unittest.main()
