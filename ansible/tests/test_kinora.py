"""Names, flows and firewall rules as they follow from the example inventories."""

import re
import unittest

from inventories import NAMES, flows, inventory, kinora, rule_files

RULE = re.compile(
    r"^\s+(?:(?P<family>ip6?) )?(?:saddr @(?P<source>\S+) )?(?:ip6? )?(?:daddr @(?P<target>\S+) )?"
    r"(?:(?P<protocol>tcp|udp) dport (?P<port>\d+)|meta l4proto (?P<vrrp>vrrp)) counter accept comment \"(?P<name>[^\"]+)\"$"
)
ALWAYS = {"ssh", "node-exporter", "time"}


def rules(text, chain):
    """The accepting rules of a chain, as (name, family, source, target, protocol, port)."""
    inside = text.partition(f"chain {chain} {{")[2].partition("\n    }")[0]
    found = set()
    for line in inside.splitlines():
        match = RULE.match(line)
        if match and "egress" not in line and "outside" not in line:
            found.add((match["name"], match["family"], match["source"], match["target"], match["vrrp"] or match["protocol"], int(match["port"] or 0)))
    return found


def expected(flow, group, chain):
    """The rules that a flow asks for in the file of a group."""
    mine, peers = (flow["to"], flow["from"]) if chain == "in" else (flow["from"], flow["to"])
    if group not in mine:
        return set()
    wanted = set()
    for suffix, family in (("v4", "ip"), ("v6", "ip6")):
        for peer in peers:
            own = f"own_{flow['zone']}_{suffix}"
            other = {"anywhere": None, "admin_networks": f"admin_{suffix}"}.get(peer, f"{peer}_{flow['zone']}_{suffix}")
            ends = (other, own) if chain == "in" else (own, other)
            wanted.add((flow["name"], family, *ends, flow["protocol"], flow.get("port", 0)))
    return wanted


class Rules(unittest.TestCase):
    """The rule files say what flows.yml says, no less and no more."""

    def test_roles(self):
        files = rule_files()
        for group, name in kinora.RULE_FILES.items():
            for chain in ("in", "out"):
                wanted = set().union(*(expected(flow, group, chain) for flow in flows()))
                with self.subTest(role=name, chain=chain):
                    self.assertEqual(rules(files[name], f"role_{chain}"), wanted)

    def test_every_host(self):
        text = rule_files()["kinora"]
        for chain, end in (("in", "input"), ("out", "output")):
            wanted = set().union(*(expected(flow, "every_host", chain) for flow in flows()))
            with self.subTest(chain=chain):
                self.assertEqual(rules(text, end), wanted)

    def test_no_flow_is_forgotten(self):
        """Each flow is accepted at one end and opened at the other, unless that is outside."""
        text = "".join(rule_files().values())
        for flow in flows():
            self.assertGreaterEqual(text.count(f'comment "{flow["name"]}"'), 2, flow["name"])

    def test_no_rule_matches_everything(self):
        """A typo in the expression above would make the tests pass on nothing."""
        self.assertEqual(len(rules(rule_files()["application"], "role_out")), 6)


class Fleet(unittest.TestCase):
    """Names and peers."""

    def test_names_and_members(self):
        fleet = inventory("full")
        self.assertEqual(fleet["hosts"]["be1"]["names"]["backend"], "be1.backend.kinora.internal")
        self.assertEqual([entry["host"] for entry in fleet["members"]["databases"]["backend"]], ["db1", "db2"])
        self.assertNotIn("edge", fleet["members"]["databases"])
        self.assertEqual(fleet["hosts"]["be3"]["groups"], ["backends", "backup_repository"])

    def test_flows_have_hosts_and_addresses(self):
        flow = inventory("full")["flows"]["amqps"]
        self.assertEqual(flow["accepts"], ["be1", "be2", "be3"])
        self.assertEqual(flow["opens"], ["be1", "be2", "be3", "wk1", "wk2"])
        self.assertEqual(flow["sources"]["ipv6"][-1], "fd61:30::52")

    def test_unit_addresses(self):
        fleet = inventory("full")
        self.assertEqual(kinora.unit_addresses(fleet, accepts=["pgbackrest-repository"]), ["10.61.30.41", "10.61.30.42", "fd61:30::41", "fd61:30::42"])
        self.assertEqual(kinora.unit_addresses(fleet, accepts=["https"]), ["0.0.0.0/0", "::/0"])
        with self.assertRaisesRegex(kinora.InventoryError, "no flow nonsense"):
            kinora.unit_addresses(fleet, opens=["nonsense"])

    def test_unknown_group_of_a_flow(self):
        flow = {"name": "x", "protocol": "tcp", "port": 1, "zone": "edge", "to": ["aplications"], "from": ["anywhere"]}
        with self.assertRaisesRegex(kinora.InventoryError, "aplications"):
            kinora.fleet({"a": {"edge": {"ipv4": "192.0.2.1"}}}, {}, [flow])

    def test_hosts_file_names_every_address_once(self):
        for name in NAMES:
            lines = kinora.hosts_file(inventory(name)).splitlines()
            self.assertEqual(len(lines), len({line.split()[0] for line in lines}), name)

    def test_every_group_has_roles_and_rules(self):
        self.assertEqual(set(kinora.GROUP_ROLES), set(kinora.GROUPS))
        self.assertEqual(set(kinora.RULE_FILES), set(kinora.GROUPS))


class Addresses(unittest.TestCase):
    """The rendered part of the rules."""

    def test_only_load_balancers_own_the_public_address(self):
        fleet = inventory("full")
        self.assertRegex(kinora.firewall_addresses(fleet, "lb1"), r"own_edge_v4 \{[^}]*10\.61\.10\.11, 10\.61\.10\.100 \}")
        self.assertNotIn("10.61.10.100", kinora.firewall_addresses(fleet, "app1"))

    def test_egress_is_of_the_groups_named(self):
        fleet = inventory("full")
        fleet["networks"]["egress"] = [{"name": "nas", "groups": ["workers"], "protocol": "tcp", "port": 2049, "to": ["10.61.40.5", "fd61:40::5"]}]
        self.assertIn("elements = { 10.61.40.5 . 2049 }", kinora.firewall_addresses(fleet, "wk1"))
        self.assertIn("elements = { fd61:40::5 . 2049 }", kinora.firewall_addresses(fleet, "wk1"))
        self.assertNotIn("2049", kinora.firewall_addresses(fleet, "db1"))

    def test_a_mail_relay_is_the_backends_alone(self):
        mail = {"relay": "mail.studio.example", "address": "10.9.9.25"}
        self.assertEqual(kinora.mail_egress({}), [])
        self.assertEqual(kinora.mail_egress(None), [])
        for settings, port in (({}, 587), ({"tls": "implicit"}, 465), ({"tls": "implicit", "port": 2525}, 2525)):
            [entry] = kinora.mail_egress({**mail, **settings})
            self.assertEqual((entry["groups"], entry["port"], entry["to"]), (["backends"], port, ["10.9.9.25"]))
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.mail_egress(mail)
        for host, entry in fleet["hosts"].items():
            self.assertEqual("10.9.9.25 . 587" in kinora.firewall_addresses(fleet, host), "backends" in entry["groups"], host)

    def test_a_log_collector_is_the_backends_alone(self):
        target = {"name": "logs.studio.example", "address": "fd61:9::4"}
        self.assertEqual(kinora.audit_target_egress(None), [])
        self.assertEqual(kinora.audit_target_egress({"name": "logs.studio.example"}), [])
        self.assertEqual(kinora.audit_target_egress({**target, "port": 10514})[0]["port"], 10514)
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.audit_target_egress(target)
        for host, entry in fleet["hosts"].items():
            self.assertEqual("fd61:9::4 . 6514" in kinora.firewall_addresses(fleet, host), "backends" in entry["groups"], host)

    def test_identity_providers_are_the_applications_alone(self):
        providers = [{"name": "login.studio.example", "address": "10.9.9.6"}, {"name": "other.studio.example", "address": "10.9.9.7", "port": 8443}]
        self.assertEqual(kinora.provider_egress(None), [])
        self.assertEqual(kinora.provider_egress([{"name": "login.studio.example"}]), [])
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.provider_egress(providers)
        for host, entry in fleet["hosts"].items():
            is_application = "applications" in entry["groups"]
            for line in ("10.9.9.6 . 443", "10.9.9.7 . 8443"):
                self.assertEqual(line in kinora.firewall_addresses(fleet, host), is_application, host)
            names = kinora.hosts_file(fleet, kinora.outside_names(fleet, host, providers, {}))
            self.assertEqual("10.9.9.6 login.studio.example\n" in names, is_application, host)

    def test_an_s3_service_is_of_applications_and_workers_alone(self):
        storage = {"endpoint": "https://s3.studio.example:9000/", "address": "10.9.9.5", "bucket": "kinora"}
        self.assertEqual(kinora.storage_egress(None), [])
        self.assertEqual(kinora.storage_egress({**storage, "address": ""}), [])
        for endpoint, expected in (("https://s3.x", ("s3.x", 443)), ("http://s3.x", ("s3.x", 80)), ("https://[fd61::5]:9000", ("fd61::5", 9000)), ("s3.x", None), ("https://s3.x:port", None)):
            self.assertEqual(kinora.storage_endpoint({"endpoint": endpoint}), expected)
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.storage_egress(storage)
        for host, entry in fleet["hosts"].items():
            is_theirs = bool({"applications", "workers"} & set(entry["groups"]))
            self.assertEqual("10.9.9.5 . 9000" in kinora.firewall_addresses(fleet, host), is_theirs, host)
            names = kinora.outside_names(fleet, host, [], storage)
            self.assertEqual(names, [{"name": "s3.studio.example", "address": "10.9.9.5"}] if is_theirs else [], host)
        self.assertEqual(kinora.outside_names(fleet, "app1", [], {**storage, "endpoint": "https://10.9.9.5:9000"}), [])

    def test_copies_on_s3_are_the_applications_alone(self):
        place = {"s3": {"endpoint": "https://s3.elsewhere.example", "address": "10.9.9.8", "bucket": "kinora-copy"}}
        for nothing in (None, {}, {"directory": "/srv/kinora-copy"}, {"s3": None}, {"s3": {**place["s3"], "address": ""}}):
            self.assertEqual(kinora.media_copy_egress(nothing), [])
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.media_copy_egress(place)
        for host, entry in fleet["hosts"].items():
            is_theirs = "applications" in entry["groups"]
            self.assertEqual("10.9.9.8 . 443" in kinora.firewall_addresses(fleet, host), is_theirs, host)
            names = kinora.outside_names(fleet, host, [], {}, place)
            self.assertEqual(names, [{"name": "s3.elsewhere.example", "address": "10.9.9.8"}] if is_theirs else [], host)
        # Buckets of one service are one name.
        self.assertEqual(len(kinora.outside_names(fleet, "app1", [], place["s3"], place)), 1)

    def test_backups_on_s3_are_the_repositorys_host_alone(self):
        place = {"s3": {"endpoint": "https://s3.elsewhere.example", "address": "10.9.9.9", "bucket": "kinora-backup"}}
        for nothing in (None, {}, {"s3": None}, {"s3": {**place["s3"], "address": ""}}):
            self.assertEqual(kinora.backup_copy_egress(nothing), [])
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.backup_copy_egress(place)
        for host, entry in fleet["hosts"].items():
            is_theirs = "backup_repository" in entry["groups"]
            self.assertEqual("10.9.9.9 . 443" in kinora.firewall_addresses(fleet, host), is_theirs, host)
            names = kinora.outside_names(fleet, host, [], {}, {}, place)
            self.assertEqual(names, [{"name": "s3.elsewhere.example", "address": "10.9.9.9"}] if is_theirs else [], host)

    def test_settings_of_an_s3_service_name_its_authorities_by_their_file(self):
        service = {"endpoint": "https://s3.x", "address": "10.9.9.8", "bucket": "copy", "prefix": "a", "authorities": "-----BEGIN"}
        self.assertEqual(kinora.storage_settings(service, "/etc/a.pem"), {"s3": {"endpoint": "https://s3.x", "bucket": "copy", "prefix": "a", "tls_authorities": "/etc/a.pem"}})
        self.assertEqual(kinora.storage_settings({**service, "authorities": ""}, "/etc/a.pem")["s3"].keys(), {"endpoint", "bucket", "prefix"})
        self.assertEqual(kinora.storage_settings({}, "/etc/a.pem"), {})

    def test_rules_have_the_files_of_the_hosts_groups(self):
        text = kinora.firewall_rules(inventory("full"), "be3", rule_files())
        self.assertIn("# --- backup_repository ---", text)
        self.assertNotIn("# --- worker ---", text)
        self.assertLess(text.index("set own_backend_v4"), text.index("@own_backend_v4"))


if __name__ == "__main__":
    unittest.main()
