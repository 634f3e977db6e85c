"""What a measure gets, and what it gives.

A measure is a module of this package with

    def measure(lab: Lab, options: Options) -> Iterable[Figure]

that yields each figure as soon as it is known. It changes nothing on the fleet that it does not undo.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Figure:
    """One line of a table in docs/operations/measured.md."""

    # Which table: install, packages, segmentation, egress, firewall, exposure, transport, admission, outside, takeover, reboot.
    section: str
    what: str
    # With its unit: "7.4 min", "0 of 1,310,700".
    value: str
    # What it must be, or an empty string where the figure only informs.
    goal: str = ""
    # Nothing where there is no goal.
    reached: bool | None = None
    # What a reader types to see it again, on this machine or, as `app1# …`, on a host.
    command: str = ""
    # Shown below the table when the goal is not reached.
    details: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if bool(self.goal) != (self.reached is not None):
            raise ValueError(f"{self.section}, {self.what}: a goal is reached or not, and what has no goal is neither")


@dataclass
class Options:
    """How to measure."""

    # The layout that is up: full, compact, single.
    layout: str
    # Fewer ports and fewer hosts, for where time is short; the figures say so.
    sampled: bool = False
    # What the fleet is installed from.
    inventory: Path | None = None
    bundle: Path | None = None
    # The next release's, for the measure that upgrades; made from this tree without one.
    next_bundle: Path | None = None
    # How often a measure that repeats something does it; its own number without one.
    runs: int | None = None
    # How long a measure goes on that ends with its time, and what it draws its chances from.
    minutes: float | None = None
    seed: int | None = None
    # Says a line with the seconds since the run began; a measure that takes longer than a minute tells how far it is.
    say: Callable[[str], None] = print


@dataclass
class Result:
    """How a command on a host ended. 124 is the end of its time."""

    code: int
    output: str
    error: str

    @property
    def ok(self) -> bool:
        return self.code == 0


TIMED_OUT = 124


def finish(command: list[str], seconds: float, stdin: str | None = None) -> Result:
    """Runs a command of this machine; when its time is over, it and everything it started here is killed."""
    # Files, not pipes: what a command leaves behind on a host may hold its output open for ever.
    with tempfile.TemporaryFile() as feed, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
        feed.write((stdin or "").encode())
        feed.seek(0)
        with subprocess.Popen(command, stdin=feed, stdout=output, stderr=error, start_new_session=True) as process:
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                _kill_group(process.pid)
                code = TIMED_OUT
            except BaseException:
                _kill_group(process.pid)
                raise
        texts = []
        for file in (output, error):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if code == TIMED_OUT:
        texts[1] += f"no end within {seconds:.0f} s"
    return Result(code, *texts)


def _kill_group(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
