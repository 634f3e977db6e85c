"""Row 7: `upgrade` to the next release, which brings a migration, and `rollback` from it, while people work.

The next release is made of this tree (tests/lab/next_release.py), so that the fleet must have been installed from a bundle that is
known here: `--bundle`. The same people work for as long without either, for comparison.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

from lab import install
from lab.install import Bundle
from lab.problem import Problem
from load.journal import ACKNOWLEDGED
from load.verdict import percentile

from .at_work import PSQL, Seen, at_work, harmless, two_primaries, wait_for_primary, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab
from .install import run

SECTION = "upgrade"
REQUESTS, REQUESTS_SAMPLED = 50_000, 5_000
GOAL_RATIO = 2.0
# Of the first look at how many requests there are in a second.
FIRST_SECONDS = 60
# What the next release's migration makes (tests/lab/next_release.py), and what somebody enters there.
NOTE = "kept over the way back"
WRITE_NOTE = f"INSERT INTO lab_notes (id, production_id, note) SELECT gen_random_uuid(), id, '{NOTE}' FROM productions LIMIT 1"
READ_NOTE = f"SELECT count(*) FROM lab_notes WHERE note = '{NOTE}'"
# So that the note outlives what the crowd removes in the end.
NOTED = "ALTER TABLE lab_notes DROP CONSTRAINT lab_notes_production_id_fkey"
# Each time that a worker began a step.
BEGUN = "journalctl --unit kinora-worker --since @{} --output json --output-fields MESSAGE,KINORA_STEP_ID,STEP_ID"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    if options.bundle is None:
        raise Problem("say from which bundle the fleet was installed: BUNDLE=")
    here, command = install.existing(options.bundle), f"make lab-test LAB={options.layout} ONLY=upgrade BUNDLE="
    there = next_bundle(options)
    if options.inventory is None:
        raise Problem("the upgrade is measured from an inventory")
    before = versions(lab)
    wanted = REQUESTS_SAMPLED if options.sampled else REQUESTS

    usual = yield from compare(lab, options, wanted, command)
    install.copy_to_controller(lab.control, there, options.inventory)
    yield from under_load(lab, options, "upgrade", there, usual, command)
    after = versions(lab)
    stale = sorted(f"{host}: {version}" for host, found in after.items() for version in found if version in before[host])
    yield Figure(SECTION, "upgrade: packages of ours that are still the old release's", f"{len(stale)} of {sum(map(len, after.values()))}", "0", not stale, command, stale)
    ask(lab, f"{NOTED}; {WRITE_NOTE}")

    install.copy_to_controller(lab.control, here, options.inventory)
    yield from under_load(lab, options, "rollback", here, usual, command)
    back = versions(lab)
    yield Figure(SECTION, "rollback: hosts that have their packages again", f"{sum(back[h] == before[h] for h in back)} of {len(back)}", f"{len(back)}", back == before, command)
    kept = ask(lab, READ_NOTE)
    yield Figure(SECTION, "rollback: what was entered into the newer release's tables", "kept" if kept == "1" else f"{kept} rows of 1", "kept", kept == "1", command)


class Usual:
    """The same load without an upgrade."""

    def __init__(self, p99: float, rate: float, wanted: int) -> None:
        self.p99, self.rate, self.wanted = p99, rate, wanted


def compare(lab: Lab, options: Options, wanted: int, command: str) -> Generator[Figure, None, Usual]:
    wait_until_redundant(lab)
    began = time.monotonic()
    with at_work(lab) as seen:
        time.sleep(FIRST_SECONDS)
        seconds = time.monotonic() - began
    rate = len(seen.entries) / seconds
    options.say(f"{rate:.0f} requests a second; the same for {wanted / rate / 60:.0f} minutes without an upgrade")
    with at_work(lab) as seen:
        time.sleep(wanted / rate * 1.05)
    p99 = percentile(times(seen), 0.99)
    failed = seen.attempts_failed()
    yield Figure(SECTION, "without an upgrade: p99 of reads and writes", f"{p99 * 1000:.0f} ms ({len(seen.entries):,} requests, {len(failed)} failed)", command=command)
    return Usual(p99, rate, wanted)


def under_load(lab: Lab, options: Options, verb: str, bundle: Bundle, usual: Usual, command: str) -> Iterator[Figure]:
    wait_until_redundant(lab)
    began, clock = time.monotonic(), int(time.time())
    with at_work(lab) as seen:
        run(lab, bundle, options.say, verb)
        took = time.monotonic() - began
        wait_until_redundant(lab)
        options.say(f"{verb} took {took:.0f} s")
        time.sleep(max(0.0, usual.wanted / usual.rate * 1.05 - took))
    begun, again = steps_begun(lab, clock)
    count, failed = len(seen.entries), seen.attempts_failed()
    yield Figure(SECTION, f"{verb}: how long the verb took", f"{took / 60:.1f} min", command=f"control# {' '.join(install.verb_command(bundle, verb))}")
    yield Figure(SECTION, f"{verb}: requests meanwhile", f"{count:,}", f"≥ {usual.wanted:,}", count >= usual.wanted, command)
    yield Figure(SECTION, f"{verb}: requests that failed, at the first attempt", f"{len(failed)} of {count:,}", "0", not failed, command, failed)
    p99 = percentile(times(seen), 0.99)
    value = f"{p99 * 1000:.0f} ms, {p99 / usual.p99:.1f} times the usual {usual.p99 * 1000:.0f} ms (slowest {seen.slowest():.1f} s)"
    yield Figure(SECTION, f"{verb}: p99 of reads and writes", value, f"≤ {GOAL_RATIO:.0f} times", p99 <= GOAL_RATIO * usual.p99, command)
    uploads = [entry for entry in seen.entries if entry.kind == "upload"]
    cut = [f"upload {entry.number}: {', '.join(entry.failures)}" for entry in uploads if entry.outcome != ACKNOWLEDGED]
    yield Figure(SECTION, f"{verb}: uploads that did not arrive", f"{len(cut)} of {len(uploads)}", "0", not cut, command, cut)
    yield Figure(SECTION, f"{verb}: steps of encodes that began anew", f"{len(again)} of {len(begun)}", "0", not again and bool(begun), command, again)
    yield from harmless(SECTION, verb, seen, command)
    yield two_primaries(SECTION, verb, seen, command)


def times(seen: Seen) -> list[float]:
    return [e.seconds for e in seen.entries if e.outcome == ACKNOWLEDGED and e.kind in ("read", "update", "create", "create_once")]


def steps_begun(lab: Lab, since: int) -> tuple[set[str], list[str]]:
    """The steps that a worker began, and those that one began again."""
    counts: Counter[str] = Counter()
    for host in lab.members("workers"):
        for line in lab.exec(host, BEGUN.format(since)).output.splitlines():
            entry = json.loads(line)
            step = entry.get("KINORA_STEP_ID") or entry.get("STEP_ID")
            if step and str(entry.get("MESSAGE", "")).endswith(" begins"):
                counts[step] += 1
    return set(counts), [f"step {step} was begun {times} times" for step, times in counts.items() if times > 1]


def next_bundle(options: Options) -> Bundle:
    """The one that was given, or one that is made now, beside this one."""
    if options.next_bundle:
        return install.existing(options.next_bundle)
    output = options.bundle.parent / "next"
    output.mkdir(exist_ok=True)
    if not (output / "cache").exists():
        (output / "cache").symlink_to(options.bundle.parent / "cache")
    for name in ("development-key", "development-key.pub", "allowed_signers"):
        if not (output / name).exists():
            (output / name).symlink_to(options.bundle.parent / name)
    program = Path(__file__).resolve().parents[1] / "next_release.py"
    made = [sys.executable, "-B", str(program), "--packages", str(options.bundle.parent / "own"), "--output", str(output), "--engines"]
    if subprocess.call(made) != 0:
        raise Problem("the next release could not be made, see above")
    return install.existing(max(output.glob("kinora-*.tar"), key=lambda path: path.stat().st_mtime))


def versions(lab: Lab) -> dict[str, list[str]]:
    """Host → each of our packages with its version."""
    asked = "dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n' 'kinora-*' kinoractl 2>/dev/null | sed -n 's/^installed //p'"
    return {host.name: sorted(lab.exec(host.name, asked).output.splitlines()) for host in lab.servers}


def ask(lab: Lab, query: str) -> str:
    answer = lab.exec(wait_for_primary(lab), [*PSQL, "kinora", "--command", query])
    if not answer.ok:
        raise Problem(f"{query}: {answer.error.strip()[-400:]}")
    return answer.output.strip()
