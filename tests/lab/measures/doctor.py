"""Row 11: `doctor` says nothing of a healthy fleet, and names each of the faults that are injected one by one."""

import random
import re
import time
from collections.abc import Iterator

from lab import install

from .doctor_faults import FAULTS, Fault
from .figures import Figure, Options
from .hosts import Lab

SECTION = "doctor"
SECONDS = 30
GOAL = 0.95
NAMED = re.compile(r"^\s*- \[([a-z]+(?:-[a-z]+)*)\]", re.MULTILINE)
# They tell again what a cause has told, and nothing else was found: where a fault was healed, an alert may go on for a minute.
SECOND_HAND = {"alert-firing", "target-down"}


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=doctor"
    found, seconds = ask(lab)
    yield Figure(SECTION, "false alarms on the healthy fleet", str(len(found)), "0", not found, command, found)
    yield Figure(SECTION, "seconds of the verb", f"{seconds:.0f} s", f"≤ {SECONDS} s", seconds <= SECONDS, command)
    faults = possible({group: lab.members(group) for group in ("load_balancers", "applications", "backends", "databases", "workers", "backup_repository")} | {"every_host": [host.name for host in lab.servers]})
    if options.runs:
        faults = random.sample(faults, min(options.runs, len(faults)))
    missed, beside, slowest = [], [], seconds
    for number, (fault, host) in enumerate(faults, 1):
        named, seconds = injected(lab, fault, host)
        slowest = max(slowest, seconds)
        missed += judge(fault, host, named)
        beside += [f"{fault.check} on {host}: also {check}" for check in unexpected(fault, named)]
        options.say(f"{number} of {len(faults)}, {fault.check} on {host}: {', '.join(named) or 'nothing'} ({seconds:.0f} s)")
    yield Figure(SECTION, "injected faults that were named rightly", f"{len(faults) - len(missed)} of {len(faults)}", "≥ 95 %", len(missed) <= (1 - GOAL) * len(faults), command, missed)
    yield Figure(SECTION, "findings beside a fault that do not follow from it", str(len(beside)), "0", not beside, command, beside)
    yield Figure(SECTION, "slowest of them", f"{slowest:.0f} s", f"≤ {SECONDS} s", slowest <= SECONDS, command)
    found, _ = ask(lab)
    # What was healed may still be alerted of.
    left = [check for check in found if check not in SECOND_HAND]
    yield Figure(SECTION, "findings after all were healed", str(len(left)), "0", not left, command, left)


def possible(members: dict[str, list[str]]) -> list[tuple[Fault, str]]:
    """The faults that this fleet can have, each with its host: the last of its group, which leads the least."""
    return [(fault, members[fault.group][-1]) for fault in FAULTS if len(members.get(fault.group, [])) >= fault.least]


def injected(lab: Lab, fault: Fault, host: str) -> tuple[list[str], float]:
    """What doctor names while the fault is there."""
    done = lab.exec(host, f"export NAME={host}; {fault.inject}", timeout=120)
    try:
        return ask(lab) if done.ok else ([f"the fault could not be injected: {done.error.strip()[-200:]}"], 0.0)
    finally:
        lab.exec(host, f"export NAME={host}; {fault.heal}", timeout=120)


def ask(lab: Lab) -> tuple[list[str], float]:
    """The ids of the checks that doctor names, and its seconds."""
    began = time.monotonic()
    code = install.run_verb(lab.control, install.on_controller(lab.control), "doctor", show=lambda _: None)
    return read(install.log_of(lab.control, "doctor").read_text(encoding="utf-8"), code), time.monotonic() - began


def read(log: str, code: int) -> list[str]:
    """The ids in what the verb said; that it did not come to an end is one of its own."""
    named = list(dict.fromkeys(NAMED.findall(log)))
    if bool(named) != bool(code) or (not named and "nothing found" not in log):
        return [*named, f"the verb ended with {code}: {log.strip()[-300:]}"]
    return named


def judge(fault: Fault, host: str, named: list[str]) -> list[str]:
    return [] if fault.check in named else [f"{fault.check} on {host}: named {', '.join(named) or 'nothing'}"]


def unexpected(fault: Fault, named: list[str]) -> list[str]:
    return [check for check in named if check != fault.check and check not in fault.also and check not in SECOND_HAND]
