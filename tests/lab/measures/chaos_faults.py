"""What the measure `chaos` draws from: rows 1 to 6 of what the lab measures. Each is a small item: where there can be such a fault, whom it may hit, what it is.

Drawing looks at the inventory alone, so that the same seed gives the same faults on the same layout. Who is primary, or has the public address,
is found when its turn comes.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from lab import install

from . import faults, finding
from .at_work import wait_for_primary
from .hosts import Lab
from .install import run

# Group → names of its hosts.
Groups = dict[str, list[str]]
GROUPS = ("load_balancers", "applications", "backends", "databases", "workers")
ENGINES = ("etcd", "rabbitmq-server", "redis-server", "redis-sentinel")
CLOCKS = ("+300", "-300")
# Until the next fault, seconds from and to.
QUIET = (2.0, 8.0)


@dataclass(frozen=True)
class Target:
    """Whom a fault hits: a host, with the zone, the unit or the clock where that is drawn, too; no host is all of them."""

    host: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.host, self.detail))) or "all that have it"


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    name: str
    # How many hosts of which groups there must be, so that people can go on.
    least: dict[str, int]
    # Between whom it is drawn.
    targets: Callable[[Groups], list[Target]]
    # What it is, as a context in which it lasts.
    act: Callable[[Lab, Target], AbstractContextManager]
    # How long it lasts, seconds from and to.
    lasts: tuple[float, float] = (0.0, 0.0)
    # The host that plays a role at that moment, where it is not drawn.
    host: Callable[[Lab], str | None] | None = None


@dataclass(frozen=True)
class Drawn:
    """One fault of a sequence."""

    number: int
    fault: Fault = field(compare=False)
    name: str
    # Without a host where it is found when its turn comes.
    target: Target
    seconds: float
    quiet: float


def possible(groups: Groups) -> list[Fault]:
    """The faults that an inventory can have."""
    return [fault for fault in FAULTS if all(len(groups.get(group, [])) >= least for group, least in fault.least.items())]


def draw(seed: int, groups: Groups) -> Iterator[Drawn]:
    """Faults without end; the same ones for the same seed and inventory. The same may come twice in a row."""
    chance, among, number = random.Random(seed), possible(groups), 0
    while True:
        number += 1
        fault = _one(chance, among)
        target = _one(chance, fault.targets(groups))
        yield Drawn(number, fault, fault.name, target, round(chance.uniform(*fault.lasts), 1), round(chance.uniform(*QUIET), 1))


def _one(chance: random.Random, among: list):
    # Not `choice`: what it makes of a seed is not the same in all versions of Python.
    return among[int(chance.random() * len(among))]


def _members(group: str) -> Callable[[Groups], list[Target]]:
    return lambda groups: [Target(host) for host in groups[group]]


def _with(group: str, details: tuple[str, ...]) -> Callable[[Groups], list[Target]]:
    return lambda groups: [Target(host, detail) for host in groups[group] for detail in details]


def _somebody(groups: Groups) -> list[Target]:
    return [Target()]


def _cables(groups: Groups) -> list[Target]:
    """Each host's, in the zones through which it does its work. The storage's is none: there it is a mount of this machine."""
    edge = [Target(host, "edge") for host in groups["load_balancers"]]
    frontend = dict.fromkeys([*groups["load_balancers"], *groups["applications"]])
    backend = dict.fromkeys(host for group in ("applications", "backends", "databases", "workers") for host in groups[group])
    return [*edge, *(Target(host, "frontend") for host in frontend), *(Target(host, "backend") for host in backend)]


def _services(groups: Groups) -> list[Target]:
    """Each host that has one of Kinora's own services."""
    hosts = dict.fromkeys(host for group in ("applications", "backends", "workers") for host in groups[group])
    return [Target(host, clock) for host in hosts for clock in CLOCKS]


def _powerless(lab: Lab, target: Target) -> AbstractContextManager:
    return faults.without_power(lab, target.host)


def _once(act: Callable[[Lab, Target], object]) -> Callable[[Lab, Target], AbstractContextManager]:
    """What is over as soon as it is done."""

    @contextmanager
    def context(lab: Lab, target: Target) -> Iterator[None]:
        act(lab, target)
        yield

    return context


def _switchover(lab: Lab, target: Target) -> None:
    run(lab, install.on_controller(lab.control), lambda _: None, "switchover")


TWO, THREE, PLUG = {"databases": 2}, {"backends": 3}, (20.0, 40.0)
FAULTS: tuple[Fault, ...] = (
    Fault("kill -9 of PostgreSQL on the primary", TWO, _somebody, _once(lambda lab, target: faults.kill_postgresql(lab, target.host)), host=wait_for_primary),
    Fault("primary's host without power", TWO, _somebody, _powerless, PLUG, wait_for_primary),
    Fault("primary's host frozen", TWO, _somebody, lambda lab, target: faults.frozen(lab, target.host), (60.0, 60.0), wait_for_primary),
    Fault("planned switchover", TWO, _somebody, _once(_switchover), host=wait_for_primary),
    Fault("load balancer with the public address without power", {"load_balancers": 2}, _somebody, _powerless, PLUG, finding.load_balancer),
    Fault("application's host without power", {"applications": 2}, _members("applications"), _powerless, PLUG),
    Fault("worker in the middle of an encode without power", {"workers": 2}, _somebody, _powerless, PLUG, finding.worker),
    Fault("backend that leads without power", THREE, _somebody, _powerless, PLUG, finding.leader),
    Fault("node of RabbitMQ that leads most queues without power", THREE, _somebody, _powerless, PLUG, finding.broker),
    Fault("primary of Redis without power", THREE, _somebody, _powerless, PLUG, finding.redis),
    Fault("any backend without power", THREE, _members("backends"), _powerless, PLUG),
    Fault("kill -9 of an engine on any backend", THREE, _with("backends", ENGINES), _once(lambda lab, target: faults.kill_unit(lab, target.host, target.detail))),
    Fault("host cut off from a zone", {"load_balancers": 2, "applications": 2, "workers": 2, **TWO, **THREE}, _cables, lambda lab, target: faults.cut(lab, target.host, target.detail), PLUG),
    Fault("storage path gone", {}, _somebody, lambda lab, target: faults.storage_gone(lab), (60.0, 60.0)),
    Fault("disk full on a database", TWO, _members("databases"), lambda lab, target: faults.database_full(lab, target.host), PLUG),
    Fault("disk full on a broker", {}, _members("backends"), lambda lab, target: faults.broker_full(lab, target.host), PLUG),
    Fault("disk full on staging", {}, _somebody, lambda lab, target: faults.storage_full(lab), PLUG),
    Fault("clock off by 5 minutes", {}, _services, lambda lab, target: faults.clock_off(lab, target.host, target.detail), (30.0, 60.0)),
)
