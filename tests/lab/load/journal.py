"""What people did and what they were told, noted as it happens."""

import itertools
import threading
import time
from dataclasses import asdict, dataclass, field

# How an operation ended for the person. UNKNOWN: no answer, or one that says neither yes nor no (5xx).
ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


@dataclass
class Entry:
    """One thing a person wanted, with all that was tried for it. Instants are seconds of CLOCK_MONOTONIC."""

    # Unique in the journal, in the order of beginning.
    number: int
    # read, sign_in, create (with a key), create_once (without), update, stale_update, upload, piece, encode.
    kind: str
    began: float
    # Of what: a production's or an upload's address.
    target: str = ""
    ended: float = 0.0
    outcome: str = UNKNOWN
    # What each attempt before the last one was told: "503 unavailable", "ConnectionResetError".
    failures: list[str] = field(default_factory=list)
    # What the operation saw: a read's value, a piece's offset, an upload's asset.
    seen: str = ""
    # When the request that was acknowledged was sent: before it nothing can be known of the outcome.
    sent: float = 0.0

    @property
    def seconds(self) -> float:
        return self.ended - self.began


class Journal:
    """Entries of all threads. What has begun is in it, even if it never ends."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def begin(self, kind: str, target: str = "") -> Entry:
        with self._lock:
            entry = Entry(next(self._numbers), kind, time.monotonic(), target)
            self._entries.append(entry)
        return entry

    def end(self, entry: Entry, outcome: str, seen: str = "") -> Entry:
        entry.outcome, entry.seen, entry.ended = outcome, seen, time.monotonic()
        return entry

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def to_json(self) -> list[dict]:
        return [asdict(entry) for entry in self.entries()]


def from_json(rows: list[dict]) -> list[Entry]:
    return [Entry(**row) for row in rows]
