"""A crowd at the public address, and a witness on each database, for as long as a measure breaks things; then what came of it.

The programs are tests/lab/load: the crowd runs on the client, the witness (writable.py) at the console of each database host.
"""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.problem import Problem
from load import writable
from load.journal import ACKNOWLEDGED, UNKNOWN, Entry, from_json
from load.verdict import Verdict, longest_gap, percentile

from . import canary
from .figures import Figure
from .hosts import Lab

LOAD = Path(__file__).resolve().parents[1] / "load"
# Where it lies on hosts: readable for PostgreSQL's account, and still there after the plug was pulled.
PLACE = "/opt/kinora-lab"
# What may be asked again, by whoever asked, without doing anything twice.
SAFE_TO_REPEAT = ("read", "create", "update", "upload")
SETTLE_SECONDS = 900
# A film that takes a worker long enough to be in the middle of it.
LONG_FILM = "/root/load-encode.mov"
MAKE_LONG_FILM = (
    "ffmpeg -v error -f lavfi -i testsrc2=size=1280x720:rate=24 -f lavfi -i sine=frequency=330:sample_rate=48000"
    " -t 20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov -f mov pipe:1"
)

PSQL = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "--set=ON_ERROR_STOP=1"]
SCRATCH = f"""
SELECT 'CREATE ROLE {writable.ROLE} NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{writable.ROLE}') \\gexec
SELECT 'CREATE DATABASE {writable.DATABASE} OWNER {writable.ROLE}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{writable.DATABASE}') \\gexec
\\connect {writable.DATABASE}
SET ROLE {writable.ROLE};
CREATE TABLE IF NOT EXISTS {writable.TABLE} (at timestamptz);
INSERT INTO {writable.TABLE} SELECT now() WHERE NOT EXISTS (SELECT FROM {writable.TABLE});
"""
NO_SCRATCH = f"DROP DATABASE IF EXISTS {writable.DATABASE} WITH (FORCE);\nDROP ROLE IF EXISTS {writable.ROLE};\n"


@dataclass
class Seen:
    """What is known once everybody has gone home. Instants are seconds of CLOCK_MONOTONIC, as time.monotonic() is on this machine."""

    entries: list[Entry] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    # Database host → writes that it acknowledged to its witness.
    writes: dict[str, list[writable.Interval]] = field(default_factory=dict)

    def outage(self, since: float, until: float) -> float:
        """The longest time without an acknowledged write."""
        return longest_gap(self.entries, since, until)

    def two_primaries_ms(self) -> float:
        return 1000 * writable.overlap(self.writes)

    def between(self, since: float, until: float) -> "Seen":
        """What began between two instants."""
        entries = [entry for entry in self.entries if since <= entry.began < until]
        writes = {host: [(began, ended) for began, ended in times if since <= began < until] for host, times in self.writes.items()}
        return Seen(entries, self.verdict.of({entry.number for entry in entries}), writes)

    def given_up(self) -> list[str]:
        """What was safe to ask again, was, and got no answer all the same."""
        return [_told(entry) for entry in self.entries if entry.kind in SAFE_TO_REPEAT and entry.outcome == UNKNOWN]

    def attempts_failed(self) -> list[str]:
        """Each attempt that got no answer or one of those that say neither yes nor no; refusals on purpose are none."""
        return [_told(entry) for entry in self.entries if entry.failures]

    def slowest(self) -> float:
        """Of all reads and writes that were acknowledged."""
        return max((e.seconds for e in self.entries if e.outcome == ACKNOWLEDGED and e.kind in ("read", "update", "create", "create_once")), default=0.0)

    def usual(self) -> float:
        times = sorted(e.seconds for e in self.entries if e.outcome == ACKNOWLEDGED and e.kind in ("read", "update", "create", "create_once"))
        return times[len(times) // 2] if times else 0.0


def _told(entry: Entry) -> str:
    return f"{entry.kind} {entry.number} of {entry.target or 'a new thing'}: {', '.join(entry.failures) or 'no answer'} ({entry.seconds:.1f} s, {entry.outcome})"


def long_film(lab: Lab) -> str:
    """Where the client has it; a worker's FFmpeg makes it once."""
    if not lab.exec(canary.CLIENT, ["test", "-s", LONG_FILM]).ok:
        lab.pipe((lab.members("workers")[0], ["sh", "-c", MAKE_LONG_FILM]), (canary.CLIENT, ["sh", "-c", f"cat > {LONG_FILM}"]))
    return LONG_FILM


@contextmanager
def at_work(lab: Lab, **order) -> Iterator[Seen]:
    """Everybody works within; what is seen is known after it."""
    seen = Seen()
    password = canary.password(lab)
    canary.prepare(lab)
    wanted = {"url": canary.url(lab), "login": canary.login(lab), "password": password, "authorities": canary.AUTHORITIES, "film": canary.FILM, **order}
    for host in [canary.CLIENT, *lab.members("databases")]:
        lab.push(host, LOAD, PLACE)
    with witnesses(lab, seen), crowd(lab, wanted, seen):
        yield seen


@contextmanager
def crowd(lab: Lab, order: dict, seen: Seen) -> Iterator[None]:
    command = lab.control.on(canary.CLIENT, ["env", "-C", PLACE, "python3", "-B", "-m", "load.crowd"])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as working:
        working.stdin.write(json.dumps(order) + "\n")
        working.stdin.flush()
        if working.stdout.readline().strip() != "working":
            working.kill()
            raise Problem(f"nobody could begin to work: {working.stderr.read().strip()[-600:]}")
        try:
            yield
        except BaseException:
            # Nobody waits for what they found; what they made stays until the next one removes it.
            lab.exec(canary.CLIENT, ["pkill", "--full", "load[.]crowd"])
            working.kill()
            raise
        try:
            output, error = working.communicate(timeout=SETTLE_SECONDS)
        except subprocess.TimeoutExpired:
            lab.exec(canary.CLIENT, ["pkill", "--full", "load[.]crowd"])
            working.kill()
            raise Problem(f"people went home {SETTLE_SECONDS} s ago, and what they left behind has come to no end") from None
    try:
        report = json.loads(output.splitlines()[0])
    except (IndexError, ValueError):
        raise Problem(f"the crowd came to no end: {error.strip()[-600:]}") from None
    if report["wrong"]:
        raise Problem(f"the crowd itself failed: {'; '.join(report['wrong'][:5])}")
    seen.entries = from_json(report["entries"])
    seen.verdict = Verdict(**report["verdict"])


@contextmanager
def witnesses(lab: Lab, seen: Seen) -> Iterator[None]:
    """A witness on each database host, started again after the host was away."""
    primary = wait_for_primary(lab)
    made = lab.exec(primary, [*PSQL, "postgres", "--file=-"], stdin=SCRATCH)
    if not made.ok:
        raise Problem(f"no place for the witnesses to write: {made.error.strip()[-400:]}")
    ended, threads, processes = threading.Event(), [], {}
    for host in lab.members("databases"):
        seen.writes[host] = []
        threads.append(threading.Thread(target=_witness, args=(lab, host, seen.writes[host], ended, processes)))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for process in list(processes.values()):
            process.stdin.close()
        for thread in threads:
            thread.join()
        lab.exec(wait_for_primary(lab), [*PSQL, "postgres", "--file=-"], stdin=NO_SCRATCH)


def _witness(lab: Lab, host: str, writes: list, ended: threading.Event, processes: dict) -> None:
    program = ["runuser", "-u", "postgres", "--", "python3", "-B", f"{PLACE}/load/writable.py"]
    while not ended.is_set():
        try:
            command = lab.control.on(host, program)
        except Problem:
            # Switched off.
            ended.wait(0.2)
            continue
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            processes[host] = process
            for line in process.stdout:
                if match := re.fullmatch(r"([\d.]+) ([\d.]+)\n", line):
                    writes.append((float(match[1]), float(match[2])))
        ended.wait(0.2)


def members(lab: Lab) -> list[dict]:
    """Patroni's members, asked at the first database that answers."""
    for host in lab.members("databases"):
        try:
            answer = lab.exec(host, "patronictl -c /etc/patroni/config.yml list --format json", timeout=10)
        except Problem:
            continue
        if answer.ok:
            return json.loads(answer.output)
    return []


def primary_of(lab: Lab) -> str | None:
    return next((member["Member"] for member in members(lab) if member["Role"] == "Leader" and member["State"] == "running"), None)


def wait_for_primary(lab: Lab) -> str:
    return wait(lambda: primary_of(lab), 120, "there is no primary")


def wait_for_other(lab: Lab, before: str) -> str:
    """Waits until another one than `before` is primary."""

    def other() -> str | None:
        now = primary_of(lab)
        return now if now != before else None

    return wait(other, 120, f"nobody took over from {before}")


def wait_until_redundant(lab: Lab) -> str:
    """Waits until each commit is on two databases again, and returns the primary."""

    def redundant() -> str | None:
        found = members(lab)
        others = [member for member in found if member["Role"] != "Leader"]
        leads = [member["Member"] for member in found if member["Role"] == "Leader" and member["State"] == "running"]
        ready = len(found) == len(lab.members("databases")) and all(m["Role"] == "Quorum Standby" and m["State"] == "streaming" for m in others)
        return leads[0] if leads and ready else None

    return wait(redundant, 180, "the databases do not follow their primary")


def wait(look: Callable, seconds: float, otherwise: str):
    """What `look` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise Problem(f"{otherwise} after {seconds:.0f} s")
        time.sleep(0.2)


def harmless(section: str, case: str, seen: Seen, command: str) -> Iterator[Figure]:
    """The figures that every case has: nothing lost, nothing twice, nothing half."""
    judged = seen.verdict
    writes = sum(1 for e in seen.entries if e.outcome == ACKNOWLEDGED and e.kind in ("update", "create", "create_once", "piece"))
    yield Figure(section, f"{case}: acknowledged writes and upload pieces lost", f"{len(judged.lost)} of {writes:,}", "0", not judged.lost, command, judged.lost)
    wrong = [*judged.duplicated, *judged.aborted_visible]
    yield Figure(section, f"{case}: done twice, or refused and done", f"{len(wrong)}", "0", not wrong, command, wrong)
    jobs = [*judged.jobs_lost, *judged.jobs_doubled]
    encodes = sum(1 for e in seen.entries if e.kind == "upload" and e.outcome == ACKNOWLEDGED)
    yield Figure(section, f"{case}: encodes lost or doubled", f"{len(jobs)} of {encodes}", "0", not jobs, command, jobs)
    given_up = seen.given_up()
    yield Figure(section, f"{case}: requests that failed though they may be repeated", f"{len(given_up)} of {len(seen.entries):,}", "0", not given_up, command, given_up)


def noticed(section: str, case: str, seen: Seen, command: str) -> Iterator[Figure]:
    """The figures of what is planned: nobody has to notice it, not even by asking again."""
    failed = seen.attempts_failed()
    yield Figure(section, f"{case}: requests that failed, at the first attempt", f"{len(failed)} of {len(seen.entries):,}", "0", not failed, command, failed)
    yield Figure(section, f"{case}: slowest request", f"{seen.slowest():.1f} s (usual {seen.usual():.2f} s)", command=command)
    yield from harmless(section, case, seen, command)
    yield two_primaries(section, case, seen, command)


def two_primaries(section: str, case: str, seen: Seen, command: str) -> Figure:
    milliseconds = seen.two_primaries_ms()
    asked = sum(map(len, seen.writes.values()))
    return Figure(section, f"{case}: time with two primaries", f"{milliseconds:.0f} ms ({asked:,} writes acknowledged to witnesses)", "0 ms", milliseconds == 0 and asked > 0, command)


def spread(seconds: list[float]) -> str:
    """A p95 with what it comes from."""
    ordered = sorted(seconds)
    return f"p95 {percentile(ordered, 0.95):.1f} s (median {percentile(ordered, 0.5):.1f} s, {len(ordered)} runs: {', '.join(f'{s:.1f}' for s in seconds)})"
