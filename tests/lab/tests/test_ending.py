"""A lab that is ended or killed, at any point, leaves no process, mount or network behind. Needs root."""

import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from lab import cleanup
from lab.control import first_process, holding_process
from lab.paths import State

ENTRY = Path(__file__).resolve().parents[1] / "lab.py"
DEADLINE_SECONDS = 120


def until(condition, what: str) -> None:
    """Waits for a condition, with a deadline."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {DEADLINE_SECONDS} s: {what}")
        time.sleep(0.02)


@unittest.skipUnless(os.geteuid() == 0, "makes namespaces")
class Ending(unittest.TestCase):
    def setUp(self) -> None:
        self.state = State(f"ending-{os.getpid()}")
        self.addCleanup(cleanup.end, self.state)

    def lab(self, *arguments: str) -> list[str]:
        return [sys.executable, "-B", str(ENTRY), "--name", self.state.name, *arguments]

    def up(self) -> subprocess.Popen:
        return subprocess.Popen(
            self.lab("up", "--hosts", "db1,be1,outsider-edge"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait_for_line(self, process: subprocess.Popen, part: str) -> None:
        for line in process.stdout:
            if part in line:
                return
        raise AssertionError(f"`up` ended without saying {part!r}")

    def nothing_runs(self) -> bool:
        """Empty control groups may stay until the next call; they hold nothing."""
        return not [each for each in cleanup.remains(self.state) if not each.startswith("control group")]

    def test_down_leaves_nothing_at_all(self) -> None:
        output, _ = self.up().communicate()
        self.assertIn("all 2 servers answer by SSH", output)
        self.assertIsNotNone(holding_process(self.state))
        self.assertTrue(cleanup.processes_of(self.state))
        subprocess.run(self.lab("down"), check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(cleanup.remains(self.state), [])
        self.assertFalse(self.state.path.exists())

    def test_killing_the_start_ends_what_it_started(self) -> None:
        for moment in ("booting", "booted in"):
            with self.subTest(moment), self.up() as process:
                self.wait_for_line(process, moment)
                process.kill()
            until(self.nothing_runs, f"end after a start that was killed while {moment}: {cleanup.remains(self.state)}")

    def test_interrupting_the_start_ends_what_it_started(self) -> None:
        with self.up() as process:
            self.wait_for_line(process, "booting")
            process.send_signal(signal.SIGINT)
            process.communicate()
        until(self.nothing_runs, "end after Ctrl-C")

    def test_killing_either_process_that_holds_it_ends_it(self) -> None:
        for holder in (holding_process, first_process):
            with self.subTest(holder.__name__):
                self.up().communicate()
                os.kill(holder(self.state), signal.SIGKILL)
                until(self.nothing_runs, f"end after {holder.__name__} was killed: {cleanup.remains(self.state)}")

    def test_a_killed_lab_can_be_started_again(self) -> None:
        self.up().communicate()
        os.kill(holding_process(self.state), signal.SIGKILL)
        until(self.nothing_runs, "end")
        output, _ = self.up().communicate()
        self.assertIn("removing what a killed lab left", output)
        self.assertIn("all 2 servers answer by SSH", output)

    def test_a_second_start_keeps_what_is_up(self) -> None:
        self.up().communicate()
        before = first_process(self.state)
        again, _ = self.up().communicate()
        self.assertIn("kept", again)
        self.assertEqual(first_process(self.state), before)


if __name__ == "__main__":
    unittest.main()
