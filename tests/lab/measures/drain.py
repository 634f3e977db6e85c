"""Work on a machine at noon: one host of each role is drained, rebooted and put back by the verbs, while people work."""

import time
from collections.abc import Iterator

from lab import install
from lab.fleet import Host
from lab.problem import Problem

from .at_work import at_work, noticed, wait, wait_until_redundant
from .figures import Figure, Options
from .finding import BACK_SECONDS, lacking
from .hosts import Lab
from .install import run

SECTION, CASE = "drain", "a host of each role drained, rebooted, put back"
# What is kept away from a host by the verb stays so over a reboot, until the other verb.
DRAINED = "it is DRAIN"
ROLES = ("load_balancers", "applications", "backends", "databases", "workers")


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=drain"
    bundle = install.on_controller(lab.control)
    hosts = one_of_each_role(lab, wait_until_redundant(lab))
    with at_work(lab) as seen:
        for host in hosts:
            yield round_trip(lab, bundle, options, host)
            wait_until_redundant(lab)
    yield from noticed(SECTION, CASE, seen, command)


def one_of_each_role(lab: Lab, primary: str) -> list[str]:
    """The first host of each role that is not the database's primary; none twice."""
    return list(dict.fromkeys(next(name for name in lab.members(role) if name != primary) for role in ROLES))


def round_trip(lab: Lab, bundle: install.Bundle, options: Options, host: str) -> Figure:
    options.say(f"{host} is drained, rebooted and put back")
    seconds = [timed(lambda: run(lab, bundle, lambda _: None, "drain", "-e", f"host={host}"))]
    lab.power(host, "reboot")
    place = lab.fleet.host(host)
    seconds.append(timed(lambda: in_service(lab, place, but=DRAINED)))
    put_back = timed(lambda: run(lab, bundle, lambda _: None, "undrain", "-e", f"host={host}"))
    in_service(lab, place)
    seconds.append(put_back)
    roles = ", ".join(group.replace("_", " ") for group in place.groups)
    value = "drained in {:.0f} s, ready {:.0f} s after it booted, put back in {:.0f} s".format(*seconds)
    return Figure(SECTION, f"{host} ({roles})", value, command=f"control# {' '.join(install.verb_command(bundle, 'drain', '-e', f'host={host}'))}")


def in_service(lab: Lab, place: Host, but: str | None = None) -> None:
    """Waits until nothing keeps the host from being in service but what is said like that."""
    missing: list[str] = []

    def look() -> bool:
        missing[:] = [what for what in lacking(lab, place) if but is None or but not in what]
        return not missing

    try:
        wait(look, BACK_SECONDS, f"{place.name} is not back in service")
    except Problem as problem:
        raise Problem(f"{problem}: {'; '.join(missing)}") from None


def timed(work) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
