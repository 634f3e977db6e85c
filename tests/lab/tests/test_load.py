"""The checker finds what a server does wrong on purpose, and nothing where it does all right, also when it breaks off and comes back."""

import http.server
import json
import socket
import tempfile
import threading
import time
import unittest
import uuid
from contextlib import contextmanager

from load import journal, verdict, writable
from load.crowd import Crowd, Order
from load.journal import ACKNOWLEDGED, REFUSED, UNKNOWN, Entry
from load.public import Answer, Session

FILM = bytes(range(256)) * 40


class Server:
    """Productions, uploads and runs in memory. `fault` says what it does wrong."""

    def __init__(self, fault: str = "") -> None:
        self.fault, self.lock = fault, threading.Lock()
        self.productions: dict[str, dict] = {}
        self.keys: dict[str, str] = {}
        self.seen_keys: set[str] = set()
        self.uploads: dict[str, bytes] = {}
        self.assets: dict[str, bytes] = {}
        self.requests = self.updates = self.creations = 0
        self.is_done = self.is_cut = False

    def _now(self, fault: str, count: int, least: int) -> bool:
        """Whether to do this wrong: once, and where the answer will be believed."""
        if self.fault != fault or self.is_cut or count < least:
            return False
        self.fault = f"{fault}, done"
        return True

    def answer(self, method: str, path: str, headers, body: bytes) -> tuple[int, dict, bytes]:
        with self.lock:
            self.requests += 1
            path = path.split("?")[0]
            status, told, content = self._route(method, path, headers, body)
            return status, told, content if isinstance(content, bytes) else json.dumps(content).encode()

    def _route(self, method, path, headers, body):
        parts = path.strip("/").split("/")
        if parts[-1] == "session":
            told = {"csrf_token": "t", "organisations": [{"id": "o"}]}
            if method == "GET":
                return (200, {}, told) if headers["Cookie"] == "__Host-kinora=s" else (401, {}, b"")
            return 204, {"Set-Cookie": ["__Host-kinora=s; Secure", "__Host-kinora-pending=; Max-Age=0"]}, b""
        # Every ninth request finds the server in the middle of a takeover; every other of these is done all the same.
        cut = self.requests % 9 == 0 and not self.is_done
        if cut and self.requests % 2:
            return 503, {"Retry-After": "1"}, b""
        self.is_cut = cut
        result = self._serve(method, parts, headers, body)
        return (503, {"Retry-After": "1"}, b"") if cut else result

    def _serve(self, method, parts, headers, body):
        match method, parts:
            case "POST", [*_, "organisations", "o", "productions"]:
                return self._create(json.loads(body)["name"], headers.get("Idempotency-Key"))
            case "GET", [*_, "organisations", "o", "productions"]:
                return 200, {}, {"items": list(self.productions.values()), "next_cursor": None}
            case "GET", [*_, "productions", name]:
                return 200, {}, self._shown(self.productions[name])
            case "DELETE", [*_, "productions", name]:
                self.productions.pop(name, None)
                return 204, {}, b""
            case "PATCH", [*_, "productions", name]:
                return self._rename(self.productions[name], json.loads(body)["name"], headers["If-Match"])
            case "POST", [*_, "uploads"]:
                name = str(uuid.uuid4())
                self.uploads[name] = b""
                return 201, {"Location": f"http://elsewhere/api/media/v1/productions/p/uploads/{name}"}, b""
            case ("PATCH" | "HEAD"), [*_, "uploads", name]:
                return self._upload(method, name, headers, body)
            case "GET", [*_, "assets", name, "runs"]:
                runs = {"run twice": ["done", "done"], "run lost": [], "nothing encoded": ["active"]}.get(self.fault, ["done"])
                return 200, {}, {"items": [{"state": state} for state in runs], "next_cursor": None}
            case "GET", [*_, "assets", name, "original"]:
                return 200, {}, self.assets[name] if self.fault != "byte flipped" else b"x" + self.assets[name][1:]
        return 404, {}, b""

    def _create(self, name, key):
        if key in self.keys:
            return 201, {}, self.productions[self.keys[key]]
        self.creations += 1
        made = {"id": str(uuid.uuid4()), "name": name, "revision": 1}
        if not self._now("creation lost", self.creations, 8):
            self.productions[made["id"]] = made
            if key and self.fault != "key ignored":
                self.keys[key] = made["id"]
        if self._now("creation doubled", self.creations, 8):
            self.productions["again"] = {**made, "id": "again"}
        if key and self.fault == "key ignored" and key not in self.seen_keys:
            self.seen_keys.add(key)
            return 503, {"Retry-After": "1"}, b""
        return 201, {}, made

    def _rename(self, row, name, expected):
        self.updates += 1
        if expected != f'"{row["revision"]}"':
            if self.fault == "refused and done":
                row["refused"] = name
            return 412, {}, b""
        if self._now("update lost", self.updates, 12):
            return 200, {}, {**row, "name": name, "revision": row["revision"] + 1}
        row["name"], row["revision"] = name, row["revision"] + (2 if self._now("update doubled", self.updates, 12) else 1)
        return 200, {}, dict(row)

    def _shown(self, row):
        """A server that has been left behind shows the past."""
        if self.fault == "read from the past" and self.updates > 20 and self.requests % 3 == 0 and not self.is_done:
            return {**row, "name": "Load shows 1"} if row["revision"] > 4 else dict(row)
        return {**row, "name": row.get("refused", row["name"])}

    def _upload(self, method, name, headers, body):
        kept = self.uploads[name]
        if method == "PATCH":
            if int(headers["Upload-Offset"]) != len(kept):
                return 409, {}, b""
            kept += body
            if self.fault == "bytes lost" and len(kept) > len(FILM) // 2 and not self.assets:
                kept, self.fault = kept[:100], "bytes were lost"
                self.uploads[name] = kept
                return 503, {}, b""
            self.uploads[name] = kept
        told = {"Upload-Offset": str(len(kept))}
        if len(kept) == len(FILM):
            self.assets[name], told["Kinora-Asset"] = kept, name
        return 204 if method == "PATCH" else 200, told, b""


@contextmanager
def serving(server: Server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer in one packet, and nobody waits for the other.
        wbufsize = 1 << 16

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = server.answer(self.command, self.path, self.headers, body)
            self.send_response(status)
            for name, value in headers.items():
                for each in value if isinstance(value, list) else [value]:
                    self.send_header(name, each)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD" and status != 204:
                self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = handle_any

        def log_message(self, *_) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def work(fault: str = "") -> tuple[Crowd, verdict.Verdict, Server]:
    """A crowd that works until everybody has done something often enough, and what is found then."""
    server = Server(fault)
    with serving(server) as url, tempfile.NamedTemporaryFile() as film:
        film.write(FILM)
        film.flush()
        order = Order(url, "a", "b", film=film.name, writers=2, readers=2, makers=2, piece_bytes=2000, write_seconds=0.01, read_seconds=0.01)
        order.encode_seconds = order.make_seconds = order.upload_seconds = order.piece_seconds = order.sign_in_seconds = order.pause_seconds = 0.02
        crowd = Crowd(order)
        crowd.set_up()
        threads = crowd.work()
        until = time.monotonic() + 60
        while not enough(crowd, server):
            if time.monotonic() > until or not any(thread.is_alive() for thread in threads):
                raise AssertionError(f"not enough was done: {crowd.wrong}")
            crowd.ended.wait(0.02)
        crowd.ended.set()
        for thread in threads:
            thread.join()
        server.is_done = True
        found = crowd.look()
        judged = verdict.judge(crowd.journal.entries(), found)
        crowd.tidy()
    return crowd, judged, server


def upload(times: int, fault: str = "") -> int:
    """How many films arrive of somebody who wants to send so many."""
    server = Server(fault)
    with serving(server) as url, tempfile.NamedTemporaryFile() as film:
        film.write(FILM)
        film.flush()
        crowd = Crowd(Order(url, "a", "b", film=film.name, piece_seconds=0, pause_seconds=0.01))
        crowd.set_up()
        for _ in range(times):
            crowd._upload()
        crowd.session.close()
    return len(server.assets)


def enough(crowd: Crowd, server: Server) -> bool:
    done = [entry.kind for entry in crowd.journal.entries() if entry.outcome != UNKNOWN]
    return server.updates > 60 and server.creations > 12 and done.count("upload") > 0 and done.count("read") > 60 and done.count("stale_update") > 1


class Working(unittest.TestCase):
    def test_no_more_films_are_sent_than_are_encoded(self):
        self.assertEqual(upload(8), 8)
        self.assertEqual(upload(8, "nothing encoded"), Order.encodes_ahead)


class Connecting(unittest.TestCase):
    def test_a_connection_that_was_closed_while_nobody_used_it_is_not_used(self):
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                for _ in range(3):
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

            threading.Thread(target=serve, daemon=True).start()
            session = Session(f"http://127.0.0.1:{listener.getsockname()[1]}")
            for _ in range(3):
                self.assertTrue(session.ask("POST", "/", {}).ok)
                time.sleep(0.1)
            session.close()


class Finding(unittest.TestCase):
    def test_a_server_that_breaks_off_and_loses_nothing_is_found_to_lose_nothing(self):
        crowd, judged, server = work()
        self.assertEqual(judged.findings, [])
        self.assertEqual(crowd.wrong, [])
        kinds = {entry.kind for entry in crowd.journal.entries()}
        self.assertLessEqual({"read", "update", "stale_update", "create", "create_once", "upload", "piece", "sign_in"}, kinds)
        # It did break off, and people went on.
        self.assertTrue(any("503" in failure for entry in crowd.journal.entries() for failure in entry.failures))
        self.assertEqual(server.productions, {})

    def assert_found(self, fault: str, kind: str, words: str) -> None:
        judged = work(fault)[1]
        self.assertTrue(any(words in line for line in getattr(judged, kind)), f"{fault}: {judged}")

    def test_a_lost_creation(self):
        self.assert_found("creation lost", "lost", "was acknowledged and is not there")

    def test_a_lost_update(self):
        self.assert_found("update lost", "lost", "acknowledged")

    def test_a_doubled_creation(self):
        self.assert_found("creation doubled", "duplicated", "is there 2 times")

    def test_a_creation_whose_key_is_ignored(self):
        self.assert_found("key ignored", "duplicated", "times")

    def test_a_doubled_update(self):
        self.assert_found("update doubled", "duplicated", "has revision")

    def test_a_refused_change_that_was_made(self):
        self.assert_found("refused and done", "aborted_visible", "must not be")

    def test_a_read_from_the_past(self):
        self.assert_found("read from the past", "lost", "saw")

    def test_lost_bytes_of_an_upload(self):
        self.assert_found("bytes lost", "lost", "acknowledged bytes")

    def test_a_flipped_byte(self):
        self.assert_found("byte flipped", "lost", "is not what was sent")

    def test_an_encode_that_ran_twice(self):
        self.assert_found("run twice", "jobs_doubled", "2 runs")

    def test_an_encode_that_never_ran(self):
        self.assert_found("run lost", "jobs_lost", "is not there")


def update(number: int, began: float, ended: float, outcome: str = ACKNOWLEDGED) -> Entry:
    return Entry(number, "update", began, "r", ended, outcome)


class Judging(unittest.TestCase):
    def test_the_outage_is_the_longest_time_without_an_acknowledged_write(self):
        entries = [update(1, 0, 1), update(2, 1, 1.5), update(3, 2, 9, UNKNOWN), update(4, 3, 6), update(5, 6, 6.5)]
        self.assertAlmostEqual(verdict.longest_gap(entries, 1.2, 7), 4.5)
        self.assertAlmostEqual(verdict.longest_gap(entries, 20, 30), 10)

    def test_an_unknown_change_may_be_there_or_not(self):
        entries = [update(1, 0, 1), update(2, 1, 2, UNKNOWN)]
        for shown in ((1, 2), (2, 3)):
            self.assertEqual(verdict.judge(entries, verdict.Found(registers={"r": shown})).findings, [])
        self.assertTrue(verdict.judge(entries, verdict.Found(registers={"r": (2, 4)})).duplicated)

    def test_a_refused_change_may_not_be_there(self):
        entries = [update(1, 0, 1), update(2, 1, 2, REFUSED)]
        self.assertTrue(verdict.judge(entries, verdict.Found(registers={"r": (2, 2)})).aborted_visible)

    def test_a_percentile_is_a_value_that_was_measured(self):
        self.assertEqual(verdict.percentile([5, 1, 3, 2, 4, 6, 7, 8, 9, 10], 0.95), 10)
        self.assertEqual(verdict.percentile([5, 1, 3], 0.5), 3)
        self.assertEqual(verdict.percentile(range(1, 101), 0.95), 95)

    def test_a_refusal_without_a_body_can_be_told(self):
        """As every answer to HEAD is."""
        refused = Answer(503, b"", {"content-type": "application/problem+json"})
        self.assertEqual(refused.describe(), "503")
        told = Answer(503, b'{"type": "urn:kinora:problem:try-later"}', {"content-type": "application/problem+json"})
        self.assertEqual(told.describe(), "503 try-later")

    def test_a_journal_survives_the_way(self):
        kept = journal.Journal()
        kept.end(kept.begin("read", "r"), ACKNOWLEDGED, "7")
        self.assertEqual(journal.from_json(json.loads(json.dumps(kept.to_json()))), kept.entries())


def steady(since: float, until: float) -> list[tuple[float, float]]:
    """A write each 50 ms, as the detector sends them."""
    return [(since + step * 0.05, since + step * 0.05 + 0.01) for step in range(round((until - since) / 0.05))]


class TwoPrimaries(unittest.TestCase):
    def test_one_after_the_other_are_not_two(self):
        self.assertEqual(writable.overlap({"db1": steady(0, 10), "db2": steady(10.4, 20)}), 0)

    def test_two_at_the_same_time_are_seen_to_the_millisecond(self):
        self.assertAlmostEqual(writable.overlap({"db1": steady(0, 10), "db2": steady(8, 20)}), 1.951, places=3)

    def test_one_that_wakes_up_and_acknowledges_a_new_write_is_seen(self):
        woken = [*steady(0, 10), (70.0, 70.01)]
        self.assertGreater(writable.overlap({"db1": woken, "db2": steady(30, 90)}), 0)

    def test_one_that_wakes_up_and_answers_what_was_sent_before_is_not(self):
        woken = [*steady(0, 10), (10.0, 70.01)]
        self.assertEqual(writable.overlap({"db1": woken, "db2": steady(30, 90)}), 0)

    def test_three_at_the_same_time_count_once(self):
        self.assertAlmostEqual(writable.overlap({name: steady(0, 1) for name in ("a", "b", "c")}), 0.951, places=3)

    def test_the_detector_writes_where_it_may_and_comes_back_after_an_error(self):
        ended, told, server = threading.Event(), [], FakeDatabase()

        def tell(began: float, end: float) -> None:
            told.append(end - began)
            if len(told) == 3:
                ended.set()

        writable.ask(server.connect, tell, ended)
        self.assertEqual(len(told), 3)
        self.assertEqual(server.connections, 2)


class FakeDatabase:
    """A standby, then a primary that ends the first connection."""

    def __init__(self) -> None:
        self.asked = self.connections = 0

    def connect(self):
        self.connections += 1
        return self

    def cursor(self):
        return self

    def execute(self, statement: str) -> None:
        self.asked += statement.startswith("SELECT")
        if self.asked == 3 and statement.startswith("UPDATE"):
            self.asked += 1
            raise OSError("the server ended the connection")

    def fetchone(self):
        return [self.asked < 2]

    def close(self) -> None:
        pass


if __name__ == "__main__":
    unittest.main()
