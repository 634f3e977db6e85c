"""What must be true of a journal, whatever broke meanwhile. Pure: judges what was noted and what was found in the end.

- An acknowledged write is there: once, and for ever (also to every read that began after its acknowledgement).
- What is sent with a key, however often, is there at most once; so is everything else.
- What was refused is not there.
- An acknowledged byte of an upload is never asked for again, and the file is what was sent.
- Each file that was acknowledged as complete has one run, and that one ends well.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields

from .journal import ACKNOWLEDGED, REFUSED, Entry

CREATIONS = ("create", "create_once")


@dataclass
class Found:
    """What is there in the end."""

    # Number in a made thing's name → how many such things there are.
    made: dict[int, int] = field(default_factory=dict)
    # Register → the number it shows and its revision, which counts its changes from 1.
    registers: dict[str, tuple[int, int]] = field(default_factory=dict)
    # Asset of an upload → SHA-256 of what is downloaded.
    digests: dict[str, str] = field(default_factory=dict)
    # Asset of an upload → the states of its runs.
    runs: dict[str, list[str]] = field(default_factory=dict)
    # SHA-256 of what was sent.
    sent: str = ""


@dataclass
class Verdict:
    """Each list has a line for each finding."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    # Refused, and there all the same.
    aborted_visible: list[str] = field(default_factory=list)
    jobs_lost: list[str] = field(default_factory=list)
    jobs_doubled: list[str] = field(default_factory=list)
    # A finding → the number of the entry that it is about: the last one, where it is about several.
    about: dict[str, int] = field(default_factory=dict)

    @property
    def findings(self) -> list[str]:
        return [*self.lost, *self.duplicated, *self.aborted_visible, *self.jobs_lost, *self.jobs_doubled]

    def find(self, kind: str, entry: int, text: str) -> None:
        """Notes a finding in the list `kind`."""
        getattr(self, kind).append(text)
        self.about[text] = entry

    def of(self, entries: Collection[int]) -> "Verdict":
        """What was found of these entries alone."""
        about = {text: entry for text, entry in self.about.items() if entry in entries}
        kinds = {kind.name: [text for text in getattr(self, kind.name) if text in about] for kind in fields(self) if kind.name != "about"}
        return Verdict(**kinds, about=about)


def judge(entries: Iterable[Entry], found: Found) -> Verdict:
    entries, verdict = sorted(entries, key=lambda entry: entry.number), Verdict()
    _creations(entries, found, verdict)
    _registers(entries, found, verdict)
    _reads(entries, verdict)
    _uploads(entries, found, verdict)
    return verdict


def _creations(entries: list[Entry], found: Found, verdict: Verdict) -> None:
    for entry in entries:
        if entry.kind not in CREATIONS:
            continue
        count = found.made.get(entry.number, 0)
        if entry.outcome == ACKNOWLEDGED and count == 0:
            verdict.find("lost", entry.number, f"{entry.kind} {entry.number} was acknowledged and is not there")
        if count > 1:
            verdict.find("duplicated", entry.number, f"{entry.kind} {entry.number} is there {count} times")
        if entry.outcome == REFUSED and count:
            verdict.find("aborted_visible", entry.number, f"{entry.kind} {entry.number} was refused and is there")


def _registers(entries: list[Entry], found: Found, verdict: Verdict) -> None:
    """A register is changed by one person only, one change after the other."""
    for target in sorted({entry.target for entry in entries if entry.kind == "update"}):
        changes = [entry for entry in entries if entry.target == target and entry.kind in ("update", "stale_update")]
        if target not in found.registers:
            verdict.find("lost", changes[-1].number, f"{target} was acknowledged and is not there")
            continue
        number, revision = found.registers[target]
        acknowledged = [change.number for change in changes if change.outcome == ACKNOWLEDGED]
        newest = max(acknowledged, default=0)
        by_number = {change.number: change for change in changes}
        if number < newest:
            verdict.find("lost", newest, f"update {newest} of {target} was acknowledged; it shows {number}")
        if number in by_number and _must_not_show(by_number[number]):
            verdict.find("aborted_visible", number, f"{by_number[number].kind} {number} of {target} must not be shown, and is")
        # It was made with revision 1. What nobody was told about may have been done, or not.
        unknown = sum(1 for change in changes if change.outcome not in (ACKNOWLEDGED, REFUSED) and not _must_not_show(change))
        if revision < 1 + len(acknowledged):
            verdict.find("lost", changes[-1].number, f"{target} has revision {revision} after {len(acknowledged)} acknowledged changes")
        if revision > 1 + len(acknowledged) + unknown:
            verdict.find("duplicated", changes[-1].number, f"{target} has revision {revision} after {len(acknowledged)} acknowledged and {unknown} unknown changes")


def _must_not_show(change: Entry) -> bool:
    """What was sent with a revision that had gone may not be done, whatever was answered."""
    return change.outcome == REFUSED or change.kind == "stale_update"


def _reads(entries: list[Entry], verdict: Verdict) -> None:
    """Nobody sees the past: what was acknowledged before a read was sent is in its answer, and what was refused is not."""
    # Register → when updates of it were acknowledged, and the newest of those up to then. There are tens of thousands in an hour.
    times: dict[str, list[float]] = {}
    newests: dict[str, list[int]] = {}
    refused: set[tuple[str, int]] = set()
    for entry in sorted(entries, key=lambda entry: entry.ended):
        if entry.kind == "update" and entry.outcome == ACKNOWLEDGED:
            known = newests.setdefault(entry.target, [])
            times.setdefault(entry.target, []).append(entry.ended)
            known.append(max(entry.number, known[-1] if known else 0))
        if entry.kind in ("update", "stale_update") and _must_not_show(entry):
            refused.add((entry.target, entry.number))
    for read in entries:
        if read.kind != "read" or read.outcome != ACKNOWLEDGED or not read.seen:
            continue
        seen = int(read.seen)
        before = bisect_left(times.get(read.target, []), read.sent)
        newest = newests[read.target][before - 1] if before else 0
        if seen < newest:
            verdict.find("lost", read.number, f"read {read.number} of {read.target} saw {seen} after {newest} was acknowledged")
        if (read.target, seen) in refused:
            verdict.find("aborted_visible", read.number, f"read {read.number} of {read.target} saw {seen}, which must not be seen")


def _uploads(entries: list[Entry], found: Found, verdict: Verdict) -> None:
    kept: Counter[str] = Counter()
    for entry in entries:
        # `seen` is the offset that the server told, in the answer to a piece or when it was asked.
        if entry.kind in ("piece", "offset") and entry.outcome == ACKNOWLEDGED:
            told = int(entry.seen)
            if told < kept[entry.target]:
                verdict.find("lost", entry.number, f"{entry.target} had {kept[entry.target]} acknowledged bytes, then {told}")
            kept[entry.target] = max(kept[entry.target], told)
    for entry in entries:
        if entry.kind != "upload" or entry.outcome != ACKNOWLEDGED:
            continue
        asset = entry.seen
        if asset not in found.digests:
            verdict.find("lost", entry.number, f"asset {asset} of upload {entry.number} was acknowledged and is not there")
        elif found.digests[asset] != found.sent:
            verdict.find("lost", entry.number, f"asset {asset} of upload {entry.number} is not what was sent")
        runs = found.runs.get(asset, [])
        if len(runs) > 1:
            verdict.find("jobs_doubled", entry.number, f"asset {asset} has {len(runs)} runs")
        if not any(state == "done" for state in runs):
            verdict.find("jobs_lost", entry.number, f"the run of asset {asset} is {', '.join(runs) or 'not there'}")


def longest_gap(entries: Iterable[Entry], since: float, until: float) -> float:
    """Seconds of the longest time without an acknowledged write between two instants; the whole where there was none."""
    ends = sorted(e.ended for e in entries if e.kind in ("update", *CREATIONS) and e.outcome == ACKNOWLEDGED and since <= e.ended <= until)
    marks = [since, *ends, until]
    return max(later - earlier for earlier, later in zip(marks, marks[1:]))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no percentile of nothing")
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]
