"""Row 3: every process of the primary's host is stopped for a minute, and goes on where it was.

Its kernel goes on meanwhile, which is the worse case: connections to it stay, and new ones are accepted by nobody.
"""

import time
from collections.abc import Iterator

from . import faults
from .at_work import at_work, harmless, two_primaries, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab

SECTION, CASE = "takeover", "primary's host frozen for 60 s, then thawed"
RUNS, FROZEN_SECONDS = 1, 60.0


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_frozen"
    windows, after = [], []
    wait_until_redundant(lab)
    with at_work(lab) as seen:
        for number in range(options.runs or RUNS):
            primary = wait_until_redundant(lab)
            time.sleep(2)
            began = time.monotonic()
            with faults.frozen(lab, primary):
                time.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
            thawed = time.monotonic()
            after.append(wait_until_redundant(lab))
            windows.append((began, time.monotonic()))
            options.say(f"{CASE}, run {number + 1}: {primary}, {after[-1]} is primary, redundant again {time.monotonic() - thawed:.0f} s after the thaw")
    outages = [seen.outage(*window) for window in windows]
    value = ", ".join(f"{seconds:.1f} s" for seconds in outages)
    yield Figure(SECTION, f"{CASE}: writes back", value, command=command)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)
