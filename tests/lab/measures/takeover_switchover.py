"""Row 4: the verb `switchover`, again and again, while people work: nobody's request fails, and none takes much longer."""

import time
from collections.abc import Iterator

from lab import install

from .at_work import at_work, harmless, two_primaries, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab
from .install import run

SECTION, CASE = "takeover", "planned switchover"
RUNS, GOAL_SECONDS = 10, 1.5


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_switchover"
    bundle = install.on_controller(lab.control)
    wait_until_redundant(lab)
    with at_work(lab) as seen:
        for number in range(options.runs or RUNS):
            primary = wait_until_redundant(lab)
            began = time.monotonic()
            run(lab, bundle, lambda _: None, "switchover")
            after = wait_until_redundant(lab)
            options.say(f"{CASE}, run {number + 1}: from {primary} to {after}, the verb took {time.monotonic() - began:.0f} s")
            if after == primary:
                raise RuntimeError(f"{primary} is still primary")
    failed = seen.attempts_failed()
    yield Figure(SECTION, f"{CASE}: requests that failed, at the first attempt", f"{len(failed)} of {len(seen.entries):,}", "0", not failed, command, failed)
    slowest, usual = seen.slowest(), seen.usual()
    value = f"{slowest - usual:.2f} s (slowest {slowest:.2f} s, usual {usual:.2f} s)"
    yield Figure(SECTION, f"{CASE}: latency added to the slowest request", value, f"≤ {GOAL_SECONDS} s", slowest - usual <= GOAL_SECONDS, command)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)
