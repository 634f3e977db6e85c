"""The bookkeeping of the measure `doctor`: faults are of checks that there are, each is undone, and a fleet is judged rightly."""

import sys
import unittest

from lab.paths import PROJECT
from measures import MEASURES
from measures.doctor import judge, possible, read, unexpected
from measures.doctor_faults import FAULTS, Fault

LOG = """
TASK [Kinora] ******
ok: [kinora1] =>
    msg: |-
        2 things found

        kinora1
          - [unit-stopped] redis-sentinel.service does not run (inactive, success)
              why: it was stopped by hand
              do:  systemctl start redis-sentinel.service
          - [secret-missing] /etc/kinora/credentials/worker/tls-key is missing
"""
ALONE = {group: ["kinora1"] for group in ("every_host", "load_balancers", "applications", "backends", "databases", "workers", "backup_repository")}
FAULT = Fault("unit-stopped", "workers", "a", "b", ("queue-no-consumers",))


class Faults(unittest.TestCase):
    def test_there_are_enough_even_on_one_host(self):
        self.assertGreaterEqual(len(possible(ALONE)), 40)

    def test_each_is_of_a_check_that_there_is(self):
        # Through the plugin: it knows where the checks and what they use lie.
        sys.path.insert(0, str(PROJECT / "ansible/filter_plugins"))
        try:
            from kinora_doctor import doctor
        finally:
            sys.path.pop(0)
        known = {*doctor.CHECKS, *doctor.OWN_CHECKS}
        for fault in FAULTS:
            self.assertLessEqual({fault.check, *fault.also}, known)

    def test_each_can_be_undone(self):
        for fault in FAULTS:
            self.assertTrue(fault.heal.strip())
            self.assertNotEqual(fault.heal, fault.inject)

    def test_what_needs_others_is_left_out_where_there_are_none(self):
        self.assertNotIn("session-key-differs", {fault.check for fault, _ in possible(ALONE)})
        self.assertIn("session-key-differs", {fault.check for fault, _ in possible({**ALONE, "applications": ["app1", "app2"]})})

    def test_it_is_a_measure(self):
        self.assertIn("doctor", MEASURES)


class Judging(unittest.TestCase):
    def test_ids_are_read(self):
        self.assertEqual(read(LOG, 2), ["unit-stopped", "secret-missing"])
        self.assertEqual(read("msg: nothing found on its one host (124 checks)", 0), [])

    def test_a_verb_that_broke_is_no_silence(self):
        self.assertEqual(len(read("ERROR! the playbook could not be found", 1)), 1)
        self.assertEqual(len(read("", 0)), 1)
        self.assertEqual(len(read(LOG, 0)), 3)

    def test_a_fault_is_named_or_not(self):
        self.assertEqual(judge(FAULT, "wk1", ["unit-stopped"]), [])
        self.assertEqual(judge(FAULT, "wk1", []), ["unit-stopped on wk1: named nothing"])

    def test_what_does_not_follow_is_told(self):
        self.assertEqual(unexpected(FAULT, ["unit-stopped", "queue-no-consumers", "alert-firing"]), [])
        self.assertEqual(unexpected(FAULT, ["unit-stopped", "disk-full"]), ["disk-full"])


if __name__ == "__main__":
    unittest.main()
