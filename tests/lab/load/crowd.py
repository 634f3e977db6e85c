"""People at work at the public address: sign in, read, write, upload films that are then encoded, all at the same time.

    python3 -m load.crowd < ORDER

Reads an order (JSON, one line), says `working` once all is set up, and works until standard input ends. Then it waits until the
encodes have ended, looks at what is there, removes what it made, and writes a report (JSON, one line): the journal and the verdict.

Whoever works here acts as the pages do: a read is asked again, something new is sent again with its key, a change whose outcome is
not known is looked up first, an upload goes on where the server says.
"""

import base64
import hashlib
import json
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from . import verdict
from .journal import ACKNOWLEDGED, REFUSED, UNKNOWN, Entry, Journal
from .public import PATIENCE_SECONDS, Answer, Session

DATA, MEDIA = "/api/data/v1", "/api/media/v1"
TUS = {"Tus-Resumable": "1.0.0"}
# Names of what is made: the number is the journal's.
MADE, SHOWN = "Load made ", "Load shows "


@dataclass
class Order:
    """What to do. Counts are threads; each does one thing after the other, with a pause between them."""

    url: str
    login: str
    password: str
    authorities: str | None = None
    # The film that is uploaded; empty for no uploads.
    film: str = ""
    writers: int = 4
    readers: int = 4
    makers: int = 2
    uploaders: int = 1
    write_seconds: float = 0.15
    read_seconds: float = 0.2
    make_seconds: float = 1.0
    sign_in_seconds: float = 5.0
    # Of an upload, and between two uploads.
    piece_bytes: int = 512 << 10
    piece_seconds: float = 0.2
    upload_seconds: float = 5.0
    # Whose last so many films are not encoded yet waits before sending another: more than a fleet can encode is no load of people.
    encodes_ahead: int = 3
    # Between attempts of the same.
    pause_seconds: float = 0.25
    # Whoever has had no success for so long has given up.
    patience_seconds: float = PATIENCE_SECONDS
    # How long an encode may take after everybody went home; the machine is small.
    encode_seconds: float = 300.0
    # What is left behind for a look at it.
    keep: bool = False


class Crowd:
    def __init__(self, order: Order) -> None:
        self.order, self.journal = order, Journal()
        self.session = Session(order.url, order.authorities, order.pause_seconds, order.patience_seconds)
        self.ended = threading.Event()
        self.made: set[str] = set()
        # What another crowd left behind, that was killed, has other names.
        self.mark = f"{MADE}{secrets.token_hex(4)} "
        # Films whose encodes have ended.
        self.encoded: set[str] = set()
        self.registers: list[str] = []
        self.film = Path(order.film).read_bytes() if order.film else b""
        self.wrong: list[str] = []

    def set_up(self) -> None:
        answer = self.session.sign_in(self.order.login, self.order.password)
        if not answer.ok:
            raise SystemExit(f"signing in: {answer.describe()}")
        told = self.session.insist("GET", f"{DATA}/session")
        if not told.ok:
            raise SystemExit(f"after signing in: {told.describe()}")
        self.organisation = told.json()["organisations"][0]["id"]
        self.registers = [self._make_production(f"{SHOWN}0") for _ in range(self.order.writers)]
        self.library = self._make_production("Load library") if self.film else ""

    def _make_production(self, name: str) -> str:
        answer = self.session.ask("POST", f"{DATA}/organisations/{self.organisation}/productions", {"name": name})
        if not answer.ok:
            raise SystemExit(f"making a production: {answer.describe()}")
        return answer.json()["id"]

    def work(self) -> list[threading.Thread]:
        """Starts everybody; they go on until `ended`."""
        jobs: list[Callable[[], None]] = []
        jobs += [self._repeat(self.order.write_seconds, Writer(self, register).step) for register in self.registers]
        jobs += [self._repeat(self.order.read_seconds, self._reader(number)) for number in range(self.order.readers)]
        jobs += [self._repeat(self.order.make_seconds, self._maker(number)) for number in range(self.order.makers)]
        jobs += [self._repeat(self.order.sign_in_seconds, self._sign_in)] if self.order.sign_in_seconds else []
        if self.film:
            jobs += [self._repeat(self.order.upload_seconds, self._upload) for _ in range(self.order.uploaders)]
        threads = [threading.Thread(target=job) for job in jobs]
        for thread in threads:
            thread.start()
        return threads

    def _repeat(self, pause: float, step: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                while not self.ended.wait(pause):
                    step()
            except Exception as error:
                # A defect here is no finding about the server, and must not look like one.
                self.wrong.append(f"{step.__qualname__}: {type(error).__name__}: {error}")
            finally:
                self.session.close()

        return run

    def _reader(self, number: int) -> Callable[[], None]:
        def read() -> None:
            register = self.registers[(number + int(time.monotonic() * 5)) % len(self.registers)]
            entry = self.journal.begin("read", register)
            answer = self.session.insist("GET", f"{DATA}/productions/{register}", failures=entry.failures)
            entry.sent = answer.sent
            if answer.ok:
                self.journal.end(entry, ACKNOWLEDGED, str(_number(answer.json()["name"], SHOWN)))
            else:
                entry.failures.append(answer.describe())
                self.journal.end(entry, _outcome(answer))

        return read

    def _maker(self, number: int) -> Callable[[], None]:
        def make() -> None:
            has_key = number % 2 == 0
            entry = self.journal.begin("create" if has_key else "create_once")
            path = f"{DATA}/organisations/{self.organisation}/productions"
            body = {"name": f"{self.mark}{entry.number}"}
            if has_key:
                headers = {"Idempotency-Key": f"load {os.getpid()} {entry.began} {entry.number}"}
                answer = self.session.insist("POST", path, body, headers, entry.failures)
            else:
                answer = self.session.ask("POST", path, body)
            entry.sent = answer.sent
            if not answer.ok:
                entry.failures.append(answer.describe())
            self.journal.end(entry, _outcome(answer))

        return make

    def _sign_in(self) -> None:
        entry = self.journal.begin("sign_in")
        session = Session(self.order.url, self.order.authorities, self.order.pause_seconds)
        try:
            answer = session.sign_in(self.order.login, self.order.password)
            if not answer.ok:
                # A page says that it did not work, and the person presses the button again.
                entry.failures.append(answer.describe())
                answer = session.sign_in(self.order.login, self.order.password)
            entry.sent = answer.sent
            self.journal.end(entry, _outcome(answer))
            if answer.ok:
                session.insist("DELETE", f"{DATA}/session")
        finally:
            session.close()

    def _may_upload(self) -> bool:
        """Whether few enough of the films that were sent wait for their encode."""
        sent = {entry.seen for entry in self.journal.entries() if entry.kind == "upload" and entry.outcome == ACKNOWLEDGED}
        waiting = [asset for asset in sent - self.encoded if not self._is_encoded(asset)]
        self.encoded |= sent.difference(waiting)
        return len(waiting) < self.order.encodes_ahead

    def _is_encoded(self, asset: str) -> bool:
        answer = self.session.ask("GET", f"{DATA}/assets/{asset}/runs")
        return answer.ok and _have_ended([run["state"] for run in answer.json()["items"]])

    def _upload(self) -> None:
        if not self._may_upload():
            return
        entry = self.journal.begin("upload")
        names = f"filename {base64.b64encode(f'load-{entry.number}.mov'.encode()).decode()}"
        headers = {**TUS, "Upload-Length": str(len(self.film)), "Upload-Metadata": names}
        # An upload that was begun and is not known is empty, and expires: it may be begun again.
        begun = self.session.insist("POST", f"{MEDIA}/productions/{self.library}/uploads", b"", headers, entry.failures)
        if not begun.ok:
            entry.failures.append(begun.describe())
            self.journal.end(entry, _outcome(begun))
            return
        place = begun.headers["location"]
        place = "/" + place.split("/", 3)[3] if "://" in place else place
        asset = self._send(place, entry)
        self.journal.end(entry, ACKNOWLEDGED if asset else UNKNOWN, asset or "")

    def _send(self, place: str, upload: Entry) -> str | None:
        """Sends the film piece by piece, going on where the server says after anything else than a plain answer."""
        offset = 0
        # However slow, an upload that was begun is finished: giving up is not what people do.
        until = time.monotonic() + 600
        while time.monotonic() < until:
            part = self.film[offset : offset + self.order.piece_bytes]
            entry = self.journal.begin("piece", place)
            headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = self.session.ask("PATCH", place, part, headers)
            entry.sent = answer.sent
            if answer.ok:
                offset = int(answer.headers["upload-offset"])
                self.journal.end(entry, ACKNOWLEDGED, str(offset))
            else:
                entry.failures.append(answer.describe())
                upload.failures.append(answer.describe())
                self.journal.end(entry, UNKNOWN)
                time.sleep(self.order.pause_seconds)
                asked = self.journal.begin("offset", place)
                answer = self.session.insist("HEAD", place, headers=TUS, failures=asked.failures)
                if not answer.ok:
                    upload.failures.append(f"HEAD: {answer.describe()}")
                    self.journal.end(asked, UNKNOWN)
                    return None
                offset = int(answer.headers["upload-offset"])
                self.journal.end(asked, ACKNOWLEDGED, str(offset))
            if "kinora-asset" in answer.headers:
                return answer.headers["kinora-asset"]
            time.sleep(self.order.piece_seconds)
        return None

    def look(self) -> verdict.Found:
        """What is there, now that everybody has gone home and all encodes have ended."""
        found = verdict.Found(sent=hashlib.sha256(self.film).hexdigest())
        for row in self._pages(f"{DATA}/organisations/{self.organisation}/productions"):
            if row["name"].startswith(self.mark):
                number = _number(row["name"], self.mark)
                found.made[number] = found.made.get(number, 0) + 1
                self.made.add(row["id"])
        for register in self.registers:
            row = self._get(f"{DATA}/productions/{register}")
            if row is not None:
                found.registers[register] = (_number(row["name"], SHOWN), row["revision"])
        assets = [entry.seen for entry in self.journal.entries() if entry.kind == "upload" and entry.outcome == ACKNOWLEDGED]
        until = time.monotonic() + self.order.encode_seconds
        for asset in assets:
            runs = self._runs(asset, until)
            if runs is not None:
                found.runs[asset] = runs
            digest = self._digest(asset)
            if digest:
                found.digests[asset] = digest
        return found

    def _pages(self, path: str):
        cursor = ""
        while True:
            answer = self._get(f"{path}?limit=200{cursor}")
            if answer is None:
                raise SystemExit(f"{path} cannot be read in the end")
            yield from answer["items"]
            if not answer["next_cursor"]:
                return
            cursor = f"&cursor={answer['next_cursor']}"

    def _get(self, path: str):
        answer = self.session.insist("GET", path)
        return answer.json() if answer.ok else None

    def _runs(self, asset: str, until: float) -> list[str] | None:
        while True:
            answer = self._get(f"{DATA}/assets/{asset}/runs")
            if answer is None:
                return None
            states = [run["state"] for run in answer["items"]]
            if _have_ended(states) or time.monotonic() > until:
                return states
            time.sleep(0.5)

    def _digest(self, asset: str) -> str | None:
        answer = self.session.insist("GET", f"{MEDIA}/assets/{asset}/original")
        return hashlib.sha256(answer.body).hexdigest() if answer.ok else None

    def tidy(self) -> None:
        # Removing a production that others are in takes a session that was confirmed, or began, a short time ago.
        self.session.sign_in(self.order.login, self.order.password)
        gone = [*self.made, *self.registers, *([self.library] if self.library else [])]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._remove, gone))
        self.session.close()

    def _remove(self, production: str) -> None:
        self.session.insist("DELETE", f"{DATA}/productions/{production}")
        self.session.close()


class Writer:
    """The only one who changes a register: each change shows its number."""

    def __init__(self, crowd: Crowd, register: str) -> None:
        self.crowd, self.register = crowd, register
        self.revision, self.count = 1, 0

    def step(self) -> None:
        self.count += 1
        # One in twenty is sent with a revision that has gone: it must be refused, and never be seen.
        is_stale = self.count % 20 == 0 and self.revision > 1
        journal, session = self.crowd.journal, self.crowd.session
        entry = journal.begin("stale_update" if is_stale else "update", self.register)
        revision = self.revision - 1 if is_stale else self.revision
        answer = session.ask("PATCH", self.path, {"name": f"{SHOWN}{entry.number}"}, {"If-Match": f'"{revision}"'})
        entry.sent = answer.sent
        if answer.ok:
            self.revision = answer.json()["revision"]
            journal.end(entry, ACKNOWLEDGED)
        elif answer.is_refusal:
            journal.end(entry, REFUSED)
            if not is_stale:
                # Nobody else writes here.
                entry.failures.append(answer.describe())
                self._look()
        else:
            entry.failures.append(answer.describe())
            self._settle(entry, is_stale)

    @property
    def path(self) -> str:
        return f"{DATA}/productions/{self.register}"

    def _settle(self, entry: Entry, is_stale: bool) -> None:
        """The outcome is not known: look, and where it was not done, send it again with the same revision, which makes it safe."""
        journal, session = self.crowd.journal, self.crowd.session
        if is_stale:
            journal.end(entry, UNKNOWN)
            return
        expected = self.revision
        while True:
            shown = self._look(entry.failures)
            if shown is None:
                journal.end(entry, UNKNOWN)
                return
            if shown == entry.number:
                journal.end(entry, ACKNOWLEDGED)
                return
            if self.revision != expected:
                journal.end(entry, UNKNOWN)
                return
            answer = session.ask("PATCH", self.path, {"name": f"{SHOWN}{entry.number}"}, {"If-Match": f'"{self.revision}"'})
            entry.sent = answer.sent
            if answer.ok:
                self.revision = answer.json()["revision"]
                journal.end(entry, ACKNOWLEDGED)
                return
            entry.failures.append(answer.describe())
            time.sleep(self.crowd.order.pause_seconds)

    def _look(self, failures: list[str] | None = None) -> int | None:
        answer = self.crowd.session.insist("GET", self.path, failures=failures)
        if not answer.ok:
            return None
        self.revision = answer.json()["revision"]
        return _number(answer.json()["name"], SHOWN)


def _number(name: str, before: str) -> int:
    return int(name.removeprefix(before))


def _have_ended(states: list[str]) -> bool:
    return bool(states) and all(state in ("done", "failed", "cancelled") for state in states)


def _outcome(answer: Answer) -> str:
    return ACKNOWLEDGED if answer.ok else REFUSED if answer.is_refusal else UNKNOWN


def report(crowd: Crowd) -> dict:
    found = crowd.look()
    return {
        "entries": crowd.journal.to_json(),
        "verdict": asdict(verdict.judge(crowd.journal.entries(), found)),
        "found": {"made": sum(found.made.values()), "registers": len(found.registers), "assets": len(found.digests)},
        "wrong": crowd.wrong,
    }


def main() -> None:
    crowd = Crowd(Order(**json.loads(sys.stdin.readline())))
    crowd.set_up()
    threads = crowd.work()
    print("working", flush=True)
    sys.stdin.read()
    crowd.ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(report(crowd)), flush=True)
    if not crowd.order.keep:
        crowd.tidy()


if __name__ == "__main__":
    main()
