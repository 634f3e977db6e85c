"""From the bundle on bare hosts to the first canary through the public address, and the second run of `site`."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lab import install
from lab.problem import Problem
from lab.progress import Progress

from . import canary
from .figures import Figure, Options
from .hosts import Lab

GOAL_MINUTES = 12
GOAL_BUNDLE_BYTES = 2e9
# How often a long play says which task it is at.
QUIET_SECONDS = 30
# What a failed playbook's reader is shown of its log.
LAST_LINES = 60

RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    """Needs hosts that are bare."""
    if options.inventory is None:
        raise Problem("the install is measured from an inventory")
    bundle = install.obtain(options.bundle, Progress())
    layout = f"make lab-test LAB={options.layout} ONLY=install"

    began = time.monotonic()
    install.copy_to_controller(lab.control, bundle, options.inventory)
    options.say("bundle and inventory are on the controller, checked and unpacked")
    copied = time.monotonic()
    run(lab, bundle, options.say, "site")
    installed = time.monotonic()
    options.say("installed; the first canary")
    flight = canary.fly(lab)
    ended = time.monotonic()

    minutes = (ended - began) / 60
    # A sampled run looks whether it works, on a machine of which nothing is known.
    goal = "the canary passes" if options.sampled else f"≤ {GOAL_MINUTES} min"
    reached = flight.ok and (options.sampled or minutes <= GOAL_MINUTES)
    value = f"{minutes:.1f} min" if flight.ok else "the canary failed"
    yield Figure("install", "from the bundle to the first canary through the public address", value, goal, reached, layout, flight.stages)
    yield Figure("install", "of that: bundle to the controller, checked and unpacked", f"{copied - began:.0f} s")
    yield Figure("install", "of that: `site`", f"{installed - copied:.0f} s", command=" ".join(["control#", *install.verb_command(bundle, "site")]))
    yield Figure("install", "of that: kinoractl to the client and the canary", f"{ended - installed:.0f} s, the canary alone {flight.seconds:.1f} s", command=canary.command(lab))
    size = bundle.tar.stat().st_size
    yield Figure("install", "size of the bundle", f"{size / 1e6:.0f} MB", "≤ 2 GB", size <= GOAL_BUNDLE_BYTES, "make bundle")
    sent = lab.packets_leaving()
    yield Figure("install", "packets that hosts sent towards the world outside, from boot to canary", f"{sent}", "0", sent == 0, "tests/lab/lab.py status")
    yield _story(lab)
    yield again(lab, bundle, options, "second run of `site`")
    if not options.sampled:
        yield again(lab, bundle, options, "`site -- --check` after it", "--check")


def _story(lab: Lab) -> Figure:
    """What the journals of the fleet tell of the canary's file, asked for by its run alone."""
    fields = "--output json --output-fields=KINORA_RUN_ID,_SYSTEMD_UNIT,MESSAGE"
    runs: dict[str, list[str]] = {}
    for group in ("backends", "workers"):
        for host in lab.members(group):
            for line in lab.exec(host, f"journalctl --sync; journalctl --quiet {fields} --unit 'kinora-*' --since=-30min", 120).output.splitlines():
                entry = json.loads(line)
                if run := entry.get("KINORA_RUN_ID"):
                    runs.setdefault(run, []).append(f"{host} {entry['_SYSTEMD_UNIT']}: {entry['MESSAGE']}")
    lines = max(runs.values(), key=len, default=[])
    parts = [part for part in ("kinora-backend", "kinora-worker") if any(part in line for line in lines)]
    ended = any(line.endswith(": published") for line in lines)
    value = f"{len(lines)} records of {' and '.join(parts) or 'nobody'}, {'to' if ended else 'not to'} its publication"
    return Figure("install", "what `journalctl KINORA_RUN_ID=…` tells of the canary's file", value, "both, to its publication", len(parts) == 2 and ended, "each backend and worker# journalctl KINORA_RUN_ID=…", lines[-5:])


def again(lab: Lab, bundle: install.Bundle, options: Options, what: str, *arguments: str, section: str = "install") -> Figure:
    """A run of `site` that has nothing left to do."""
    began = time.monotonic()
    run(lab, bundle, options.say, "site", *arguments)
    seconds = time.monotonic() - began
    text = install.log_of(lab.control, "site").read_text()
    changed = sum(int(count) for _, _, count, _, _ in RECAP.findall(text))
    command = " ".join(["control#", *install.verb_command(bundle, "site", *arguments)])
    return Figure(section, what, f"changed={changed}, {seconds:.0f} s", "changed=0", changed == 0, command, changes(text))


def run(lab: Lab, bundle: install.Bundle, say: Callable[[str], None], verb: str, *arguments: str) -> None:
    """Runs a verb; says its plays, and its tasks where it takes long; a failure is a problem with the log's end."""
    spoke, task = time.monotonic(), ""

    def show(line: str) -> None:
        nonlocal spoke, task
        title = re.match(r"(PLAY|TASK) \[(.*)\] \*", line)
        if title and title[1] == "TASK":
            task = title[2]
        if title and (title[1] == "PLAY" or time.monotonic() - spoke > QUIET_SECONDS):
            say(f"  {verb}: {title[2]}" if title[1] == "PLAY" else f"  {verb}:   … {task}")
            spoke = time.monotonic()
        if line.startswith(("fatal:", "[ERROR]")):
            say(f"  {verb}: in “{task}”: {line[:300]}")

    code = install.run_verb(lab.control, bundle, verb, *arguments, show=show)
    if code != 0:
        log = install.log_of(lab.control, verb)
        raise Problem(f"`install {verb}` ended with {code}; the end of {log}:\n{tail(log)}")


def tail(log: Path) -> str:
    """The end of a log, without what must not be shown."""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join(line for line in lines if "one-time password" not in line)


def changes(log: str) -> list[str]:
    """`host: task` of everything a playbook changed."""
    found, task = [], ""
    for line in log.splitlines():
        title = re.match(r"TASK \[(.*)\] \*", line)
        if title:
            task = title[1]
        host = re.match(r"changed: \[([^\]]+)\]", line)
        if host:
            found.append(f"{host[1]}: {task}")
    return found
