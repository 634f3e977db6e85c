"""Row 8: a ledger is written every tenth of a second; random instants of it are restored, and each must be just what was acknowledged then.

In the end the present is restored: what the first restore discarded. Besides, how much of the log was not in the repository yet.
"""

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone

from lab import install
from lab.problem import Problem
from load import ledger
from load.verdict import percentile

from . import canary
from .at_work import LOAD, PLACE, PSQL, wait, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab
from .install import run

SECTION = "restore"
RUNS, SECONDS = 10, 90
GOAL_RISK_SECONDS = 10.0
MAKE = f"""
SELECT 'CREATE DATABASE {ledger.DATABASE}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{ledger.DATABASE}') \\gexec
\\connect {ledger.DATABASE}
DROP TABLE IF EXISTS {ledger.TABLE};
CREATE TABLE {ledger.TABLE} (number bigint PRIMARY KEY);
"""
# Prints when a part of the log has arrived, and up to where it goes; ends with its standard input.
WATCH = """
import os, re, select, sys, time
root, seen = sys.argv[1] + "/archive/kinora", set()
first = True
while not select.select([sys.stdin], [], [], 0.05)[0]:
    for place, _, names in os.walk(root):
        for name in names:
            if re.match(r"[0-9A-F]{24}-[0-9a-f]{40}", name) and name not in seen:
                seen.add(name)
                if not first:
                    print(time.time(), (int(name[8:16], 16) << 32) + (int(name[16:24], 16) + 1) * (4 << 20), flush=True)
    first = False
"""


@dataclass
class Row:
    number: int
    began: float
    acknowledged: float
    position: int


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=restore"
    bundle = install.on_controller(lab.control)
    # Before the ledger: a password that was chosen after an instant is not known at it.
    canary.password(lab)
    chosen = random.Random(seed := random.randrange(10**6))
    rows, arrivals = write(lab, options)
    try:
        risk = at_risk(rows, arrivals)
        yield Figure(SECTION, "acknowledged, and not in the repository yet: longest", f"{risk:.1f} s ({len(rows)} commits)", f"≤ {GOAL_RISK_SECONDS:.0f} s", risk <= GOAL_RISK_SECONDS, command)
        wrong, took = [], []
        instants = [instant_between(rows, chosen) for _ in range(options.runs or RUNS)]
        present = time.time()
        for number, instant in enumerate(instants, 1):
            took.append(restore(lab, bundle, instant))
            found = difference(lab, rows, instant)
            wrong += [f"{written(instant)}: {found}"] if found else []
            options.say(f"restore {number} of {len(instants)}, to {written(instant)}: {found or 'exact'}, {took[-1]:.0f} s")
        exact = len(instants) - len(wrong)
        yield Figure(SECTION, "random instants of a ledger written every 100 ms: exactly what was acknowledged then", f"{exact} of {len(instants)} (seed {seed})", "all", not wrong, command, wrong)
        yield Figure(SECTION, "the verb `restore`, from its call until its new backup is made", f"median {percentile(sorted(took), 0.5):.0f} s, longest {max(took):.0f} s ({len(took)} runs)", command=command)
        restore(lab, bundle, present)
        found = difference(lab, rows, present)
        yield Figure(SECTION, "back to what the first restore had discarded", found or f"all {len(rows)} rows", "all rows", not found, command)
        flight = canary.fly(lab)
        yield Figure(SECTION, "canary afterwards", f"{flight.seconds:.1f} s" if flight.ok else "failed", "flies", flight.ok, canary.command(lab), flight.stages)
    finally:
        lab.exec(wait_until_redundant(lab), [*PSQL, "postgres", "--command", f"DROP DATABASE IF EXISTS {ledger.DATABASE} WITH (FORCE)"])


def write(lab: Lab, options: Options) -> tuple[list[Row], list[tuple[float, int]]]:
    """A ledger of some minutes, and when the parts of the log with it arrived in the repository."""
    primary, repository = wait_until_redundant(lab), lab.members("backup_repository")[0]
    made = lab.exec(primary, [*PSQL, "postgres", "--file=-"], stdin=MAKE)
    if not made.ok:
        raise Problem(f"no ledger could be made: {made.error.strip()[-400:]}")
    lab.push(primary, LOAD, PLACE)
    path = lab.exec(repository, ["sh", "-c", "sed -n 's/^repo1-path=//p' /etc/pgbackrest/pgbackrest.conf"]).output.strip()
    with running(lab, repository, ["python3", "-c", WATCH, path]) as arrived:
        with running(lab, primary, ["runuser", "-u", "postgres", "--", "python3", "-B", f"{PLACE}/load/ledger.py"]) as told:
            time.sleep(min(SECONDS, 10 + 8 * (options.runs or RUNS)))
        rows = [Row(int(n), float(b), float(a), int(p)) for n, b, a, p in map(str.split, told)]
        if len(rows) < 100:
            raise Problem(f"only {len(rows)} rows were written")
        wait(lambda: any(int(line.split()[1]) > rows[-1].position for line in arrived[:]), 60, "the end of the ledger does not arrive in the repository")
    return rows, [(float(at), int(position)) for at, position in map(str.split, arrived)]


@contextmanager
def running(lab: Lab, host: str, program: list[str]) -> Iterator[list[str]]:
    """What a program on a host prints, line by line, until the block ends; then all of it."""
    lines: list[str] = []
    with subprocess.Popen(lab.control.on(host, program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")))
        reader.start()
        try:
            yield lines
        finally:
            process.stdin.close()
            reader.join(30)


def at_risk(rows: list[Row], arrivals: list[tuple[float, int]]) -> float:
    """The longest time between a commit's acknowledgement and its arrival in the repository."""
    return max(min(at for at, position in arrivals if position > row.position) - row.acknowledged for row in rows)


def instant_between(rows: list[Row], chosen: random.Random) -> float:
    """An instant at which no commit was under way: of one that was, nobody can say which side it belongs to."""
    while True:
        instant = round(chosen.uniform(rows[0].acknowledged, rows[-1].began), 6)
        if not any(row.began <= instant <= row.acknowledged for row in rows):
            return instant


def written(instant: float) -> str:
    return datetime.fromtimestamp(instant, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


def restore(lab: Lab, bundle, instant: float) -> float:
    """Runs the verb; its seconds."""
    began = time.monotonic()
    run(lab, bundle, lambda _: None, "restore", "-e", f'{{"to": "{written(instant)}", "discard_after": "{written(instant)}"}}')
    return time.monotonic() - began


def difference(lab: Lab, rows: list[Row], instant: float) -> str:
    """What the ledger lacks or has too much, on every database; nothing where it is exact."""
    wanted = [row.number for row in rows if row.acknowledged <= instant]
    wait_until_redundant(lab)
    for host in lab.members("databases"):
        answer = lab.exec(host, [*PSQL, ledger.DATABASE, "--command", f"SELECT number FROM {ledger.TABLE} ORDER BY number"])
        found = [int(line) for line in answer.output.split()]
        if not answer.ok or found != wanted:
            return f"{host} has {len(found)} rows, the last {found[-1] if found else 'none'}; wanted {len(wanted)}. {answer.error.strip()[-200:]}"
    return ""
