"""What `packaging/bootstrap` asks apt for, on a machine that is made up: its dpkg, apt, sudo and user stand on PATH."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BOOTSTRAP = Path(__file__).with_name("bootstrap")
STUBS = {
    # As dpkg-query says it: packages that it does not know go to standard error, and it fails.
    "dpkg-query": 'shift 2; status=0\nfor p in "$@"; do if grep -qxF "$p" "$MACHINE/installed"; then echo "installed $p"; else status=1; fi; done\nexit $status',
    "apt-get": 'echo "apt-get $*" >> "$MACHINE/calls"',
    "id": 'cat "$MACHINE/user"',
    "cargo": "exit 0",
    "node": "echo v22.0.0",
    "npm": "exit 9",
    # `sudo sh -c SCRIPT install PACKAGES`: nothing is really installed here.
    "sudo": '[ "$1 $2 $4" = "sh -c install" ] || exit 9\nshift 4\necho "sudo $*" >> "$MACHINE/calls"\nprintf "%s\\n" "$@" >> "$MACHINE/installed"',
}


class Machine:
    """A machine with these packages, and an ordinary user."""

    def __init__(self, directory: str, installed: list[str]) -> None:
        self.path = Path(directory)
        (self.path / "installed").write_text("".join(f"{name}\n" for name in installed))
        (self.path / "user").write_text("1000\n")
        (self.path / "calls").touch()
        (self.path / "bin").mkdir()
        for name, body in STUBS.items():
            stub = self.path / "bin" / name
            stub.write_text(f"#!/bin/sh\n{body}\n")
            stub.chmod(0o755)

    def bootstrap(self, wanted: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MACHINE": str(self.path), "PATH": f"{self.path / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run([BOOTSTRAP, wanted], env=environment, capture_output=True, text=True, timeout=60)

    def calls(self) -> list[str]:
        return (self.path / "calls").read_text().splitlines()


def packages(wanted: str) -> list[str]:
    """The packages of a set, as the script lists them."""
    text = BOOTSTRAP.read_text().split(f"{wanted}_packages='\n", 1)[1].split("\n'", 1)[0]
    return [line.split()[0] for line in text.splitlines() if line.strip()]


TO_RUN = packages("build") + packages("run")


class Bootstrap(unittest.TestCase):
    def machine(self, installed: list[str]) -> Machine:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return Machine(directory.name, installed)

    def test_nothing_is_done_or_said_where_nothing_is_missing(self) -> None:
        machine = self.machine(TO_RUN)
        done = machine.bootstrap("run")
        self.assertEqual((done.returncode, done.stdout, done.stderr, machine.calls()), (0, "", "", []))

    def test_just_what_is_missing_is_installed_through_sudo_with_its_reason(self) -> None:
        missing = ["redis-server", "bubblewrap"]
        machine = self.machine([name for name in TO_RUN if name not in missing])
        done = machine.bootstrap("run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(machine.calls(), ["sudo redis-server bubblewrap"])
        self.assertIn("installing with apt, without starting any server", done.stdout)
        self.assertRegex(done.stdout, r"redis-server\s+cache")
        self.assertRegex(done.stdout, r"bubblewrap\s+confines media processing")
        # The second time there is nothing to do.
        again = machine.bootstrap("run")
        self.assertEqual((again.returncode, again.stdout, machine.calls()), (0, "", ["sudo redis-server bubblewrap"]))

    def test_a_lab_without_root_is_refused_in_one_sentence(self) -> None:
        machine = self.machine([])
        done = machine.bootstrap("lab")
        self.assertEqual((done.returncode, done.stdout, machine.calls()), (1, "", []))
        self.assertEqual(done.stderr.count("\n"), 1)
        self.assertIn("needs root", done.stderr)

    def test_a_set_that_is_not_known_is_refused_with_those_that_are(self) -> None:
        machine = self.machine([])
        done = machine.bootstrap("everything")
        self.assertEqual((done.returncode, machine.calls()), (1, []))
        self.assertIn("say which set: run, test", done.stderr)

    def test_every_package_says_why(self) -> None:
        text = BOOTSTRAP.read_text()
        for wanted in ("build", "run", "test", "bench", "measure", "bundle", "check", "lab", "chaos"):
            lines = text.split(f"{wanted}_packages='\n", 1)[1].split("\n'", 1)[0].splitlines()
            for line in filter(str.strip, lines):
                self.assertGreater(len(line.split()), 1, f"{wanted}: {line} without a reason")


if __name__ == "__main__":
    unittest.main()
