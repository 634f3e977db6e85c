"""Every ordered pair of hosts against the matrix of `reach`: all TCP ports, the UDP ports of any use, echo, VRRP, other protocols.

Sources are the servers, the controller, the client and an outsider in each zone; targets are the servers' addresses, and for
servers as sources also the others'. A port counts as open when the target's own stack answers, listened to or not: so it is
the firewalls that are tested. Beyond the address that a host would speak from, each of a server's addresses is tried as
the source, link-local addresses as the target, and, from the outsiders, a way through the target into its other zones.
"""

import itertools
import json
import random
import time
from collections.abc import Iterable

from lab.fleet import Host
from lab.problem import Problem

from .figures import Figure, Options
from .hosts import Lab
from .probing import Run, Seen, Witnesses
from .reach import ECHO, End, Reach, load

SECTION = "segmentation"
MINUTES = 15
SAMPLED_PORTS = 300
TRIES = 3
# Services that are usual on a network, besides the fleet's own: names, time, booting, management, tunnels, files.
UDP_PORTS = [
    *(7, 19, 53, 67, 68, 69, 88, 111, 123, 137, 138, 161, 162, 319, 320, 323, 389, 443, 464, 500, 514, 520, 546, 547, 623, 631),
    *(1194, 1434, 1645, 1812, 1900, 2049, 3478, 3702, 4500, 4789, 5060, 5351, 5353, 5355, 6081, 6343, 8472, 11211, 51820),
]
OTHER_PROTOCOLS = (4, 41, 47, 50, 112, 132)
VRRP = 112

Key = tuple[End, End]


def measure(lab: Lab, options: Options) -> Iterable[Figure]:
    began = time.monotonic()
    reach = load(lab.fleet, options.inventory, public_address_holder(lab))
    control = _Control(lab, options.sampled)
    yield control.figure()
    # Loss on the way shall not look like a closed port, so the prober proves itself before it is believed.
    plan = Plan(lab, reach, options.sampled)
    options.say(f"{len(plan.tcp)} pairs of addresses for TCP, {len(plan.others)} for other protocols")
    run = Run(lab)
    with Witnesses(run, [host.name for host in lab.fleet.hosts]) as witnesses:
        found = run.probe(plan.tasks(lab), options.say)
        testimony = witnesses.testimony()
    judged = Judgement(plan, reach)
    judged.tcp({plan.tcp[int(task)]: seen for task, seen in found.items()})
    judged.others(testimony)
    _try_again(lab, plan, judged)
    _try_others_again(lab, plan, judged)
    through = _through_targets(lab, plan, judged)
    minutes = (time.monotonic() - began) / 60

    probes = sum(seen.sent + seen.stopped for seen in [*found.values(), *through]) + len(plan.others) * len(plan.kinds)
    aims = len({pair[1].address for pair in plan.tcp})
    again = "make lab-test ONLY=segmentation"
    ports = f"{len(plan.ports)} TCP ports" if plan.ports else "all 65,535 TCP ports"
    yield Figure(SECTION, f"probes: {len(plan.sources)} hosts as sources, {aims} addresses, {ports}, {len(plan.kinds)} others", f"{probes:,}", command=again)
    yield Figure(SECTION, "unexpected open", f"{len(judged.open)}", "0", not judged.open, again, judged.open)
    yield Figure(SECTION, "unexpected closed", f"{len(judged.closed)} of {judged.expected}", "0", not judged.closed, again, judged.closed)
    # A sampled run looks whether it holds, on a machine of which nothing is known.
    goal, reached = ("", None) if options.sampled else (f"≤ {MINUTES} min", minutes <= MINUTES)
    yield Figure(SECTION, "time of the whole measure", f"{minutes:.1f} min", goal, reached, again)
    silent = sorted({f"{name} of {target.host} by {target.family}" for target, name in judged.refused})
    said = f"{len(silent)}" + (f": {', '.join(silent)}" if silent else "")
    yield Figure(SECTION, "permitted services where nobody listens", said, command=again)
    trouble = {text for seen in found.values() for text in seen.trouble if text != "EPERM"}
    if trouble:
        options.say(f"errors while sending: {', '.join(sorted(trouble))}")


def public_address_holder(lab: Lab) -> str:
    """The load balancer that has the public address now."""
    for name in lab.members("load_balancers"):
        listed = json.loads(lab.exec(name, ["ip", "-json", "address", "show"]).output or "[]")
        own = {address["local"] for link in listed for address in link.get("addr_info", [])}
        if own.intersection(lab.fleet.public_address.values()):
            return name
    raise Problem("no load balancer has the public address; is the fleet installed?")


class Plan:
    """Which packets go from where to where."""

    def __init__(self, lab: Lab, reach: Reach, sampled: bool) -> None:
        self.reach = reach
        used = reach.ports("tcp")
        self.few = sorted({*used, *random.sample(range(1, 65536), SAMPLED_PORTS)})
        self.ports: list[int] | None = self.few if sampled else None
        udp = sorted({*UDP_PORTS, *reach.ports("udp"), *used})
        self.kinds = [*(("udp", port) for port in udp), ("echo", 0), *(("protocol", number) for number in OTHER_PROTOCOLS)]
        self.sources = lab.fleet.hosts
        self.tcp: list[Key] = []
        self.others: list[Key] = []
        self._extra: dict[Key, dict] = {}
        for source, target in itertools.permutations(lab.fleet.hosts, 2):
            if "server" in (source.kind, target.kind):
                self._add_pair(source, target)
        self._add_link_local(lab)

    def _add_pair(self, source: Host, target: Host) -> None:
        own = self.reach.addresses(source)
        for end in self.reach.addresses(target):
            natural = self.reach.natural_source(source, end)
            if natural is None:
                continue
            self._add(natural, end, {"ports": self.ports})
            if source.kind == target.kind == "server":
                for other in own:
                    if other.family == end.family and other != natural:
                        self._add(other, end, {"ports": self.reach.ports("tcp")}, others=False)

    def _add_link_local(self, lab: Lab) -> None:
        """fe80::… of each cable, from every host on the same wire."""
        wire: dict[str, list[tuple[str, End, str]]] = {}
        for host in lab.fleet.hosts:
            listed = json.loads(lab.in_network_of(host.name, ["ip", "-json", "-6", "address", "show", "scope", "link"]).output or "[]")
            names = {cable.name: cable.zone for cable in host.interfaces}
            for link in listed:
                for address in link.get("addr_info", []):
                    if link.get("ifname") in names and address.get("local"):
                        zone = names[link["ifname"]]
                        wire.setdefault(zone, []).append((link["ifname"], End(host.name, f"{zone} link", address["local"]), host.kind))
        for ends in wire.values():
            for (interface, source, kind), (_, target, target_kind) in itertools.permutations(ends, 2):
                if "server" in (kind, target_kind):
                    self._add(source, target, {"ports": self.few, "interface": interface})

    def _add(self, source: End, target: End, extra: dict, others: bool = True) -> None:
        self.tcp.append((source, target))
        self._extra[source, target] = extra
        if others:
            self.others.append((source, target))

    def tasks(self, lab: Lab) -> dict[str, list[dict]]:
        """Source host → what its probe is told."""
        found: dict[str, list[dict]] = {host.name: [] for host in self.sources}
        for number, pair in enumerate(self.tcp):
            found[pair[0].host].append(self.task(str(number), pair))
        for number, pair in enumerate(self.others):
            found[pair[0].host].append({**self.task(f"o{number}", pair), "others": self.kinds})
        return found

    def task(self, name: str, pair: Key) -> dict:
        source, target = pair
        return {"id": name, "source": source.address, "target": target.address, **self._extra[pair]}

    def tried(self, pair: Key) -> list[int]:
        return self._extra[pair]["ports"] or []


class Judgement:
    """What was found against what the matrix says."""

    def __init__(self, plan: Plan, reach: Reach) -> None:
        self._plan, self._reach = plan, reach
        self.expected = 0
        # To be tried again: TCP ports by pair.
        self.surplus: dict[Key, set[int]] = {}
        self.missing: dict[Key, set[int]] = {}
        # The same for packets of other protocols.
        self.unheard: dict[Key, set[tuple[str, int]]] = {}
        self.open: list[str] = []
        self.closed: list[str] = []
        self.refused: set[tuple[End, str]] = set()

    def tcp(self, found: dict[Key, Seen]) -> None:
        for pair, seen in found.items():
            wanted = self.wanted(pair)
            answered = seen.answered()
            self.expected += len(wanted)
            if answered - wanted:
                self.surplus[pair] = answered - wanted
            if wanted - answered:
                self.missing[pair] = wanted - answered
            for port in wanted & answered - seen.open:
                self.refused.add((pair[1], self._reach.allows(*pair, "tcp", port)))

    def wanted(self, pair: Key) -> set[int]:
        return {port for port in self._reach.ports("tcp") if self._reach.allows(*pair, "tcp", port)}

    def others(self, testimony: set) -> None:
        for source, target in self._plan.others:
            arrived = _arrived(testimony, source, target)
            for kind, number in self._plan.kinds:
                wanted = self.permits(source, target, kind, number)
                came = (kind, number) in arrived
                self.expected += bool(wanted)
                if came and not wanted:
                    self.open.append(f"{_way(source, target)} {_named(kind, number)} arrives, and no flow says so")
                if wanted and not came:
                    self.unheard.setdefault((source, target), set()).add((kind, number))

    def permits(self, source: End, target: End, kind: str, number: int) -> str:
        if kind == "protocol":
            return self._reach.allows(source, target, "vrrp", None) if number == VRRP else ""
        return self._reach.allows(source, target, kind, number if kind == "udp" else None)


def _try_again(lab: Lab, plan: Plan, judged: Judgement) -> None:
    """Nothing is told that was seen only once: an unexpected answer is asked for again, a missing one up to three times."""
    for number in range(TRIES):
        pairs = list({**judged.surplus, **judged.missing})
        if not pairs:
            break
        tasks: dict[str, list[dict]] = {}
        for index, pair in enumerate(pairs):
            ports = sorted(judged.surplus.get(pair, set()) | judged.missing.get(pair, set()))
            tasks.setdefault(pair[0].host, []).append({**plan.task(str(index), pair), "ports": ports})
        for task, seen in Run(lab).probe(tasks).items():
            pair, answered = pairs[int(task)], seen.answered()
            judged.missing[pair] = judged.missing.get(pair, set()) - answered
            judged.surplus[pair] = judged.surplus.get(pair, set()) & answered
        judged.missing = {pair: ports for pair, ports in judged.missing.items() if ports}
        judged.surplus = {pair: ports for pair, ports in judged.surplus.items() if ports}
    for (source, target), ports in judged.surplus.items():
        judged.open += [f"{_way(source, target)} tcp {_short(ports)}: the target answers, and no flow says so"]
    for (source, target), ports in judged.missing.items():
        flows = ", ".join(judged._reach.allows(source, target, "tcp", port) for port in sorted(ports))
        judged.closed += [f"{_way(source, target)} tcp {_short(ports)}: no answer, and `{flows}` says there should be one"]


def _try_others_again(lab: Lab, plan: Plan, judged: Judgement) -> None:
    """A packet without an answer of its own may be lost where a neighbour was not known yet: so it is sent up to three times more."""
    for _ in range(TRIES):
        if not judged.unheard:
            return
        tasks: dict[str, list[dict]] = {}
        for index, (pair, kinds) in enumerate(judged.unheard.items()):
            tasks.setdefault(pair[0].host, []).append({**plan.task(str(index), pair), "others": sorted(kinds)})
        run = Run(lab)
        with Witnesses(run, sorted({target.host for _, target in judged.unheard})) as witnesses:
            run.probe(tasks)
            testimony = witnesses.testimony()
        left = {pair: kinds - _arrived(testimony, *pair) for pair, kinds in judged.unheard.items()}
        judged.unheard = {pair: kinds for pair, kinds in left.items() if kinds}
    for (source, target), kinds in judged.unheard.items():
        for kind, number in sorted(kinds):
            flow = judged.permits(source, target, kind, number)
            judged.closed.append(f"{_way(source, target)} {_named(kind, number)} does not arrive, and `{flow}` says it should")


def _arrived(testimony: set, source: End, target: End) -> set[tuple[str, int]]:
    """What a witness at the target saw of one pair of addresses."""
    return {(kind, number) for host, kind, number, sender, receiver in testimony if (host, sender, receiver) == (target.host, source.address, target.address)}


def _through_targets(lab: Lab, plan: Plan, judged: Judgement) -> list[Seen]:
    """From each outsider through a server on its own wire to that server's addresses in other zones: no flow permits any."""
    run, routes, tasks, pairs = Run(lab), {}, {}, {}
    for outsider in (host for host in lab.fleet.hosts if host.kind == "outsider"):
        zone = outsider.interfaces[0].zone
        for server in (host for host in lab.servers if zone in [cable.zone for cable in host.interfaces]):
            for end in plan.reach.addresses(server):
                if end.zone != zone:
                    length = 128 if end.family == "ipv6" else 32
                    routes.setdefault(outsider.name, []).append(f"{end.address}/{length} via {server.address(zone, end.family)}")
                    pair = (End(outsider.name, zone, outsider.address(zone, end.family)), End(server.name, f"{end.zone} through {zone}", end.address))
                    task = {"id": str(len(pairs)), "source": pair[0].address, "target": end.address, "ports": plan.few}
                    tasks.setdefault(outsider.name, []).extend([task, {**task, "others": plan.kinds}])
                    pairs[task["id"]] = pair
    set_routes(lab, "add", routes)
    try:
        with Witnesses(run, [host.name for host in lab.servers]) as witnesses:
            found = run.probe(tasks)
            arrived = witnesses.testimony()
    finally:
        set_routes(lab, "delete", routes)
    for task, seen in found.items():
        if seen.answered():
            judged.open.append(f"{_way(*pairs[task])}, through its own other zone, tcp {_short(seen.answered())}: the target answers")
    judged.open += [f"{source} → {host} {target}, through its own other zone, {_named(kind, number)} arrives" for host, kind, number, source, target in sorted(arrived)]
    return list(found.values())


def set_routes(lab: Lab, verb: str, routes: dict[str, list[str]]) -> None:
    """Adds or deletes routes on hosts of the lab's own."""
    for host, lines in routes.items():
        result = lab.in_network_of(host, ["ip", "-force", "-batch", "-"], stdin="".join(f"route {verb} {line}\n" for line in lines))
        if verb == "add" and not result.ok:
            raise Problem(f"routes on {host}: {result.error.strip()}")


class _Control:
    """The prober tried where everything is known: on the client, which has no firewall but the one rule made here."""

    def __init__(self, lab: Lab, sampled: bool) -> None:
        self._lab = lab
        sources = [host for host in lab.fleet.hosts if host.kind not in ("server", "client")]
        self._sources = sources[:2] if sampled else sources
        self._wrong: list[str] = []
        self._count = 0
        heard, lost = random.sample(range(30000, 60000), 2)
        rules = f"""
            table inet kinora_probe_control {{
                chain input {{
                    type filter hook input priority 0; policy accept;
                    tcp dport {lost} drop
                    udp dport {lost} drop
                }}
            }}
        """
        self._nft("-f", "-", stdin=rules)
        try:
            self._probe(heard, lost)
        finally:
            self._nft("delete", "table", "inet", "kinora_probe_control")

    def figure(self) -> Figure:
        what = "the prober itself: all 65,535 ports of a host without a firewall, one listening, one lost"
        value = f"{self._count - len(self._wrong)} of {self._count} right"
        return Figure(SECTION, what, value, "all", self._count > 0 and not self._wrong, "make lab-test ONLY=segmentation", self._wrong)

    def _probe(self, heard: int, lost: int) -> None:
        client = self._lab.fleet.host("client")
        run = Run(self._lab)
        tasks: dict[str, list[dict]] = {}
        for source in self._sources:
            for family in ("ipv4", "ipv6"):
                aim = {"source": source.address(source.interfaces[0].zone, family), "target": client.address("edge", family)}
                aims = [{"id": f"{source.name} {family}", **aim}, {"id": "", **aim, "others": [("udp", heard), ("udp", lost)]}]
                tasks.setdefault(source.name, []).extend(aims)
        with Witnesses(run, ["client"], {"client": heard}) as witnesses:
            found = run.probe(tasks)
            seen_udp = {(source, port) for _, _, port, source, _ in witnesses.testimony()}
        for name, seen in found.items():
            self._count += 1
            unheard = set(range(1, 65536)) - seen.answered()
            if unheard != {lost} or heard not in seen.open or lost in seen.answered():
                self._wrong.append(f"{name}: {len(seen.open)} open, {len(unheard)} without an answer instead of one ({_short(unheard)})")
        for aims in tasks.values():
            for aim in aims:
                if "others" in aim:
                    self._count += 1
                    if {(aim["source"], heard), (aim["source"], lost)} & seen_udp != {(aim["source"], heard)}:
                        self._wrong.append(f"UDP from {aim['source']}: the witness should have seen {heard}, and not {lost}")

    def _nft(self, *arguments: str, stdin: str | None = None) -> None:
        result = self._lab.in_network_of("client", ["nft", *arguments], stdin=stdin)
        if not result.ok:
            raise Problem(f"nft on the client: {result.error.strip()}")


def _way(source: End, target: End) -> str:
    return f"{source.host} {source.address} → {target.host} {target.address}"


def _named(kind: str, number: int) -> str:
    return ECHO if kind == "echo" else f"{kind} {number}"


def _short(numbers: set[int]) -> str:
    listed = sorted(numbers)
    return ", ".join(map(str, listed[:12])) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
