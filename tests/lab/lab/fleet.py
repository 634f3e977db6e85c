"""Which hosts, zones and addresses a lab has.

Everything about the studio's servers comes from the same Ansible inventory that installs them. The lab adds
what a studio has around them: the controller, a client, an outsider in each zone, and a gateway.
Interface names differ from host to host on purpose: nothing may be guessed from their order.
"""

import hashlib
import ipaddress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .problem import Problem

# Where the lab's own hosts sit in each zone, as the last part of the address.
CONTROLLER = 2
CLIENT = 200
OUTSIDER = 250
GATEWAY = 254

# Zones in the order in which one is chosen for the default route.
ROUTE_ZONES = ("edge", "management", "backend", "frontend", "storage")

STORAGE_PATH = "/srv/kinora"
BACKUP_PATH = "/srv/kinora-backup"

INTERFACE_STYLES = ("eno{}", "enp{}s0", "ens{}", "eth{}", "enp1s0f{}", "enx0242ac1100{:02x}")


@dataclass
class Interface:
    """One cable of a host. Addresses are written with their prefix: `10.61.10.11/24`."""

    zone: str
    name: str
    mac: str
    ipv4: str
    ipv6: str


@dataclass
class Host:
    """A host of the lab. `kind` is server, controller, client, outsider; it decides the root it gets."""

    name: str
    kind: str
    groups: list[str] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    # Host path under the lab's state → path inside the host.
    binds: dict[str, str] = field(default_factory=dict)
    # The zone whose gateway gets packets for unknown addresses.
    route_zone: str = ""

    @property
    def boots(self) -> bool:
        """Whether it runs a system of its own; an outsider is only a root shell on a cable."""
        return self.kind != "outsider"

    @property
    def management(self) -> str:
        """The address SSH goes to, or an empty string."""
        for interface in self.interfaces:
            if interface.zone == "management":
                return interface.ipv4.split("/")[0]
        return ""

    def address(self, zone: str, family: str = "ipv4") -> str:
        """Its address in a zone, without the prefix."""
        for interface in self.interfaces:
            if interface.zone == zone:
                return getattr(interface, family).split("/")[0]
        raise KeyError(f"{self.name} has no address in {zone}")


@dataclass
class Zone:
    """A network of its own: a bridge in the lab."""

    name: str
    ipv4: str
    ipv6: str

    def at(self, number: int) -> tuple[str, str]:
        """The pair of addresses with this number in the zone, each with its prefix."""
        result = []
        # 200 is written ::200, so that both families read alike.
        for network, offset in ((self.ipv4, number), (self.ipv6, int(str(number), 16))):
            parsed = ipaddress.ip_network(network)
            result.append(f"{parsed[offset]}/{parsed.prefixlen}")
        return result[0], result[1]


@dataclass
class Fleet:
    """All of a lab, as plain data: what is booted is compared with it to see what changed."""

    layout: str
    public_name: str
    public_address: dict[str, str]
    zones: list[Zone]
    hosts: list[Host]

    def host(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        raise Problem(f"no host {name} in this lab; there are: {', '.join(h.name for h in self.hosts)}")

    def zone(self, name: str) -> Zone:
        return next(zone for zone in self.zones if zone.name == name)

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(data: dict) -> "Fleet":
        hosts = [Host(**{**h, "interfaces": [Interface(**i) for i in h["interfaces"]]}) for h in data["hosts"]]
        return Fleet(**{**data, "zones": [Zone(**z) for z in data["zones"]], "hosts": hosts})


def load(inventory: Path, layout: str) -> Fleet:
    """Reads an inventory and adds the lab's own hosts."""
    data = _read_yaml(inventory)
    everything = data.get("all") or {}
    variables = everything.get("vars") or {}
    hosts, groups = _hosts_and_groups(everything)
    try:
        zones = [Zone(name, str(z["ipv4"]), str(z["ipv6"])) for name, z in variables["kinora_zones"].items()]
        public_name = str(variables["kinora_public_name"])
        public_address = {k: str(v) for k, v in variables["kinora_public_address"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise Problem(f"{inventory}: all.vars lacks {error}; see ansible/inventories/full/hosts.yml") from error

    fleet = Fleet(layout, public_name, public_address, zones, [])
    networks = {zone.name: zone for zone in zones}
    for name, own in hosts.items():
        member_of = [group for group, members in groups.items() if name in members]
        host = Host(name, "server", member_of)
        for number, (zone, addresses) in enumerate((own.get("kinora_addresses") or {}).items()):
            if zone not in networks:
                raise Problem(f"{inventory}: {name} has an address in zone {zone}, which kinora_zones does not list")
            _plug(host, networks[zone], number, str(addresses["ipv4"]), str(addresses["ipv6"]))
        if not host.management:
            raise Problem(f"{inventory}: {name} has no kinora_addresses.management, so nothing can reach it by SSH")
        host.binds = _binds(member_of, {**variables, **own})
        fleet.hosts.append(host)
    fleet.hosts.extend(_surroundings(zones))
    for host in fleet.hosts:
        present = [interface.zone for interface in host.interfaces]
        host.route_zone = next((zone for zone in ROUTE_ZONES if zone in present), present[0])
    _check(fleet, inventory)
    return fleet


def _surroundings(zones: list[Zone]) -> list[Host]:
    result = []
    names = [zone.name for zone in zones]
    for name, kind, zone_name, number in (
        ("control", "controller", "management", CONTROLLER),
        ("client", "client", "edge", CLIENT),
        *((f"outsider-{zone}", "outsider", zone, OUTSIDER) for zone in names),
    ):
        if zone_name not in names:
            raise Problem(f"kinora_zones lacks {zone_name}; the lab needs it for {name}")
        zone = next(z for z in zones if z.name == zone_name)
        host = Host(name, kind)
        ipv4, ipv6 = (address.split("/")[0] for address in zone.at(number))
        _plug(host, zone, 0, ipv4, ipv6)
        result.append(host)
    return result


def _plug(host: Host, zone: Zone, number: int, ipv4: str, ipv6: str) -> None:
    """Adds a cable. Name and MAC follow from host and zone, so that they stay when the lab is booted anew."""
    seed = hashlib.sha256(host.name.encode()).digest()
    style = INTERFACE_STYLES[seed[0] % len(INTERFACE_STYLES)]
    # A stride of 3, 5 or 7 modulo 11 never meets itself within ten cables, and is not in the zones' order.
    slot = (seed[1] + number * (3, 5, 7)[seed[2] % 3]) % 11
    mac = hashlib.sha256(f"{host.name}/{zone.name}".encode()).digest()
    host.interfaces.append(
        Interface(
            zone.name,
            style.format(slot),
            "02:" + ":".join(f"{byte:02x}" for byte in mac[:5]),
            f"{ipv4}/{ipaddress.ip_network(zone.ipv4).prefixlen}",
            f"{ipv6}/{ipaddress.ip_network(zone.ipv6).prefixlen}",
        )
    )


def _binds(groups: list[str], variables: dict) -> dict[str, str]:
    """The NAS: one directory of the lab, seen by all hosts that would mount it."""
    result = {}
    if "applications" in groups or "workers" in groups:
        result["nas/media"] = str(variables.get("kinora_storage_path", STORAGE_PATH))
    if "backup_repository" in groups:
        result["nas/backup"] = str(variables.get("kinora_backup_path", BACKUP_PATH))
    return result


def _check(fleet: Fleet, inventory: Path) -> None:
    seen: dict[str, str] = {}
    for host in fleet.hosts:
        for interface in host.interfaces:
            zone = fleet.zone(interface.zone)
            for address, network in ((interface.ipv4, zone.ipv4), (interface.ipv6, zone.ipv6)):
                plain = address.split("/")[0]
                if ipaddress.ip_address(plain) not in ipaddress.ip_network(network):
                    raise Problem(f"{inventory}: {host.name}'s address {plain} is not in zone {zone.name} ({network})")
                if plain in seen:
                    raise Problem(f"{inventory}: {plain} belongs to both {seen[plain]} and {host.name}")
                seen[plain] = host.name


def _hosts_and_groups(everything: dict) -> tuple[dict[str, dict], dict[str, set[str]]]:
    hosts: dict[str, dict] = {}
    groups: dict[str, set[str]] = {}

    def visit(name: str, group: dict | None, above: list[str]) -> None:
        group = group or {}
        path = above if name == "all" else [*above, name]
        for host, variables in (group.get("hosts") or {}).items():
            hosts.setdefault(host, {}).update(variables or {})
            for parent in path:
                groups.setdefault(parent, set()).add(host)
        for child, below in (group.get("children") or {}).items():
            visit(child, below, path)

    visit("all", everything, [])
    return hosts, groups


def _read_yaml(path: Path) -> dict:
    try:
        import yaml
    except ImportError as error:
        raise Problem("python3-yaml is missing; run packaging/bootstrap lab") from error
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise Problem(f"cannot read the inventory {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise Problem(f"{path} is not YAML: {error}") from error
