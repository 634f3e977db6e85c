"""Keeps figures between runs: docs/operations/measured.json, from which the page beside it is written.

It is committed with the page, so that a run of one measure or one layout, on whatever machine, replaces its own rows
and leaves the rest as they were measured.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .figures import Figure


@dataclass
class Machine:
    """What it was measured on."""

    processors: int
    memory_gb: int
    kernel: str
    system: str


@dataclass
class Run:
    """One measure of one layout. Instants are in UTC, to the minute.

    `load` is how many processes the machine had to run already when it began, an average of a minute: a lab on a busy
    machine is slower.
    """

    layout: str
    measure: str
    at: str
    version: str
    seconds: float
    sampled: bool
    load: float
    machine: Machine
    figures: list[Figure] = field(default_factory=list)


def this_machine() -> Machine:
    system = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(len(os.sched_getaffinity(0)), round(memory), os.uname().release, system["PRETTY_NAME"].strip('"'))


def read(file: Path) -> list[Run]:
    """All runs that are kept, in a fixed order; none where nothing was measured."""
    if not file.exists():
        return []
    runs = json.loads(file.read_text(encoding="utf-8"))
    return [Run(**{**run, "machine": Machine(**run["machine"]), "figures": [Figure(**figure) for figure in run["figures"]]}) for run in runs]


def keep(file: Path, run: Run) -> list[Run]:
    """Replaces what was measured before of this layout by this measure; returns all runs. Samples do not replace the whole."""
    with _alone(file):
        runs = read(file)
        same = next((other for other in runs if (other.layout, other.measure) == (run.layout, run.measure)), None)
        if same and run.sampled and not same.sampled:
            return runs
        runs = [other for other in runs if other is not same]
        runs = sorted([*runs, run], key=lambda each: (each.measure, each.layout))
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(json.dumps([asdict(each) for each in runs], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.rename(file)
    return runs


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Two labs may be measured at the same time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
