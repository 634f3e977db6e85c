"""The page says what was measured, and a run replaces its own rows only."""

import tempfile
import unittest
from pathlib import Path

from measures import page, store
from measures.figures import TIMED_OUT, Figure, finish
from measures.install import RECAP, changes

MACHINE = store.Machine(2, 24, "6.1", "Debian GNU/Linux 12 (bookworm)")


def run(layout: str, measure: str, *figures: Figure, at: str = "2026-01-02 03:04") -> store.Run:
    return store.Run(layout, measure, at, "0.1.0", 61.0, False, 0.3, MACHINE, list(figures))


def reboot(host: str, value: str, reached: bool) -> Figure:
    return Figure("reboot", host, value, "by itself", reached, f"power {host} reboot", ["db1: patroni.service is failed"])


class Page(unittest.TestCase):
    def test_layouts_stand_side_by_side(self):
        text = page.text([run("single", "reboot", reboot("lb1", "9 s", True)), run("full", "reboot", reboot("lb1", "7 s", True))])
        self.assertIn("| what | full | single | goal | reached | command |", text)
        self.assertIn("| lb1 | 7 s | 9 s | by itself | yes | `power lb1 reboot` |", text)
        self.assertIn("Every goal is reached.", text)

    def test_a_missed_goal_is_named_first_and_explained(self):
        text = page.text([run("full", "reboot", reboot("db1", "not within 300 s", False)), run("compact", "reboot", reboot("db1", "8 s", True))])
        self.assertIn("1 of 2 goals are reached. **Not reached: db1 (full).**", text)
        self.assertIn("| **no** (full) |", text)
        self.assertIn("db1: patroni.service is failed", text)

    def test_what_only_informs_is_no_goal(self):
        text = page.text([run("full", "reboot", Figure("reboot", "slowest", "40 s"))])
        self.assertIn("| slowest | 40 s |  |  |  |", text)

    def test_goals_that_differ_stand_with_their_layouts(self):
        sooner = Figure("reboot", "lb1", "7 s", "≤ 9 s", True)
        text = page.text([run("single", "reboot", sooner), run("full", "reboot", reboot("lb1", "7 s", True))])
        self.assertIn("| full: by itself; single: ≤ 9 s |", text)

    def test_a_pipe_does_not_end_a_cell(self):
        self.assertIn("`a \\| b`", page.text([run("full", "reboot", Figure("reboot", "x", "1", command="a | b"))]))

    def test_goal_and_verdict_come_together(self):
        with self.assertRaises(ValueError):
            Figure("reboot", "x", "1", goal="2")


class Kept(unittest.TestCase):
    def test_a_run_replaces_its_own_rows(self):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "measured.json"
            store.keep(file, run("full", "reboot", reboot("lb1", "7 s", True)))
            store.keep(file, run("compact", "reboot", reboot("lb1", "8 s", True)))
            store.keep(file, run("full", "exposure", Figure("exposure", "x", "1")))
            store.keep(file, run("full", "reboot", reboot("lb1", "5 s", True), at="2026-02-02 03:04"))
            kept = {(each.layout, each.measure): each for each in store.read(file)}
            self.assertEqual(len(kept), 3)
            self.assertEqual(kept["full", "reboot"].figures[0].value, "5 s")
            self.assertEqual(kept["compact", "reboot"].figures[0].value, "8 s")
            # A look at a few of them does not replace all.
            sampled = run("full", "reboot", reboot("lb1", "3 s", True))
            sampled.sampled = True
            store.keep(file, sampled)
            self.assertEqual({each.figures[0].value for each in store.read(file) if each.measure == "reboot"}, {"5 s", "8 s"})
            page.write(file)
            self.assertEqual((Path(directory) / "measured.md").read_text(), page.text(store.read(file)))


class Playbook(unittest.TestCase):
    LOG = """
TASK [base : Write the hosts file] *********
changed: [db1]
ok: [db2]
PLAY RECAP *********
db1                        : ok=12   changed=1    unreachable=0    failed=0    skipped=3
db2                        : ok=12   changed=0    unreachable=0    failed=0    skipped=3
"""

    def test_changes_are_counted_and_named(self):
        self.assertEqual([(host, changed) for host, _, changed, _, _ in RECAP.findall(self.LOG)], [("db1", "1"), ("db2", "0")])
        self.assertEqual(changes(self.LOG), ["db1: base : Write the hosts file"])


class Commands(unittest.TestCase):
    def test_a_command_that_does_not_end_is_ended_with_its_children(self):
        # The child holds the pipe open: only its death lets the wait end.
        result = finish(["sh", "-c", "sleep 600 & echo begun; wait"], 0.2)
        self.assertEqual((result.code, result.output), (TIMED_OUT, "begun\n"))


if __name__ == "__main__":
    unittest.main()
