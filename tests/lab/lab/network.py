"""The lab's networks, made inside the supervisor's network namespace.

A zone is a bridge without an address. A host's cable is a veth pair: one end on the bridge, one in the host's
network namespace under the name the host shall see. The gateway has the last address of every zone and forwards
between zones, so that only the hosts' own firewalls keep zones apart; towards anything else it counts and
rejects. Nothing here has a way out, and the machine's own namespace has no part in it.
"""

import ipaddress
import json
import subprocess

from .fleet import GATEWAY, Fleet, Host

GATEWAY_NAMESPACE = "gateway"


def run(*command: str, input: str | None = None) -> str:
    """Runs a command that must succeed; its error is the exception's text."""
    result = subprocess.run(command, input=input, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout


def ip(lines: list[str], namespace: str | None = None) -> None:
    """Runs many `ip` commands in one process."""
    where = ["-n", namespace] if namespace else []
    run("ip", *where, "-batch", "-", input="\n".join(lines) + "\n")


class Network:
    """Bridges of the zones and the cables of the hosts."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._cables: dict[tuple[str, str], str] = {}
        self._next = 0

    def make(self) -> None:
        """Makes the bridges and the gateway."""
        lines = ["link set lo up"]
        for zone in self._fleet.zones:
            bridge = self._bridge(zone.name)
            # Without spanning tree and its delay; multicast snooping would swallow neighbour discovery.
            lines += [f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up"]
        ip(lines)
        for zone in self._fleet.zones:
            # A bridge is a cable here, not a host: it takes no address, not even a link-local one.
            self._sysctl(None, f"net.ipv6.conf.{self._bridge(zone.name)}.disable_ipv6=1")
        self._make_gateway()

    def plug_in(self, host: Host) -> None:
        """Gives a host a fresh network namespace with its cables. The host configures the addresses itself."""
        self.unplug(host)
        run("ip", "netns", "add", host.name)
        lines = []
        for interface in host.interfaces:
            cable = f"c{self._next}"
            self._next += 1
            self._cables[host.name, interface.zone] = cable
            lines += [
                f"link add {cable} type veth peer name {interface.name} address {interface.mac} netns {host.name}",
                f"link set {cable} master {self._bridge(interface.zone)} up",
            ]
        ip(lines)
        for interface in host.interfaces:
            self._sysctl(None, f"net.ipv6.conf.{self._cables[host.name, interface.zone]}.disable_ipv6=1")

    def unplug(self, host: Host) -> None:
        """Removes the host's network namespace; its cables and firewall rules go with it."""
        subprocess.run(["ip", "netns", "delete", host.name], capture_output=True)
        for interface in host.interfaces:
            cable = self._cables.pop((host.name, interface.zone), None)
            if cable:
                # The pair vanishes with the namespace, but only once its last process is gone.
                subprocess.run(["ip", "link", "delete", cable], capture_output=True)

    def configure(self, host: Host) -> None:
        """Gives a host without a system of its own its addresses and routes."""
        gateway = self._fleet.zone(host.route_zone).at(GATEWAY)
        lines = ["link set lo up"]
        for interface in host.interfaces:
            lines += [
                f"addr add {interface.ipv4} dev {interface.name}",
                f"addr add {interface.ipv6} dev {interface.name} nodad",
                f"link set {interface.name} up",
            ]
        lines += [f"route add default via {address.split('/')[0]}" for address in gateway]
        ip(lines, host.name)

    def set_cable(self, host: str, zone: str, plugged: bool) -> None:
        """Pulls a cable out of its switch, or puts it back."""
        ip([f"link set {self._cables[host, zone]} {'up' if plugged else 'down'}"])

    def packets_leaving(self) -> int:
        """How many packets hosts sent to the gateway for an address outside the lab. None got further."""
        listing = json.loads(run("ip", "netns", "exec", GATEWAY_NAMESPACE, "nft", "-j", "list", "counters"))
        return sum(item["counter"]["packets"] for item in listing["nftables"] if "counter" in item)

    def _make_gateway(self) -> None:
        run("ip", "netns", "add", GATEWAY_NAMESPACE)
        cables, inside = [], ["link set lo up"]
        for number, zone in enumerate(self._fleet.zones):
            name = f"zone{number}"
            ipv4, ipv6 = zone.at(GATEWAY)
            cables += [
                f"link add g{number} type veth peer name {name} netns {GATEWAY_NAMESPACE}",
                f"link set g{number} master {self._bridge(zone.name)} up",
            ]
            inside += [f"addr add {ipv4} dev {name}", f"addr add {ipv6} dev {name} nodad", f"link set {name} up"]
        ip(cables)
        for number in range(len(self._fleet.zones)):
            self._sysctl(None, f"net.ipv6.conf.g{number}.disable_ipv6=1")
        # Somewhere to route to, so that packets for the world outside get as far as the rule that counts them.
        inside += ["link add outside type bridge", "link set outside up", "route add default dev outside"]
        ip(inside, GATEWAY_NAMESPACE)
        run("ip", "-n", GATEWAY_NAMESPACE, "-6", "route", "add", "default", "dev", "outside")
        self._sysctl(GATEWAY_NAMESPACE, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        run("ip", "netns", "exec", GATEWAY_NAMESPACE, "nft", "-f", "-", input=self._gateway_rules())

    def _gateway_rules(self) -> str:
        ipv4 = ", ".join(str(ipaddress.ip_network(zone.ipv4)) for zone in self._fleet.zones)
        ipv6 = ", ".join(str(ipaddress.ip_network(zone.ipv6)) for zone in self._fleet.zones)
        return f"""
            table inet gateway {{
                counter leaving {{ }}
                chain forward {{
                    type filter hook forward priority 0; policy drop;
                    ip daddr {{ {ipv4} }} accept
                    ip6 daddr {{ {ipv6} }} accept
                    counter name leaving reject with icmpx admin-prohibited
                }}
            }}
        """

    def _bridge(self, zone: str) -> str:
        names = [z.name for z in self._fleet.zones]
        return f"b{names.index(zone)}"

    @staticmethod
    def _sysctl(namespace: str | None, *settings: str) -> None:
        where = ["ip", "netns", "exec", namespace] if namespace else []
        run(*where, "sysctl", "-q", "-w", *settings)
