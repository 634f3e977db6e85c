"""The matrix of who may reach what, on the shipped inventories and on made-up lists of flows."""

import unittest

from lab import fleet
from lab.paths import PROJECT
from measures.reach import End, Reach, load

INVENTORIES = PROJECT / "ansible/inventories"


def plan(layout: str) -> fleet.Fleet:
    return fleet.load(INVENTORIES / layout / "hosts.yml", layout)


class Full(unittest.TestCase):
    def setUp(self) -> None:
        self.fleet = plan("full")
        self.reach = load(self.fleet, INVENTORIES / "full/hosts.yml", holder="lb1")

    def end(self, host: str, zone: str, family: str = "ipv4") -> End:
        return End(host, zone, self.fleet.host(host).address(zone, family))

    def allows(self, source: End, target: End, port: int, protocol: str = "tcp") -> str:
        return self.reach.allows(source, target, protocol, port)

    def test_a_flow_opens_its_port_between_its_groups_in_its_zone_in_both_families(self) -> None:
        for family in ("ipv4", "ipv6"):
            app, db = self.end("app1", "backend", family), self.end("db2", "backend", family)
            self.assertEqual(self.allows(app, db, 5432), "postgresql")
            self.assertEqual(self.allows(db, app, 5432), "")
            self.assertEqual(self.allows(app, db, 8008), "")
            self.assertEqual(self.allows(app, self.end("db2", "management", family), 5432), "")

    def test_a_server_speaks_only_from_its_address_in_the_flow_s_zone(self) -> None:
        db = self.end("db1", "backend")
        self.assertEqual(self.allows(self.end("app1", "management"), db, 5432), "")
        self.assertEqual(self.allows(self.end("app1", "storage"), db, 5432), "")

    def test_workers_have_no_database_and_applications_no_broker(self) -> None:
        self.assertEqual(self.allows(self.end("wk1", "backend"), self.end("db1", "backend"), 5432), "")
        self.assertEqual(self.allows(self.end("app1", "backend"), self.end("be1", "backend"), 5671), "")
        self.assertEqual(self.allows(self.end("wk1", "backend"), self.end("be1", "backend"), 5671), "amqps")

    def test_administrators_sign_in_and_servers_do_not(self) -> None:
        db = self.end("db1", "management")
        self.assertEqual(self.allows(self.end("control", "management"), db, 22), "ssh")
        self.assertEqual(self.allows(self.end("be1", "management"), db, 22), "")
        self.assertEqual(self.allows(self.end("outsider-management", "management"), db, 22), "")
        self.assertEqual(self.allows(self.end("be1", "management"), db, 9100), "node-exporter")

    def test_anywhere_is_whoever_is_not_a_server_and_reached_by_the_edge(self) -> None:
        public = End("lb1", "edge", self.fleet.public_address["ipv4"])
        self.assertIn(public, self.reach.addresses(self.fleet.host("lb1")))
        self.assertNotIn(public, self.reach.addresses(self.fleet.host("lb2")))
        self.assertEqual(self.allows(self.end("client", "edge"), public, 443), "https")
        self.assertEqual(self.allows(self.end("outsider-backend", "backend"), public, 443), "https")
        self.assertEqual(self.allows(self.end("app1", "frontend"), public, 443), "")
        # lb1 has a cable in management: from there it takes only what is for that very address.
        self.assertEqual(self.allows(self.end("control", "management"), public, 443), "")
        self.assertEqual(self.allows(self.end("client", "edge"), self.end("lb1", "frontend"), 443), "")

    def test_a_host_of_a_group_on_both_ends_reaches_the_others_but_the_pair_with_itself_is_none(self) -> None:
        self.assertEqual(self.allows(self.end("be1", "backend"), self.end("be2", "backend"), 2380), "etcd-peer")
        self.assertEqual(self.allows(self.end("be1", "backend"), self.end("be1", "backend"), 2380), "")

    def test_vrrp_and_echo(self) -> None:
        one, two = self.end("lb1", "frontend"), self.end("lb2", "frontend")
        self.assertEqual(self.reach.allows(one, two, "vrrp", None), "vrrp")
        self.assertEqual(self.reach.allows(self.end("app1", "frontend"), two, "vrrp", None), "")
        self.assertEqual(self.reach.allows(self.end("lb1", "edge"), self.end("lb2", "edge"), "vrrp", None), "")
        self.assertEqual(self.reach.allows(self.end("control", "management"), self.end("wk1", "management"), "echo", None), "echo")
        self.assertEqual(self.reach.allows(self.end("be1", "management"), self.end("wk1", "management"), "echo", None), "")

    def test_nothing_goes_out_to_others_hosts_unless_the_inventory_says_so(self) -> None:
        app, outsider = self.end("app1", "storage"), self.end("outsider-storage", "storage")
        self.assertEqual(self.allows(app, outsider, 2049), "")
        entry = {"name": "nas", "groups": ["applications"], "protocol": "tcp", "port": 2049, "to": [outsider.address]}
        reach = Reach(self.fleet, {"kinora_egress": [entry]}, [])
        self.assertEqual(reach.allows(app, outsider, "tcp", 2049), "nas")
        self.assertEqual(reach.allows(app, outsider, "udp", 2049), "")
        self.assertEqual(reach.allows(self.end("db1", "backend"), outsider, "tcp", 2049), "")

    def test_the_mail_relay_is_the_backends_alone(self) -> None:
        outsider = self.end("outsider-storage", "storage")
        mail = {"relay": "mail.studio.example", "address": outsider.address, "tls": "implicit"}
        reach = Reach(self.fleet, {"kinora_mail": mail}, [])
        self.assertEqual(reach.allows(self.end("be1", "backend"), outsider, "tcp", 465), "mail")
        self.assertEqual(reach.allows(self.end("be1", "backend"), outsider, "tcp", 587), "")
        self.assertEqual(reach.allows(self.end("app1", "storage"), outsider, "tcp", 465), "")

    def test_the_log_collector_is_the_backends_alone(self) -> None:
        outsider = self.end("outsider-storage", "storage")
        reach = Reach(self.fleet, {"kinora_audit_target": {"name": "logs.studio.example", "address": outsider.address}}, [])
        self.assertEqual(reach.allows(self.end("be1", "backend"), outsider, "tcp", 6514), "audit-target")
        self.assertEqual(reach.allows(self.end("db1", "backend"), outsider, "tcp", 6514), "")

    def test_identity_providers_and_an_s3_service_are_of_those_who_ask_them(self) -> None:
        outsider = self.end("outsider-storage", "storage")
        variables = {"kinora_identity_providers": [{"name": "login.studio.example", "address": outsider.address}],
                     "kinora_storage_s3": {"endpoint": "https://s3.studio.example:9000", "address": outsider.address}}
        reach = Reach(self.fleet, variables, [])
        for host, zone, port, flow in (("app1", "storage", 443, "identity-provider"), ("wk1", "storage", 443, ""), ("app1", "storage", 9000, "storage-s3"),
                                       ("wk1", "storage", 9000, "storage-s3"), ("db1", "backend", 9000, ""), ("be1", "backend", 443, "")):
            self.assertEqual(reach.allows(self.end(host, zone), outsider, "tcp", port), flow, (host, port))

    def test_copies_on_s3_are_the_applications_alone(self) -> None:
        outsider = self.end("outsider-storage", "storage")
        reach = Reach(self.fleet, {"kinora_media_copy": {"s3": {"endpoint": "https://s3.elsewhere.example", "address": outsider.address}}}, [])
        self.assertEqual(reach.allows(self.end("app1", "storage"), outsider, "tcp", 443), "media-copy-s3")
        self.assertEqual(reach.allows(self.end("wk1", "storage"), outsider, "tcp", 443), "")

    def test_a_source_speaks_from_the_target_s_zone_or_from_its_default_route_s(self) -> None:
        app = self.fleet.host("app1")
        self.assertEqual(self.reach.natural_source(app, self.end("db1", "backend")), self.end("app1", "backend"))
        self.assertEqual(self.reach.natural_source(app, self.end("lb1", "edge", "ipv6")), self.end("app1", "management", "ipv6"))


class Layouts(unittest.TestCase):
    def test_every_flow_between_different_hosts_is_permitted_to_somebody(self) -> None:
        """A flow that nobody may use would be measured as nothing."""
        for layout in ("full", "compact"):
            plan_of = plan(layout)
            reach = load(plan_of, INVENTORIES / layout / "hosts.yml", holder=next(h.name for h in plan_of.hosts if "load_balancers" in h.groups))
            used = set()
            for source in plan_of.hosts:
                for target in (host for host in plan_of.hosts if host.kind == "server"):
                    for end in reach.addresses(target):
                        natural = reach.natural_source(source, end)
                        for flow in reach.flows:
                            if natural and reach.allows(natural, end, flow["protocol"], flow.get("port")):
                                used.add(flow["name"])
            with self.subTest(layout=layout):
                self.assertEqual({flow["name"] for flow in reach.flows} - used, set())


if __name__ == "__main__":
    unittest.main()
