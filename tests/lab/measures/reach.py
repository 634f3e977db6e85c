"""Who may reach what: derived from the inventory and `ansible/flows.yml` alone, without a look at the firewall's rules.

A server opens only what a flow says of its groups, from its own address in the flow's zone, to the target's address in
that zone. `anywhere` and `admin_networks` are hosts that are not the installation's. A packet must come in where its
sender is reached: a host with a cable in the sender's zone does not take its packets from another one.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.fleet import Fleet, Host
from lab.paths import PROJECT
from lab.problem import Problem

FLOWS = PROJECT / "ansible/flows.yml"
FAMILIES = ("ipv4", "ipv6")

# Not in the list of flows, because no service is behind it: administrators may see whether a host is there.
ECHO = "echo"


@dataclass(frozen=True)
class End:
    """One address of one host."""

    host: str
    zone: str
    address: str

    @property
    def family(self) -> str:
        return "ipv6" if ":" in self.address else "ipv4"


class Reach:
    """The matrix of one fleet."""

    def __init__(self, fleet: Fleet, inventory: dict, flows: list[dict], holder: str = "") -> None:
        """`inventory` is all.vars; `holder` the load balancer that has the public address now."""
        self.fleet, self.flows, self.holder = fleet, flows, holder
        admin = inventory.get("kinora_admin_networks") or {}
        self._admin = [ipaddress.ip_network(str(n)) for family in FAMILIES for n in admin.get(family) or []]
        self._egress = [*(inventory.get("kinora_egress") or []), *_mail(inventory.get("kinora_mail") or {}), *_audit_target(inventory.get("kinora_audit_target") or {}),
                        *_alerts(inventory.get("kinora_alerts") or {}),
                        *_named(inventory.get("kinora_identity_providers") or [], inventory.get("kinora_storage_s3") or {}),
                        *_s3("backup-copy-s3", ["backup_repository"], (inventory.get("kinora_backup_copy") or {}).get("s3")),
                        *_s3("media-copy-s3", ["applications"], (inventory.get("kinora_media_copy") or {}).get("s3"))]
        self._hosts = {host.name: host for host in fleet.hosts}
        self._addresses = {end.address: end for host in fleet.hosts for end in self.addresses(host)}

    def addresses(self, host: Host) -> list[End]:
        """Every address of a host, the public one with its holder."""
        found = [End(host.name, cable.zone, getattr(cable, family).split("/")[0]) for cable in host.interfaces for family in FAMILIES]
        if host.name == self.holder:
            own = {end.address for end in found}
            found += [End(host.name, "edge", address) for address in self.fleet.public_address.values() if address not in own]
        return found

    def natural_source(self, host: Host, target: End) -> End | None:
        """The address a host speaks from to a target: the one in the target's zone, else that of its default route."""
        present = {cable.zone for cable in host.interfaces}
        zone = target.zone if target.zone in present else host.route_zone
        return next((e for e in self.addresses(host) if (e.zone, e.family) == (zone, target.family)), None)

    def allows(self, source: End, target: End, protocol: str, port: int | None) -> str:
        """The name of the flow that permits it, or an empty string."""
        if target.host not in self._hosts or source.host == target.host:
            return ""
        if self._hosts[target.host].kind != "server":
            return self._egress_of(source, target, protocol, port)
        if not self._comes_in_rightly(source, target):
            return ""
        if protocol == ECHO:
            return ECHO if target.zone == "management" and self._is_administrator(source) else ""
        for flow in self.flows:
            if flow["protocol"] == protocol and flow.get("port") == port and self._flow_allows(flow, source, target):
                return flow["name"]
        return ""

    def ports(self, protocol: str) -> list[int]:
        """Every port of any flow over a protocol."""
        return sorted({flow["port"] for flow in self.flows if flow["protocol"] == protocol})

    def _flow_allows(self, flow: dict, source: End, target: End) -> bool:
        if target.zone != flow["zone"] or not self._is_in(target.host, flow["to"]):
            return False
        if self._hosts[source.host].kind == "server":
            return source.zone == flow["zone"] and self._is_in(source.host, flow["from"])
        if "anywhere" in flow["from"]:
            return True
        return "admin_networks" in flow["from"] and self._is_administrator(source)

    def _is_in(self, host: str, groups: list[str]) -> bool:
        own = {*self._hosts[host].groups, "every_host"}
        return bool(own.intersection(groups))

    def _is_administrator(self, source: End) -> bool:
        address = ipaddress.ip_address(source.address)
        return self._hosts[source.host].kind != "server" and any(address in network for network in self._admin)

    def _comes_in_rightly(self, source: End, target: End) -> bool:
        address = ipaddress.ip_address(source.address)
        host = self._hosts[target.host]
        for cable in host.interfaces:
            zone = self.fleet.zone(cable.zone)
            if address in ipaddress.ip_network(zone.ipv4 if address.version == 4 else zone.ipv6):
                return cable.zone == target.zone
        return target.zone == host.route_zone

    def _egress_of(self, source: End, target: End, protocol: str, port: int | None) -> str:
        address = ipaddress.ip_address(target.address)
        for entry in self._egress:
            networks = [ipaddress.ip_network(str(n), strict=False) for n in entry["to"]]
            if entry["protocol"] == protocol and entry["port"] == port and any(address in network for network in networks):
                if self._hosts[source.host].kind == "server" and self._is_in(source.host, entry["groups"]):
                    return entry["name"]
        return ""


def _mail(mail: dict) -> list[dict]:
    """What `kinora_mail` permits, in the form of kinora_egress: the backends reach the relay."""
    if not mail.get("relay"):
        return []
    port = mail.get("port") or (465 if mail.get("tls") == "implicit" else 587)
    return [{"name": "mail", "groups": ["backends"], "protocol": "tcp", "port": port, "to": [mail["address"]]}]


def _audit_target(target: dict) -> list[dict]:
    """What `kinora_audit_target` permits: the backends reach the log collector."""
    if not target.get("name"):
        return []
    return [{"name": "audit-target", "groups": ["backends"], "protocol": "tcp", "port": target.get("port") or 6514, "to": [target["address"]]}]


def _alerts(alerts: dict) -> list[dict]:
    """What the webhook of `kinora_alerts` permits: the backends reach whoever is told."""
    webhook = alerts.get("webhook") or {}
    if not webhook.get("url"):
        return []
    return [{"name": "alerts", "groups": ["backends"], "protocol": "tcp", "port": urlsplit(webhook["url"]).port or 443, "to": [webhook["address"]]}]


def _named(providers: list[dict], storage: dict) -> list[dict]:
    """What `kinora_identity_providers` permits the applications, and `kinora_storage_s3` applications and workers."""
    found = [{"name": "identity-provider", "groups": ["applications"], "protocol": "tcp", "port": provider.get("port") or 443, "to": [provider["address"]]} for provider in providers]
    return found + _s3("storage-s3", ["applications", "workers"], storage)


def _s3(name: str, groups: list[str], service: dict | None) -> list[dict]:
    if not service:
        return []
    parts = urlsplit(service["endpoint"])
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [{"name": name, "groups": groups, "protocol": "tcp", "port": port, "to": [service["address"]]}]


def load(fleet: Fleet, inventory: Path | None, holder: str = "") -> Reach:
    """The matrix of a fleet that was booted from `inventory` (by default the layout's own)."""
    path = inventory or PROJECT / "ansible/inventories" / fleet.layout / "hosts.yml"
    everything = _yaml(path).get("all") or {}
    return Reach(fleet, everything.get("vars") or {}, _yaml(FLOWS)["kinora_flows"], holder)


def _yaml(path: Path) -> dict:
    try:
        import yaml
    except ImportError as error:
        raise Problem("python3-yaml is missing; run packaging/bootstrap lab") from error
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
