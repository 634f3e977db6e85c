"""What gets out of a compromised application or worker: root in its shell tries everything that attack.py knows, and what comes
out of the host's cables is seen where the cables end (tap.py), whatever the host itself believes.

Every packet from the host must be one that a flow permits, an answer to one, or how neighbours find each other. The last
is also a limit of what this proves: neighbour discovery by the kernel itself cannot be closed.

What no host firewall can stop is root who takes it away: by deleting the rules, by writing frames past them (AF_PACKET), by a
network of its own on the same cable (macvlan). Then only the other hosts' rules stand, and the studio's router to the world.
So those are measured too: with the host's output rules out of force, what of the others can be reached beyond its flows.
"""

import ipaddress
import itertools
import json
import random
import select
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lab.fleet import GATEWAY, Host
from lab.problem import Problem

from .figures import Figure, Options
from .hosts import Lab
from .probing import READY_SECONDS, Run, Witnesses
from .reach import End, Reach, load
from .segmentation import OTHER_PROTOCOLS, SAMPLED_PORTS, UDP_PORTS, public_address_holder

SECTION = "egress"
HERE = Path(__file__).resolve().parent
SECONDS = 600
FREE_NUMBER = 199
# Of documentation (RFC 5737, 3849), and resolvers that everybody knows.
WORLD = {
    "ipv4": ["203.0.113.53", "198.51.100.80", "8.8.8.8", "1.1.1.1", "169.254.169.254", "255.255.255.255", "224.0.0.251"],
    "ipv6": ["2001:db8:53::53", "2001:4860:4860::8888", "2606:4700:4700::1111"],
}
NEW_NETWORK = {"ipv4": ("203.0.113.0/24", "203.0.113.53"), "ipv6": ("2001:db8:53::/48", "2001:db8:53::53")}
TCP_PORTS = (21, 22, 25, 53, 80, 111, 123, 179, 389, 443, 445, 465, 587, 636, 853, 993, 1080, 1194, 2049, 3128, 3389, 5222, 8080, 8443, 9001, 9418)
# Neighbour solicitation, advertisement, multicast listener report: how neighbours find each other.
SOLICITATION, ADVERTISEMENT, LISTENER_REPORT = 135, 136, 143
AGAIN = "make lab-test ONLY=egress"


def measure(lab: Lab, options: Options) -> Iterable[Figure]:
    reach = load(lab.fleet, options.inventory, public_address_holder(lab))
    hosts = [host for host in lab.servers if {"applications", "workers"} & set(host.groups)]
    if options.sampled:
        hosts = [next(h for h in hosts if group in h.groups) for group in ("applications", "workers")]
        hosts = list({host.name: host for host in hosts}.values())
    for host in hosts:
        options.say(f"root on {host.name} tries to get out")
        yield from _attack(lab, reach, host)
    for host in hosts if len(lab.servers) > 1 else []:
        options.say(f"{host.name} without its own rules: what do the others stop")
        yield _without_own_rules(lab, reach, host)


def _attack(lab: Lab, reach: Reach, host: Host) -> Iterable[Figure]:
    run = Run(lab)
    order = _order(lab, reach, host, run)
    before = lab.packets_leaving()
    with _Tap(lab, host, run) as tap:
        result = lab.in_network_of(host.name, [sys.executable, "-B", str(HERE / "attack.py")], SECONDS, json.dumps(order))
        if not result.ok:
            raise Problem(f"the attack on {host.name} ended with {result.code}: {result.error.strip()[-800:]}")
        seen, lost = tap.testimony()
    tried = json.loads(result.output)["tried"]
    judge = _Judge(reach, host)
    escapes = [line for entry in seen if (line := judge.escape(*entry))]
    packets = sum(entry[-1] for entry in seen if judge.escape(*entry))
    what = f"{host.name}: packets that got out of it against the rules while root tried"
    yield Figure(SECTION, what, f"{packets} of {sum(tried.values()):,}", "0", packets == 0, AGAIN, sorted(escapes))
    kinds = ", ".join(f"{name} {count:,}" for name, count in tried.items())
    yield Figure(SECTION, f"{host.name}: packets tried, by kind", kinds, command=AGAIN)
    left = lab.packets_leaving() - before
    yield Figure(SECTION, f"{host.name}: packets that reached the router for the world outside", f"{left}", "0", left == 0, AGAIN)
    control, what = judge.permitted_and_marked, f"{host.name}: control, packets that a flow permits and the tap saw"
    if _opens_anything(reach, host):
        yield Figure(SECTION, what, f"{control}, lost {lost}", "> 0, lost 0", control > 0 and lost == 0, AGAIN)
    else:
        # The only host there is reaches nobody; that the tap sees is proven by neighbours finding each other.
        yield Figure(SECTION, f"{host.name}: control, packets that the tap saw", f"{sum(entry[-1] for entry in seen)}, lost {lost}", "> 0, lost 0", bool(seen) and lost == 0, AGAIN)


def _opens_anything(reach: Reach, host: Host) -> bool:
    """Whether a TCP flow leads from this host to another one."""
    others = [end for other in reach.fleet.hosts if other.name != host.name for end in reach.addresses(other)]
    return any(reach.allows(own, end, "tcp", port) for own in reach.addresses(host) for end in others for port in reach.ports("tcp"))


def _order(lab: Lab, reach: Reach, host: Host, run: Run) -> dict:
    """What attack.py is told: addresses of everything there is, and of the world."""
    own = reach.addresses(host)
    zones = [cable.zone for cable in host.interfaces]
    gateways = {zone.name: {f: a.split("/")[0] for f, a in zip(("ipv4", "ipv6"), zone.at(GATEWAY))} for zone in lab.fleet.zones}
    others = [end for other in lab.fleet.hosts if other.name != host.name for end in reach.addresses(other)]
    flows = reach.ports("tcp")
    neighbours = [end for end in others if end.zone in zones]
    spoofed = [
        (source.address, target.address)
        for source, target in itertools.permutations(neighbours, 2)
        if source.zone == target.zone and source.family == target.family and source.host != target.host
    ]
    spoofed += [(world, end.address) for end in neighbours for world in WORLD[end.family][:1]]
    targets = [end.address for end in others]
    targets += [gateway for pair in gateways.values() for gateway in pair.values()] + [a for family in WORLD.values() for a in family]
    targets += [str(ipaddress.ip_network(lab.fleet.zone(zone).ipv4).broadcast_address) for zone in zones]
    return {
        "word": run.word,
        "token": run.token,
        "sources": [end.address for end in own],
        "targets": targets,
        "tcp": sorted({*flows, *TCP_PORTS}),
        "udp": sorted({*UDP_PORTS, *reach.ports("udp"), 853}),
        "listening": flows,
        "spoofed": spoofed,
        "spoof_tcp": flows,
        "wire": [f"{address}%{cable.name}" for cable in host.interfaces for address in ("ff02::1", "ff02::2", "ff02::16", "ff02::fb", *_link_local(lab, host, cable.zone))],
        "new_addresses": _new_addresses(lab, host, neighbours),
        "new_routes": _new_routes(host, own, neighbours, gateways),
        "forwarded": [*WORLD["ipv4"][:4], *WORLD["ipv6"], *(end.address for end in neighbours)],
    }


def _link_local(lab: Lab, host: Host, zone: str) -> list[str]:
    """Link-local addresses of the neighbours on a wire."""
    found = []
    for other in lab.fleet.hosts:
        for cable in other.interfaces:
            if cable.zone == zone and other.name != host.name:
                listed = json.loads(lab.in_network_of(other.name, ["ip", "-json", "-6", "address", "show", "dev", cable.name, "scope", "link"]).output or "[]")
                found += [address["local"] for link in listed for address in link.get("addr_info", []) if address.get("local")]
    return found


def _new_addresses(lab: Lab, host: Host, neighbours: list[End]) -> list[dict]:
    found = []
    for cable in host.interfaces:
        for family, address in zip(("ipv4", "ipv6"), lab.fleet.zone(cable.zone).at(FREE_NUMBER)):
            plain, length = address.split("/")
            targets = [end.address for end in neighbours if (end.zone, end.family) == (cable.zone, family)]
            found.append({"address": plain, "length": length, "interface": cable.name, "targets": [*targets, WORLD[family][0]]})
    return found


def _new_routes(host: Host, own: list[End], neighbours: list[End], gateways: dict) -> list[dict]:
    found = []
    for cable in host.interfaces:
        for family in ("ipv4", "ipv6"):
            source = next(end for end in own if (end.zone, end.family) == (cable.zone, family))
            network, target = NEW_NETWORK[family]
            ways = [gateways[cable.zone][family]] + [end.address for end in neighbours if (end.zone, end.family) == (cable.zone, family)]
            found += [{"network": network, "target": target, "via": way, "interface": cable.name, "source": source.address} for way in ways]
    return found


class _Tap:
    """tap.py on the ends of a host's cables."""

    def __init__(self, lab: Lab, host: Host, run: Run) -> None:
        inner = json.loads(lab.in_network_of(host.name, ["ip", "-json", "link"]).output)
        outer = json.loads(subprocess.run(lab.control.inside(["ip", "-json", "link"]), capture_output=True, check=True).stdout)
        names = {link["ifindex"]: link["ifname"] for link in outer}
        wanted = {cable.name for cable in host.interfaces}
        cables = [names[link["link_index"]] for link in inner if link["ifname"] in wanted]
        if len(cables) != len(wanted):
            raise Problem(f"the ends of {host.name}'s cables are not found")
        self._order = {"cables": cables, "word": run.word, "token": run.token}
        self._command = lab.control.inside([sys.executable, "-B", str(HERE / "tap.py")])

    def __enter__(self) -> "_Tap":
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process.stdin.write(json.dumps(self._order) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], READY_SECONDS)
        if not ready or self._process.stdout.readline().strip() != "ready":
            self.__exit__()
            raise Problem("the tap on the cables did not start")
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()

    def testimony(self) -> tuple[list[list], int]:
        output, _ = self._process.communicate("", timeout=120)
        report = json.loads(output)
        return report["seen"], report["lost"]


class _Judge:
    """Which packets from a host are as they should be."""

    def __init__(self, reach: Reach, host: Host) -> None:
        self._reach, self._host = reach, host
        self._ends = {end.address: end for other in reach.fleet.hosts for end in reach.addresses(other)}
        self.permitted_and_marked = 0

    def escape(self, cable: str, protocol: str, source: str, target: str, first: int, second: int, marked: bool, count: int) -> str:
        """A line for a reader, or an empty string for what may go out."""
        if self._permitted(protocol, source, target, first, second, marked):
            self.permitted_and_marked += bool(marked) * count
            return ""
        ports = f" {first} → {second}" if protocol in ("tcp", "udp") else f" {first}"
        return f"{count} × {self._host.name} {source} → {target} {protocol}{ports}{'' if marked else ', not from the attack'}"

    def _permitted(self, protocol: str, source: str, target: str, first: int, second: int, marked: bool) -> bool:
        if protocol == "icmpv6" and not marked and first in (SOLICITATION, ADVERTISEMENT, LISTENER_REPORT):
            return True
        mine, theirs = self._ends.get(source), self._ends.get(target)
        if mine is None or theirs is None or mine.host != self._host.name:
            return False
        if protocol in ("tcp", "udp") and self._reach.allows(mine, theirs, protocol, second):
            return True
        if marked:
            return False
        if protocol in ("tcp", "udp"):
            return bool(self._reach.allows(theirs, mine, protocol, first))
        # Echo replies and errors about what came in: the kernel's own.
        return protocol in ("icmp", "icmpv6") and first in ((0, 3) if protocol == "icmp" else (129, 1, 3, 4))


def _without_own_rules(lab: Lab, reach: Reach, host: Host) -> Figure:
    ports = sorted({*reach.ports("tcp"), *random.sample(range(1, 65536), SAMPLED_PORTS)})
    kinds = [*(("udp", port) for port in sorted({*UDP_PORTS, *reach.ports("udp")})), ("echo", 0), *(("protocol", number) for number in OTHER_PROTOCOLS)]
    pairs = [
        (source, target)
        for other in lab.servers if other.name != host.name
        for target in reach.addresses(other)
        for source in reach.addresses(host) if source.family == target.family
    ]  # fmt: skip
    run = Run(lab)
    tasks = [{"id": str(n), "source": s.address, "target": t.address, "ports": ports} for n, (s, t) in enumerate(pairs)]
    tasks += [{**task, "others": kinds} for task in tasks]
    with _OpenOutput(lab, host.name), Witnesses(run, [other.name for other in lab.servers if other.name != host.name]) as witnesses:
        found = run.probe({host.name: tasks})
        arrived = witnesses.testimony()
    wrong, permitted = [], 0
    for task, seen in found.items():
        source, target = pairs[int(task)]
        for port in seen.answered():
            if _would_take(reach, source, target, "tcp", port):
                permitted += 1
            else:
                wrong.append(f"{source.address} → {target.host} {target.address} tcp {port}")
    ends = {end.address: end for pair in pairs for end in pair}
    for _, kind, number, source, target in sorted(arrived):
        if not _would_take(reach, ends[source], ends[target], *(("vrrp", None) if (kind, number) == ("protocol", 112) else (kind, number))):
            wrong.append(f"{source} → {target} {kind} {number}")
    sent = sum(seen.sent for seen in found.values())
    what = f"{host.name} without its own output rules: ports of other hosts that answer beyond the flows of its role"
    return Figure(SECTION, what, f"{len(wrong)} of {sent:,} tried; {permitted} that the flows permit", "0", not wrong and permitted > 0, AGAIN, wrong)


def _would_take(reach: Reach, source: End, target: End, protocol: str, port: int | None) -> bool:
    """Whether a flow permits it, with `anywhere` meaning this host too, as nothing of its own holds it back."""
    if reach.allows(source, target, protocol, port):
        return True
    anywhere = [flow for flow in reach.flows if "anywhere" in flow["from"] and (flow["protocol"], flow.get("port")) == (protocol, port)]
    groups = reach.fleet.host(target.host).groups
    return any(flow["zone"] == target.zone and set(flow["to"]) & set(groups) for flow in anywhere)


class _OpenOutput:
    """A host whose output rules let everything go. Only connections are followed: what it sends of other protocols shall not make
    the other host's packets answers, when that one is tried next."""

    RULE = "kinora lab: output open"
    UNFOLLOWED = """
        table inet kinora_lab_open {
            chain output { type filter hook output priority raw; meta l4proto != tcp notrack; }
        }
    """

    def __init__(self, lab: Lab, host: str) -> None:
        self._lab, self._host = lab, host

    def __enter__(self) -> None:
        rule = f'insert rule inet kinora output accept comment "{self.RULE}"'
        result = self._lab.exec(self._host, ["nft", "-f", "-"], stdin=f"{self.UNFOLLOWED}\n{rule}\n")
        if not result.ok:
            raise Problem(f"nft on {self._host}: {result.error.strip()}")

    def __exit__(self, *_) -> None:
        self._lab.exec(self._host, ["nft", "delete", "table", "inet", "kinora_lab_open"])
        listed = self._lab.exec(self._host, ["nft", "--json", "list", "chain", "inet", "kinora", "output"])
        for entry in json.loads(listed.output)["nftables"]:
            if entry.get("rule", {}).get("comment") == self.RULE:
                self._lab.exec(self._host, ["nft", "delete", "rule", "inet", "kinora", "output", "handle", str(entry["rule"]["handle"])])
