"""Who looks after the primary acts on silence that lasts, of one tenure, and only where it can do no harm."""

import concurrent.futures
import importlib.machinery
import importlib.util
import os
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path
from types import SimpleNamespace

from inventories import ANSIBLE

FILE = ANSIBLE / "roles/database/files/database-takeover"
LOADER = importlib.machinery.SourceFileLoader("database_takeover", str(FILE))
takeover = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(takeover)


def looks(*seen: tuple[str | None, bool, float, float]) -> list[bool]:
    silence = takeover.Silence()
    return [silence.look(*each) for each in seen]


class Silence(unittest.TestCase):
    def test_it_takes_looks_and_time(self):
        slow = [("a", False, 0.0, 1.5), ("a", False, 1.75, 3.25), ("a", False, 3.5, 5.0)]
        self.assertEqual(looks(*slow), [False, False, True])
        fast = [("a", False, at / 4, at / 4) for at in range(17)]
        self.assertEqual(looks(*fast), [False] * 16 + [True])

    def test_one_sign_of_life_begins_anew(self):
        self.assertEqual(looks(("a", False, 0, 2), ("a", False, 2, 4), ("a", True, 4, 4), ("a", False, 5, 7), ("a", False, 7, 9)), [False] * 5)

    def test_another_tenure_begins_anew(self):
        self.assertEqual(looks(("a", False, 0, 2), ("a", False, 2, 4), ("b", False, 4, 6), ("b", False, 6, 8), ("b", False, 8, 10)), [False] * 4 + [True])

    def test_without_a_primary_there_is_no_silence(self):
        self.assertEqual(looks((None, False, 0, 2), (None, False, 2, 4), (None, False, 4, 9)), [False] * 3)

    def test_a_host_that_slept_itself_looks_again(self):
        """The whole time may pass between the beginning and the end of one look."""
        self.assertEqual(looks(("a", False, 0, 600), ("a", True, 600, 600)), [False, False])


def cluster(leader: str | None, standbys: list[str]) -> SimpleNamespace:
    sync = SimpleNamespace(matches=lambda name: name in standbys)
    return SimpleNamespace(leader=leader and SimpleNamespace(name=leader), sync=sync)


class Concern(unittest.TestCase):
    def test_only_whom_commits_wait_for(self):
        self.assertTrue(takeover.concerns_me(cluster("db1", ["db2"]), "db2", True, False))
        self.assertFalse(takeover.concerns_me(cluster("db1", ["db3"]), "db2", True, False))
        self.assertFalse(takeover.concerns_me(cluster("db1", []), "db2", True, False))

    def test_never_the_primary_itself_nor_without_one(self):
        self.assertFalse(takeover.concerns_me(cluster("db2", ["db2"]), "db2", True, False))
        self.assertFalse(takeover.concerns_me(cluster(None, ["db2"]), "db2", True, False))

    def test_neither_without_quorum_mode_nor_while_paused(self):
        self.assertFalse(takeover.concerns_me(cluster("db1", ["db2"]), "db2", False, False))
        self.assertFalse(takeover.concerns_me(cluster("db1", ["db2"]), "db2", True, True))


class Answering(unittest.TestCase):
    def listen(self, answer: bytes | None):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve() -> None:
            link = listener.accept()[0]
            with link:
                if link.recv(8) == takeover.SSL_REQUEST:
                    link.sendall(answer)

        if answer is not None:
            thread = threading.Thread(target=serve)
            thread.start()
            self.addCleanup(thread.join)
        return listener.getsockname()

    def test_a_server_that_says_something_answers(self):
        self.assertTrue(takeover.postgresql_answers(self.listen(b"S")))

    def test_one_that_hangs_up_does_not(self):
        self.assertFalse(takeover.postgresql_answers(self.listen(b"")))

    def test_a_kernel_that_accepts_for_a_frozen_server_does_not(self):
        self.assertFalse(takeover.postgresql_answers(self.listen(None), 0.05))

    def test_a_closed_port_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
        self.assertFalse(takeover.postgresql_answers(address))


class Near(unittest.TestCase):
    def test_a_first_process_that_is_gone_is_seen(self):
        with tempfile.TemporaryDirectory() as data:
            self.assertTrue(takeover.is_running(data), "stopped in order: Patroni knows")
            file = Path(data) / "postmaster.pid"
            file.write_text(f"{os.getpid()}\n/data\n")
            self.assertTrue(takeover.is_running(data))
            with subprocess.Popen(["true"]) as ended:
                ended.wait()
            file.write_text(f"{ended.pid}\n/data\n")
            self.assertFalse(takeover.is_running(data))


class Asking(unittest.TestCase):
    def test_one_yes_is_enough_and_nobody_else_is_waited_for(self):
        never = concurrent.futures.Future()
        yes, no = concurrent.futures.Future(), concurrent.futures.Future()
        yes.set_result(True)
        no.set_result(False)
        self.assertTrue(takeover.any_yes([never, no, yes]))
        self.assertFalse(takeover.any_yes([no]))
        self.assertFalse(takeover.any_yes([never, no], 0.01))


if __name__ == "__main__":
    unittest.main()
