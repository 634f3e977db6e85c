"""Reading inventories: what the lab makes of the shipped ones, and how it refuses bad ones."""

import ipaddress
import tempfile
import unittest
from pathlib import Path

from lab import fleet
from lab.paths import PROJECT
from lab.problem import Problem

INVENTORIES = PROJECT / "ansible/inventories"

SMALL = """
all:
  vars:
    kinora_public_name: k.example
    kinora_public_address: {ipv4: 10.1.0.100, ipv6: 'fd01::100'}
    kinora_zones:
      edge: {ipv4: 10.1.0.0/24, ipv6: 'fd01::/64'}
      management: {ipv4: 10.2.0.0/24, ipv6: 'fd02::/64'}
  hosts:
    one:
      kinora_addresses:
        edge: {ipv4: 10.1.0.11, ipv6: 'fd01::11'}
        management: {ipv4: 10.2.0.11, ipv6: 'fd02::11'}
  children:
    applications: {hosts: {one: }}
"""


class Shipped(unittest.TestCase):
    def test_every_address_lies_in_its_zone_and_belongs_to_one_host(self) -> None:
        for layout in ("full", "compact", "single"):
            plan = fleet.load(INVENTORIES / layout / "hosts.yml", layout)
            seen = []
            for host in plan.hosts:
                for cable in host.interfaces:
                    zone = plan.zone(cable.zone)
                    for address, network in ((cable.ipv4, zone.ipv4), (cable.ipv6, zone.ipv6)):
                        self.assertIn(ipaddress.ip_interface(address).ip, ipaddress.ip_network(network))
                        seen.append(address)
            self.assertEqual(len(seen), len(set(seen)), layout)

    def test_the_controller_is_an_administrator_and_no_server_is(self) -> None:
        import yaml

        for layout in ("full", "compact", "single"):
            path = INVENTORIES / layout / "hosts.yml"
            networks = yaml.safe_load(path.read_text())["all"]["vars"]["kinora_admin_networks"]
            plan = fleet.load(path, layout)
            for family, ranges in networks.items():
                for host in plan.hosts:
                    if not host.management:
                        continue
                    address = ipaddress.ip_address(host.address("management", family))
                    inside = any(address in ipaddress.ip_network(each) for each in ranges)
                    self.assertEqual(inside, host.kind == "controller", f"{layout}: {host.name} {address}")

    def test_interface_names_say_nothing_about_zones(self) -> None:
        plan = fleet.load(INVENTORIES / "full/hosts.yml", "full")
        for zone in plan.zones:
            names = {cable.name for host in plan.hosts for cable in host.interfaces if cable.zone == zone.name}
            self.assertGreater(len(names), 1, zone.name)
        for host in plan.hosts:
            names = [cable.name for cable in host.interfaces]
            self.assertEqual(len(names), len(set(names)), host.name)
            self.assertTrue(all(len(name) <= 15 for name in names), f"{host.name}: the kernel takes 15 characters: {names}")

    def test_a_fleet_survives_being_written_down(self) -> None:
        plan = fleet.load(INVENTORIES / "full/hosts.yml", "full")
        self.assertEqual(fleet.Fleet.from_json(plan.to_json()), plan)

    def test_the_storage_is_where_it_is_needed_and_nowhere_else(self) -> None:
        plan = fleet.load(INVENTORIES / "full/hosts.yml", "full")
        media = {host.name for host in plan.hosts if "nas/media" in host.binds}
        backup = {host.name for host in plan.hosts if "nas/backup" in host.binds}
        self.assertEqual(media, {"app1", "app2", "wk1", "wk2"})
        self.assertEqual(backup, {"be3"})


class Refused(unittest.TestCase):
    def refuse(self, text: str, *expected: str) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "hosts.yml"
            path.write_text(text)
            with self.assertRaises(Problem) as caught:
                fleet.load(path, "small")
        for part in expected:
            self.assertIn(part, str(caught.exception))

    def test_the_small_one_is_good(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "hosts.yml"
            path.write_text(SMALL)
            plan = fleet.load(path, "small")
        self.assertEqual([h.name for h in plan.hosts if h.kind == "server"], ["one"])
        self.assertEqual(plan.host("one").route_zone, "edge")

    def test_an_address_outside_its_zone(self) -> None:
        self.refuse(SMALL.replace("ipv4: 10.2.0.11", "ipv4: 10.3.0.11"), "one", "10.3.0.11", "management")

    def test_an_address_used_twice(self) -> None:
        self.refuse(SMALL.replace("ipv4: 10.2.0.11", "ipv4: 10.2.0.2"), "10.2.0.2", "one", "control")

    def test_a_zone_that_is_not_listed(self) -> None:
        self.refuse(SMALL.replace("        edge: {ipv4: 10.1.0.11", "        egde: {ipv4: 10.1.0.11"), "egde", "kinora_zones")

    def test_a_host_without_management(self) -> None:
        text = SMALL.replace("        management: {ipv4: 10.2.0.11, ipv6: 'fd02::11'}\n", "")
        self.refuse(text, "one", "management")

    def test_not_yaml(self) -> None:
        self.refuse("all: [", "not YAML")


if __name__ == "__main__":
    unittest.main()
