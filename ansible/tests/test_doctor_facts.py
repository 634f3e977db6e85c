"""What the verb doctor gathers: commands that end, sections that cannot hold up or bring down the others, files that are judged."""

import os
import re
import socket
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from units import load_unit

run, host, units = load_unit("kinora_facts_run"), load_unit("kinora_facts_host"), load_unit("kinora_facts_units")
ROLES = Path(__file__).resolve().parents[1] / "roles"


def table(packets, *rules):
    chain = '{"chain": {"family": "inet", "table": "kinora", "name": "input", "handle": %d, "policy": "drop"}}' % packets
    lines = ['{"rule": {"handle": %d, "chain": "input", "expr": [{"match": {"right": %s}}, {"counter": {"packets": %d, "bytes": 9}}]}}' % (packets + place, rule, packets) for place, rule in enumerate(rules)]
    return run.Done(0, '{"nftables": [{"metainfo": {"version": "1.1.3"}}, ' + ", ".join([chain, *lines]) + "]}", "")


class Commands(unittest.TestCase):
    """They always end."""

    def test_one_that_hangs_is_ended(self):
        self.assertEqual(run.run("sleep", "100", seconds=0.1).code, run.TIMED_OUT)

    def test_one_that_is_not_there_is_told(self):
        self.assertEqual(run.as_json(run.run("no-such-command"))["error"], "no-such-command is not installed")

    def test_what_is_no_json_is_an_error(self):
        self.assertIn("error", run.as_json(run.Done(0, "not JSON", "")))

    def test_input_is_fed(self):
        self.assertEqual(run.run("cat", feed=b"said").out, "said")


class Sections(unittest.TestCase):
    """Asked at the same time."""

    def test_one_that_fails_and_one_that_hangs_leave_the_others(self):
        released = threading.Event()
        self.addCleanup(released.set)
        found = run.gather({"well": lambda: {"a": 1}, "fails": lambda: 1 / 0, "hangs": released.wait}, 0.3)
        self.assertEqual(found["well"], {"a": 1})
        self.assertIn("ZeroDivisionError", found["fails"]["error"])
        self.assertIn("no answer", found["hangs"]["error"])


class Firewall(unittest.TestCase):
    """Rules are compared without what changes by itself."""

    def test_counters_and_handles_do_not_count(self):
        self.assertEqual(host._rules(table(1, "22")), host._rules(table(50, "22")))

    def test_a_rule_more_does(self):
        self.assertNotEqual(host._rules(table(1, "22")), host._rules(table(1, "22", "4711")))

    def test_policies_are_seen(self):
        self.assertEqual(host._policies(host._rules(table(1))), ["drop"])


class Secrets(unittest.TestCase):
    """Files of secrets."""

    def test_each_problem(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key"
            self.assertEqual(units._secret_problem(path, 0o077), "missing")
            path.touch()
            self.assertEqual(units._secret_problem(path, 0o077), "empty")
            path.write_text("secret", encoding="utf-8")
            os.chmod(path, 0o640)
            self.assertEqual(units._secret_problem(path, 0o077), "mode 0640")
            self.assertEqual(units._secret_problem(path, 0o007), "")

    def test_a_password_that_nobody_asks_for_may_be_empty(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mail-password"
            path.touch(mode=0o600)
            self.assertEqual(units._secret_problem(path, 0o077), "empty")
            with mock.patch.object(units, "MAY_BE_EMPTY", {str(path)}):
                self.assertEqual(units._secret_problem(path, 0o077), "")
        conf = (ROLES / "monitoring/templates/20-kinora-alertmanager.conf.j2").read_text(encoding="utf-8")
        handed = {path.rpartition("/")[2] for path in re.findall(r"^LoadCredential=\S+:(\S.*)$", conf, re.MULTILINE)}
        self.assertLessEqual({path.rpartition("/")[2] for path in units.MAY_BE_EMPTY}, handed)


class Days(unittest.TestCase):
    """Of certificates."""

    def test_as_openssl_says_it(self):
        self.assertLess(units._days("notAfter=Nov 23 04:35:12 2020 GMT\n"), 0)


class Probes(unittest.TestCase):
    """Connections."""

    def test_refused_and_made(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            asked = {"flow": "x", "host": "a", "address": "127.0.0.1", "port": server.getsockname()[1]}
            self.assertEqual(host._probe(asked)["answer"], "ok")
        self.assertEqual(host._probe(asked)["answer"], "refused")


if __name__ == "__main__":
    unittest.main()
