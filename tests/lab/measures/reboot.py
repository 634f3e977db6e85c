"""Each host in turn is rebooted, orderly, and has to come back into service by itself (service.py says what that is).

Meanwhile the client asks /readyz through the public address twice a second, for which an application asks database and
vault; how many of these requests failed informs here, and has its goals where takeover is measured. Sampled: one host
for each role, the one that leads where one does.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lab import install
from lab.fleet import Host
from lab.problem import Problem

from . import canary, service
from .figures import Figure, Options
from .hosts import Lab
from .install import tail

# Until a host is in service; until the fleet is before its turn.
SECONDS = 300
ROLES = ("load_balancers", "applications", "backends", "databases", "workers", "backup_repository")

# Runs on the client until its input is closed; a connection of its own for each request, as a new visitor has.
ASK = r"""
import json, select, ssl, sys, time, urllib.request
url, authorities = sys.argv[1:]
tls = ssl.create_default_context(cafile=authorities)
total = failed = 0
bad_since, longest = None, 0.0
while not select.select([sys.stdin], [], [], 0.5)[0]:
    total += 1
    began = time.monotonic()
    try:
        with urllib.request.urlopen(url, timeout=5, context=tls) as answer:
            answer.read()
        if bad_since is not None:
            longest, bad_since = max(longest, time.monotonic() - bad_since), None
    except Exception:
        failed += 1
        bad_since = began if bad_since is None else bad_since
if bad_since is not None:
    longest = max(longest, time.monotonic() - bad_since)
print(json.dumps({"total": total, "failed": failed, "longest": longest}))
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    canary.prepare(lab)
    hosts = one_for_each_role(lab) if options.sampled else lab.servers
    slowest = 0.0
    for host in hosts:
        _wait(lab, lab.servers, f"before {host.name} is rebooted")
        with visitors(lab) as seen:
            began = time.monotonic()
            boot = lab.power(host.name, "reboot")
            missing = _until_in_service(lab, [host])
            seconds = time.monotonic() - began
        slowest = max(slowest, seconds)
        flight = canary.fly(lab)
        yield _figure(lab, host, boot, seconds, missing, flight, seen)
        options.say(f"{host.name}: {seconds:.0f} s")
    yield Figure("reboot", "slowest host", f"{slowest:.0f} s")
    yield _status(lab, options)


def one_for_each_role(lab: Lab) -> list[Host]:
    """The first host of each role, which leads unless something happened before; none twice."""
    names = dict.fromkeys(lab.members(role)[0] for role in ROLES if lab.members(role))
    return [lab.fleet.host(name) for name in names]


def _figure(lab: Lab, host: Host, boot: float, seconds: float, missing: list[str], flight: canary.Outcome, seen: dict) -> Figure:
    roles = ", ".join(group.replace("_", " ") for group in host.groups)
    visits = f"{seen['failed']} of {seen['total']} visitors failed" if seen["failed"] else "no visitor failed"
    value = f"{seconds:.0f} s (booted in {boot:.0f} s); {visits}"
    if seen["failed"]:
        value += f", for {seen['longest']:.1f} s"
    if missing:
        value = f"not within {SECONDS} s"
    elif not flight.ok:
        value = f"{seconds:.0f} s, but the canary failed"
    command = f"tests/lab/lab.py power {host.name} reboot"
    details = missing + ([] if flight.ok else flight.stages)
    if details:
        details += service.last_words(lab, host.name)
    return Figure("reboot", f"{host.name} ({roles})", value, "in service by itself, canary passes", not missing and flight.ok, command, details)


def _until_in_service(lab: Lab, hosts: list[Host]) -> list[str]:
    """Waits; returns what is still missing when the time is over."""
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(4) as pool:
        while True:
            asked = pool.map(lambda host: [f"{host.name}: {what}" for what in service.lacking(lab, host)], hosts)
            missing = [line for lines in asked for line in lines]
            if not missing or time.monotonic() > until:
                return missing
            time.sleep(1)


def _wait(lab: Lab, hosts: list[Host], when: str) -> None:
    missing = _until_in_service(lab, hosts)
    if missing:
        words = [line for host in hosts if any(entry.startswith(f"{host.name}:") for entry in missing) for line in service.last_words(lab, host.name)]
        raise Problem("\n".join([f"{when}, the fleet is not well:", *missing, *words]))


@contextmanager
def visitors(lab: Lab) -> Iterator[dict]:
    """Asks the public address all the while; fills {total, failed, longest: seconds} in the end."""
    seen: dict = {}
    command = lab.control.on(canary.CLIENT, ["python3", "-c", ASK, f"{canary.url(lab)}/readyz", canary.AUTHORITIES])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
        try:
            yield seen
        finally:
            output, _ = asking.communicate()
    seen.update(json.loads(output))


def _status(lab: Lab, options: Options) -> Figure:
    """What the verb `status` says of the fleet afterwards."""
    bundle = install.on_controller(lab.control)
    # It ends with another number than 0 where something is to look at; the figure tells what.
    install.run_verb(lab.control, bundle, "status", show=lambda _: None)
    log = install.log_of(lab.control, "status")
    title, *concerns = told(log.read_text()) or ["it said nothing", *tail(log).splitlines()]
    well = title.endswith((" hosts are well", " host is well"))
    command = " ".join(["control#", *install.verb_command(bundle, "status")])
    return Figure("reboot", "the verb `status` afterwards", title, "all is well", well, command, concerns)


def told(log: str) -> list[str]:
    """The title of the page that `status` printed and what it says is to look at; nothing where it printed none."""
    lines = [line.strip() for line in log.splitlines()]
    first = next((number for number, line in enumerate(lines) if " at https://" in line), len(lines))
    last = next((number for number, line in enumerate(lines) if number > first and line.startswith("HOST ")), len(lines))
    page = [line.removeprefix("msg: ").strip("|-' ") for line in lines[first:last]]
    return [line for line in page if line]
