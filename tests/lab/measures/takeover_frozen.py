"""Row 3: every process of the primary's host is stopped for a minute, and goes on where it was.

Its kernel goes on meanwhile, which is the worse case: connections to it stay, and new ones are accepted by nobody.
"""

import time
from collections.abc import Iterator

from lab.problem import Problem

from .at_work import at_work, harmless, two_primaries, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab

SECTION, CASE = "takeover", "primary's host frozen for 60 s, then thawed"
RUNS, FROZEN_SECONDS = 1, 60.0
# To every process of the host but its first. Those that came in from outside, as the witness and this, are not the host's.
SIGNAL_ALL = """
import os, signal, sys

def parent(process):
    try:
        return int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0

def is_the_hosts(process):
    while process > 1:
        process = parent(process)
    return process == 1

for name in filter(str.isdigit, os.listdir("/proc")):
    if int(name) > 1 and is_the_hosts(int(name)):
        try:
            os.kill(int(name), getattr(signal, sys.argv[1]))
        except ProcessLookupError:
            pass
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_frozen"
    windows, after = [], []
    wait_until_redundant(lab)
    with at_work(lab) as seen:
        for number in range(options.runs or RUNS):
            primary = wait_until_redundant(lab)
            time.sleep(2)
            began = time.monotonic()
            signal_all(lab, primary, "SIGSTOP")
            try:
                time.sleep(max(0.0, began + FROZEN_SECONDS - time.monotonic()))
            finally:
                signal_all(lab, primary, "SIGCONT")
            thawed = time.monotonic()
            after.append(wait_until_redundant(lab))
            windows.append((began, time.monotonic()))
            options.say(f"{CASE}, run {number + 1}: {primary}, {after[-1]} is primary, redundant again {time.monotonic() - thawed:.0f} s after the thaw")
    outages = [seen.outage(*window) for window in windows]
    value = ", ".join(f"{seconds:.1f} s" for seconds in outages)
    yield Figure(SECTION, f"{CASE}: writes back", value, command=command)
    yield from harmless(SECTION, CASE, seen, command)
    yield two_primaries(SECTION, CASE, seen, command)


def signal_all(lab: Lab, host: str, name: str) -> None:
    answer = lab.exec(host, ["python3", "-c", SIGNAL_ALL, name])
    if not answer.ok:
        raise Problem(f"{name} to {host}: {answer.error.strip()[-300:]}")
