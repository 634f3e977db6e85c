"""Row 1: PostgreSQL on the primary is killed (-9), again and again; the standby takes over."""

import time
from collections.abc import Iterator

from load.verdict import percentile

from . import faults
from .at_work import at_work, harmless, spread, two_primaries, wait_for_other, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab

SECTION, CASE = "takeover", "kill -9 of PostgreSQL on the primary"
RUNS, GOAL_SECONDS = 10, 3.0


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_crash"
    windows = []
    wait_until_redundant(lab)
    with at_work(lab) as seen:
        for number in range(options.runs or RUNS):
            primary = wait_until_redundant(lab)
            time.sleep(2)
            began = faults.kill_postgresql(lab, primary)
            # Until the next one: in the meantime nothing else may stop writes.
            after = wait_for_other(lab, primary)
            wait_until_redundant(lab)
            windows.append((began, time.monotonic()))
            options.say(f"{CASE}, run {number + 1}: {primary} killed, {after} is primary, redundant again after {windows[-1][1] - began:.0f} s")
    outages = [seen.outage(*window) for window in windows]
    reached = percentile(outages, 0.95) <= GOAL_SECONDS
    details = [f"run {number}: {seconds:.2f} s" for number, seconds in enumerate(outages, 1)]
    # A sampled run looks whether it works, on a machine of which nothing is known.
    goal = "" if options.sampled else f"p95 ≤ {GOAL_SECONDS:.0f} s"
    yield Figure(SECTION, f"{CASE}: writes back", spread(outages), goal, reached if goal else None, command, details)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)
