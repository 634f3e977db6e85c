"""Row 2: the plug of the primary's host is pulled, again and again; it is plugged in again once the standby has taken over."""

import time
from collections.abc import Iterator

from load.verdict import percentile

from . import faults
from .at_work import at_work, harmless, spread, two_primaries, wait_for_other, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab

SECTION, CASE = "takeover", "primary's host without power"
RUNS, GOAL_SECONDS = 10, 20.0


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_power"
    windows = []
    wait_until_redundant(lab)
    with at_work(lab) as seen:
        for number in range(options.runs or RUNS):
            primary = wait_until_redundant(lab)
            time.sleep(2)
            began = time.monotonic()
            with faults.without_power(lab, primary):
                after = wait_for_other(lab, primary)
                # What else would stop writes now, with one database left, belongs to this run as well.
                time.sleep(10)
                windows.append((began, time.monotonic()))
            wait_until_redundant(lab)
            options.say(f"{CASE}, run {number + 1}: {primary} off, {after} is primary, redundant again after {time.monotonic() - began:.0f} s")
    outages = [seen.outage(*window) for window in windows]
    reached = percentile(outages, 0.95) <= GOAL_SECONDS
    details = [f"run {number}: {seconds:.2f} s" for number, seconds in enumerate(outages, 1)]
    yield Figure(SECTION, f"{CASE}: writes back", spread(outages), f"p95 ≤ {GOAL_SECONDS:.0f} s", reached, command, details)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)
