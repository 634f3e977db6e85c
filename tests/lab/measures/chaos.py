"""Faults at random, one after the other, while people work: each is drawn from chaos_faults.py, injected, taken back, and then the fleet has to be
well again by itself before the next one. What was acknowledged has to be there in the end, once, whatever the sequence was.

`make lab-chaos MINUTES=60 SEED=…`; the same seed draws the same faults on the same layout. A fleet that does not heal ends the run.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lab.problem import Problem

from . import faults
from .at_work import Seen, at_work, harmless, long_film, two_primaries
from .chaos_faults import GROUPS, Drawn, Target, draw
from .figures import Figure, Options
from .finding import well
from .hosts import Lab

SECTION, CASE = "chaos", "all of them"
MINUTES = 10.0
# People upload less often than where one fault is measured: films of an hour have to be through at its end. The storage is gone for a
# minute, and whoever uploads then still wants to.
WORK = {"piece_bytes": 4 << 20, "upload_seconds": 60.0, "encode_seconds": 600.0, "make_seconds": 3.0, "patience_seconds": 120.0}


@dataclass
class Injected:
    """A fault that was there. Instants are seconds of CLOCK_MONOTONIC."""

    drawn: Drawn
    target: Target
    began: float
    # When its cause was gone, and when the fleet was well; until then, when it was given up.
    undone: float = 0.0
    until: float = 0.0
    # Why it did not heal.
    missing: list[str] = field(default_factory=list)

    @property
    def healed(self) -> float | None:
        """Seconds that the fleet took by itself; nothing where it did not heal."""
        return self.until - self.undone if self.undone and self.until and not self.missing else None

    def __str__(self) -> str:
        return f"fault {self.drawn.number}, {self.drawn.name} ({self.target})"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    minutes = options.minutes or MINUTES
    command = f"make lab-chaos LAB={options.layout} MINUTES={minutes:g} SEED={seed}"
    options.say(f"seed {seed}; the same faults again: {command}")
    if not faults.OTHER_CLOCK.exists():
        raise Problem(f"{faults.OTHER_CLOCK} is missing here, which makes clocks wrong; packaging/bootstrap lab-chaos installs it")
    options.say(f"the fleet is well; {well(lab)} is primary")
    injected: list[Injected] = []
    wrong: list[str] = []
    try:
        with at_work(lab, film=long_film(lab), **WORK) as seen:
            options.say("people are at work")
            drawn = draw(seed, {group: lab.members(group) for group in GROUPS})
            play(lab, options.say, drawn, time.monotonic() + 60 * minutes, injected, lambda: well(lab))
            options.say("people go home; the checker looks at what is there")
    except Problem as problem:
        # Where nothing heals, nobody can look at what is there, either.
        wrong = str(problem).splitlines()
    yield from figures(injected, seed, minutes, command)
    if wrong:
        yield Figure(SECTION, f"{CASE}: verdict of the checker", "none", "given", False, command, wrong)
        return
    for fault, alone in each(injected, seen):
        options.say(told(fault, alone))
    yield from by_kind(injected, seen, command)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)


def play(lab: Lab, say: Callable[[str], None], sequence: Iterable[Drawn], until: float, injected: list[Injected], heal: Callable[[], str]) -> None:
    """One fault after the other, at least one, into `injected`. `heal` waits until the fleet is well and returns its primary; where it gives up, this ends."""
    for drawn in sequence:
        target = found(lab, drawn)
        if target is None:
            say(f"fault {drawn.number}, {drawn.name}: nobody plays that role now; left out")
            if time.monotonic() >= until:
                return
            continue
        fault = Injected(drawn, target, time.monotonic())
        injected.append(fault)
        try:
            inject(lab, say, fault)
            primary = heal()
        except Problem as problem:
            fault.missing = str(problem).splitlines()
        fault.until = time.monotonic()
        if fault.missing:
            say(f"{fault}: NOT HEALED; the run ends")
            for line in fault.missing:
                say(f"    {line}")
            return
        say(f"{fault}: healed {fault.healed:.0f} s after its end; {primary} is primary")
        if time.monotonic() >= until:
            return
        time.sleep(drawn.quiet)


def found(lab: Lab, drawn: Drawn) -> Target | None:
    """Whom the fault hits, now that its turn has come."""
    if drawn.fault.host is None:
        return drawn.target
    try:
        host = drawn.fault.host(lab)
    except Problem:
        return None
    return Target(host) if host else None


def inject(lab: Lab, say: Callable[[str], None], fault: Injected) -> None:
    """Until its cause is gone."""
    drawn = fault.drawn
    say(f"{fault}" + (f": for {drawn.seconds:.0f} s" if drawn.seconds else ""))
    try:
        with drawn.fault.act(lab, fault.target):
            time.sleep(drawn.seconds)
            if drawn.seconds:
                say(f"{fault}: is undone")
    except BaseException:
        say(f"{fault}: broken off, and undone")
        raise
    fault.undone = time.monotonic()


def each(injected: list[Injected], seen: Seen) -> Iterator[tuple[Injected, Seen]]:
    """What people began from a fault to the next one, which belongs to it."""
    ends = [fault.began for fault in injected[1:]] + [float("inf")]
    for fault, end in zip(injected, ends):
        yield fault, seen.between(fault.began, end)


def findings(alone: Seen) -> list[str]:
    """What must never be."""
    milliseconds = alone.two_primaries_ms()
    return [*alone.verdict.findings, *([f"two primaries for {milliseconds:.0f} ms"] if milliseconds else [])]


def told(fault: Injected, alone: Seen) -> str:
    """The verdict of one fault, as a line."""
    judged = alone.verdict
    outage = alone.outage(fault.began, fault.until)
    repeated = sum(len(entry.failures) for entry in alone.entries)
    parts = [
        f"healed in {fault.healed:.0f} s" if fault.healed is not None else "NOT HEALED",
        f"{outage:.1f} s without an acknowledged write",
        f"lost {len(judged.lost) + len(judged.jobs_lost)}",
        f"doubled {len(judged.duplicated) + len(judged.jobs_doubled)}",
        f"refused and visible {len(judged.aborted_visible)}",
        f"two primaries {alone.two_primaries_ms():.0f} ms",
        f"{repeated} attempts of {len(alone.entries)} requests repeated, {len(alone.given_up())} in vain",
    ]
    return f"{fault}: {', '.join(parts)}"


def figures(injected: list[Injected], seed: int, minutes: float, command: str) -> Iterator[Figure]:
    """What was drawn, and whether all of it healed."""
    yield Figure(SECTION, "faults drawn", f"{len(injected)} in {minutes:g} minutes, seed {seed}", command=command, details=[str(fault) for fault in injected])
    lasting = [fault for fault in injected if fault.healed is None]
    details = [f"{fault}: {line}" for fault in lasting for line in fault.missing]
    value = f"{len(injected) - len(lasting)} of {len(injected)}" + "".join(f"; not: {fault}" for fault in lasting)
    yield Figure(SECTION, "healed by itself, each before the next one", value, "all", bool(injected) and not lasting, command, details)


def by_kind(injected: list[Injected], seen: Seen, command: str) -> Iterator[Figure]:
    """A figure for each kind of fault that was drawn."""
    kinds: dict[str, list[tuple[Injected, Seen]]] = {}
    for fault, alone in each(injected, seen):
        kinds.setdefault(fault.drawn.name, []).append((fault, alone))
    for name, rows in sorted(kinds.items()):
        wrong = [f"{fault}: {line}" for fault, alone in rows for line in findings(alone)]
        wrong += [f"{fault}: did not heal" for fault, _ in rows if fault.healed is None]
        healed = ", ".join("never" if fault.healed is None else f"{fault.healed:.0f} s" for fault, _ in rows)
        outage = max(alone.outage(fault.began, fault.until) for fault, alone in rows)
        given_up = sum(len(alone.given_up()) for _, alone in rows)
        value = f"{', '.join(str(fault.target) for fault, _ in rows)}: healed in {healed}; at most {outage:.1f} s without an acknowledged write; {given_up} requests given up; {len(wrong)} findings"
        yield Figure(SECTION, name, value, "heals, nothing lost or doubled", not wrong, command, wrong)
