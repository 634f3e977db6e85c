"""Which host has which role at this moment, and how it is known that the fleet is well."""

from lab.fleet import Host
from lab.problem import Problem

from . import service
from .at_work import wait, wait_until_redundant
from .hosts import Lab
from .roles import backend_name

BACK_SECONDS = 300.0
QUEUES = "rabbitmqctl --quiet list_queues --formatter json name leader"
ENCODES = "pgrep -f '[f]fmpeg'"
LEADS = "journalctl -b -q -u kinora-backend -o cat | grep 'backend leads' | tail -n 1"


def lacking(lab: Lab, host: Host) -> list[str]:
    """What keeps a host from being in service. Where a worker begins one program after the other, systemd is never done with starting."""
    return [what for what in service.lacking(lab, host) if what != "the system is starting"]


def well(lab: Lab, seconds: float = BACK_SECONDS) -> str:
    """Waits until every host is in service, and every commit on two databases; returns the primary."""
    missing: list[str] = []

    def look() -> bool:
        missing[:] = [f"{host.name}: {line}" for host in lab.servers for line in lacking(lab, host)]
        return not missing

    try:
        wait(look, seconds, "the fleet is not well")
    except Problem as problem:
        raise Problem("\n".join([str(problem), *missing])) from None
    return wait_until_redundant(lab)


def load_balancer(lab: Lab) -> str | None:
    """The one that has the public address."""
    address = next(iter(lab.fleet.public_address.values()))
    found = [name for name in lab.members("load_balancers") if lab.exec(name, f"ip -oneline address show to {address} | grep -q .").ok]
    return found[0] if len(lab.members("load_balancers")) > 1 and found else None


def application(lab: Lab) -> str | None:
    found = [name for name in lab.members("applications") if name != load_balancer(lab)]
    return found[0] if len(lab.members("applications")) > 1 else None


def worker(lab: Lab) -> str | None:
    """One that encodes at this moment."""
    workers = lab.members("workers")
    if len(workers) < 2:
        return None
    return wait(lambda: next((name for name in workers if lab.exec(name, ENCODES).ok), None), 240, "no worker encodes")


def leader(lab: Lab) -> str | None:
    """The backend that leads says so in its log."""
    backends = lab.members("backends")
    found = [name for name in backends if lab.exec(name, LEADS).output.strip() == "this backend leads"]
    return found[-1] if len(backends) > 1 and found else None


def broker(lab: Lab) -> str | None:
    """The node that leads most queues."""
    backends = lab.members("backends")
    if len(backends) < 3:
        return None
    rows = service._json(lab.exec(backends[0], QUEUES, timeout=60).output) or []
    leads = [str(row.get("leader", "")).removeprefix("rabbit@").split(".")[0] for row in rows]
    return max(backends, key=leads.count)


def redis(lab: Lab) -> str | None:
    backends = lab.members("backends")
    if len(backends) < 3:
        return None
    for name in backends:
        said = lab.exec(name, ["sh", "-c", service.REDIS, "redis", backend_name(name)]).output
        if "role:master" in said:
            return name
    return None
