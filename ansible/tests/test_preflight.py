"""What preflight finds, and that it finds nothing in the example inventories."""

import copy
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from inventories import ANSIBLE, NAMES, inventory, load_plugin

preflight = load_plugin("kinora_preflight")
NEEDS = {"disk_gb": 3, "memory_gb": 2, "storage_path": "/srv/kinora", "backup_path": "/srv/kinora-backup"}
SOUND = """system debian 13
machine x86_64
root yes
python yes
machine_id 0123
disk_mb 90000
memory_mb 8000
address 10.61.50.21
address fd61:50::21
address 10.61.20.21
address fd61:20::21
address 10.61.30.21
address fd61:30::21
address 10.61.40.21
address fd61:40::21
storage present
listener tcp 22 sshd
listener tcp 8443 systemd
clock 1000
end
"""


def variables(name):
    return yaml.safe_load((ANSIBLE / "inventories" / name / "hosts.yml").read_text(encoding="utf-8"))["all"]["vars"]


def found(problems):
    return " | ".join(problem["what"] for problem in problems)


class Inventory(unittest.TestCase):
    """The inventory itself."""

    def problems(self, change=None, fleet_change=None, **options):
        values, fleet = copy.deepcopy(variables("full")), inventory("full")
        if change:
            change(values)
        if fleet_change:
            fleet_change(fleet)
        return found(preflight.inventory_problems(fleet, values["kinora_zones"], values, **options))

    def test_examples_are_sound(self):
        for name in NAMES:
            values = variables(name)
            problems = preflight.inventory_problems(inventory(name), values["kinora_zones"], values, bundle_version="0.1.0")
            self.assertEqual(problems, [], name)

    def test_what_may_be_reached_beyond_the_zones(self):
        sound = {"name": "NAS", "groups": ["applications"], "protocol": "tcp", "port": 2049, "to": ["10.61.40.5", "fd61:40::/64"]}
        for change, what in (
            ({}, ""),
            ({"port": "2049"}, "kinora_egress, entry 1 (NAS) has the port '2049'"),
            ({"port": 70000}, "kinora_egress, entry 1 (NAS) has the port 70000"),
            ({"protocol": "icmp"}, "kinora_egress, entry 1 (NAS) has the protocol 'icmp'"),
            ({"groups": ["aplications"]}, "kinora_egress, entry 1 (NAS): there is no group aplications"),
            ({"to": "10.61.40.5"}, "kinora_egress, entry 1 (NAS): to is '10.61.40.5'"),
            ({"to": ["nas.studio.example"]}, "kinora_egress, entry 1 (NAS), to: 'nas.studio.example' does not appear to be an IPv4 or IPv6 network"),
            ({"ports": [1]}, "kinora_egress, entry 1 has ports, which is unknown"),
        ):
            with self.subTest(what):
                problems = self.problems(fleet_change=lambda fleet: fleet["networks"].update(egress=[{**sound, **change}]))
                self.assertEqual(problems, what)

    def test_addresses_that_are_none(self):
        for change, what in (
            (lambda fleet: fleet["networks"].update(time_servers=["ntp.example"]), "kinora_time_servers: 'ntp.example' does not"),
            (lambda fleet: fleet["networks"].update(admin_networks={"ipv4": ["10.1.2.3/8"]}), "kinora_admin_networks.ipv4: 10.1.2.3/8 has host bits set"),
            (lambda fleet: fleet["hosts"]["db1"]["addresses"]["backend"].update(ipv4="10.61.30.300"), "db1's kinora_addresses.backend: '10.61.30.300' does not"),
        ):
            with self.subTest(what):
                self.assertIn(what, self.problems(fleet_change=change))

    def test_alerts(self):
        relay = {"relay": "mail.studio.example", "address": "10.1.2.3", "from": "Kinora <kinora@studio.example>"}
        hook = {"url": "https://hooks.studio.example/kinora", "address": "10.1.2.5"}
        for alerts, mail, token, what in (
            ({"to": ["a@studio.example"]}, relay, "", ""),
            ({"webhook": hook}, {}, "secret", ""),
            ({"to": [], "webhook": hook}, {**relay, "tls": "implicit", "port": 2525}, "", ""),
            ({"to": ["a@studio.example"]}, {}, "", "kinora_alerts.to is set, kinora_mail is not"),
            ({"to": "a@studio.example"}, relay, "", "kinora_alerts.to is a@studio.example"),
            ({"too": ["a@studio.example"]}, relay, "", "kinora_alerts has no too"),
            ({}, {**relay, "tls": "implicit", "port": 2525}, "", "which alerts cannot use"),
            ({"webhook": {**hook, "url": "http://hooks.studio.example"}}, {}, "", "kinora_alerts.webhook.url is http"),
            ({"webhook": {"url": hook["url"]}}, {}, "", "kinora_alerts.webhook lacks address"),
            ({}, {}, "secret", "kinora_alerts_token is set"),
        ):
            values = {"kinora_alerts": alerts, "kinora_mail": mail, **({"kinora_alerts_token": token} if token else {})}
            problems = self.problems(lambda inventory, values=values: inventory.update(values))
            with self.subTest(what or "sound", alerts=alerts):
                self.assertEqual(problems == "", what == "", problems)
                self.assertIn(what, problems)

    def test_mail(self):
        sound = {"relay": "mail.studio.example", "address": "10.1.2.3", "from": "Kinora <kinora@studio.example>"}
        for part, password, word in (
            ({}, "", ""),
            ({"user": "kinora"}, "secret", ""),
            ({"tls": "implicit", "port": 465, "authorities": "-----BEGIN CERTIFICATE-----"}, "", ""),
            ({"user": "kinora"}, "", "kinora_mail_password is not"),
            ({}, "secret", "kinora_mail.user is not"),
            ({"address": "mail.studio.example"}, "", "no network address"),
            ({"address": ""}, "", "lacks address"),
            ({"from": "Kinora"}, "", "no address"),
            ({"tls": "none"}, "", "tls is none"),
            ({"authorities": "/etc/ca.pem"}, "", "holds no certificate"),
            ({"adress": "10.1.2.3"}, "", "kinora_mail has no adress"),
            ({"port": "smtp"}, "", "kinora_mail.port is smtp"),
        ):
            values = {"kinora_mail": {**sound, **part}, **({"kinora_mail_password": password} if password else {})}
            problems = self.problems(lambda inventory, values=values: inventory.update(values))
            self.assertEqual(problems == "", word == "", problems)
            self.assertIn(word, problems)
        self.assertIn("kinora_mail is not", self.problems(lambda inventory: inventory.update(kinora_mail_password="x")))

    def test_the_playbook_gives_every_value_that_is_looked_at(self):
        """It gives the others' names only."""
        plugin = (ANSIBLE / "filter_plugins" / "kinora_preflight.py").read_text(encoding="utf-8")
        playbook = (ANSIBLE / "playbooks" / "preflight.yml").read_text(encoding="utf-8")
        looked_at = set(re.findall(r'variables\.get\("(\w+)"', plugin))
        self.assertGreaterEqual(len(looked_at), 5)
        self.assertEqual({name for name in looked_at if f"'{name}': " not in playbook}, set())

    def test_backup_copy(self):
        bucket = {"endpoint": "https://s3.elsewhere.example", "address": "10.9.8.7", "bucket": "kinora-backup"}
        for place, secrets, what in (
            ({"s3": bucket}, True, None),
            (None, False, None),
            (None, True, "kinora_backup_copy_s3_secrets is set, kinora_backup_copy is not"),
            ({"s3": bucket}, False, "kinora_backup_copy_s3_secrets is not set"),
            ({"s3": {"bucket": "abc"}}, True, "kinora_backup_copy.s3 lacks endpoint, address"),
            ({"s3": {**bucket, "endpoint": "http://s3.elsewhere.example"}}, True, "kinora_backup_copy.s3.endpoint is not https"),
            ({"directory": "/srv/copy"}, True, "kinora_backup_copy is {'directory': '/srv/copy'}"),
        ):
            with self.subTest(what or str(place)):
                given = {"kinora_backup_copy": place, "kinora_backup_copy_s3_secrets": secrets}
                problems = self.problems(lambda inventory, given=given: inventory.update(given))
                self.assertEqual(problems == "", what is None, problems)
                self.assertIn(what or "", problems)

    def test_media_copy(self):
        bucket = {"endpoint": "https://s3.elsewhere.example", "address": "10.9.8.7", "bucket": "kinora-copy"}
        for place, secrets, what in (
            ({"directory": "/srv/kinora-copy"}, False, None),
            ({"s3": bucket}, True, None),
            (None, True, "kinora_media_copy_s3_secrets is set, kinora_media_copy is not"),
            ({"s3": bucket}, False, "kinora_media_copy_s3_secrets is not set"),
            ({"s3": {**bucket, "bukket": "a"}}, True, "kinora_media_copy.s3 has no bukket"),
            ({"s3": {**bucket, "region": "eu", "prefix": "a", "authorities": "-----BEGIN CERTIFICATE-----"}}, True, None),
            ({"s3": {**bucket, "endpoint": "http://s3.elsewhere.example:9000", "allow_http": True}}, True, None),
            ({"s3": {"bucket": "abc"}}, True, "kinora_media_copy.s3 lacks endpoint, address"),
            ({"s3": None}, True, "kinora_media_copy.s3 lacks endpoint, address, bucket"),
            ({"s3": {**bucket, "address": "s3.elsewhere.example"}}, True, "no network address"),
            ({"s3": {**bucket, "endpoint": "http://s3.elsewhere.example"}}, True, "kinora_media_copy.s3.endpoint is not https"),
            ({"s3": {**bucket, "endpoint": "https://s3.elsewhere.example/copy"}}, True, "is no address"),
            ({"s3": {**bucket, "bucket": "Copy"}}, True, "is no bucket's name"),
            ({"s3": {**bucket, "authorities": "/etc/ca.pem"}}, True, "holds no certificate"),
            ({"directory": "copy"}, False, "kinora_media_copy.directory 'copy' is no absolute path"),
            ({"directory": "/srv/kinora/copy"}, False, "kinora_media_copy.directory /srv/kinora/copy and kinora_storage_path /srv/kinora are in one another"),
            ({"directory": "/srv"}, False, "kinora_media_copy.directory /srv and kinora_storage_path /srv/kinora are in one another"),
            ("/srv/kinora-copy", False, "kinora_media_copy is '/srv/kinora-copy'"),
        ):
            with self.subTest(what or str(place)):
                given = {"kinora_media_copy": place, "kinora_media_copy_s3_secrets": secrets, "kinora_storage_path": "/srv/kinora"}
                problems = self.problems(lambda inventory, given=given: inventory.update(given))
                self.assertEqual(problems == "", what is None, problems)
                self.assertIn(what or "", problems)

    def test_audit_target(self):
        sound = {"name": "logs.studio.example", "address": "10.1.2.4"}
        for part, word in (
            ({}, ""),
            ({"port": 10514, "authorities": "-----BEGIN CERTIFICATE-----"}, ""),
            ({"name": ""}, "lacks name"),
            ({"name": "logs.studio.example\" x=\""}, "is no name"),
            ({"address": "logs.studio.example"}, "no network address"),
            ({"authorities": "/etc/ca.pem"}, "holds no certificate"),
            ({"adress": "10.1.2.4"}, "kinora_audit_target has no adress"),
            ({"port": 0}, "port is 0"),
        ):
            problems = self.problems(lambda inventory, part=part: inventory.update(kinora_audit_target={**sound, **part}))
            self.assertEqual(problems == "", word == "", problems)
            self.assertIn(word, problems)

    def test_identity_providers(self):
        sound = {"name": "login.studio.example", "address": "10.1.2.6"}
        for providers, word in (
            ([sound, {**sound, "port": 8443}], ""),
            (sound, "is no list"),
            (["login.studio.example"], "entry 1 is 'login.studio.example'"),
            ([{**sound, "name": "https://login.studio.example/metadata"}], "is no name"),
            ([{"name": "login.studio.example"}], "lacks address"),
            ([{**sound, "address": "login.studio.example"}], "no network address"),
            ([sound, {**sound, "address": "10.1.2.7"}], "entry 2: login.studio.example has another address"),
            ([{**sound, "url": "x"}], "entry 1 has no url"),
            ([{**sound, "port": "https"}], "port is https"),
        ):
            problems = self.problems(lambda inventory, providers=providers: inventory.update(kinora_identity_providers=providers))
            self.assertEqual(problems == "", word == "", problems)
            self.assertIn(word, problems)

    def test_storage_s3(self):
        sound = {"endpoint": "https://s3.studio.example", "address": "10.1.2.5", "bucket": "kinora"}
        both = {"kinora_storage_s3_access_key": True, "kinora_storage_s3_secret_key": True}
        for part, keys, word in (
            ({}, both, ""),
            ({"endpoint": "http://s3.studio.example:9000", "allow_http": True, "region": "eu", "prefix": "a"}, both, ""),
            ({"authorities": "-----BEGIN CERTIFICATE-----"}, both, ""),
            ({}, {}, "kinora_storage_s3_access_key is not set | kinora_storage_s3_secret_key is not set"),
            ({"endpoint": "http://s3.studio.example"}, both, "is not https"),
            ({"endpoint": "s3.studio.example"}, both, "is no address"),
            ({"endpoint": "https://s3.studio.example/kinora"}, both, "is no address"),
            ({"address": "s3.studio.example"}, both, "no network address"),
            ({"bucket": ""}, both, "lacks bucket"),
            ({"bucket": "Kinora Media"}, both, "is no bucket's name"),
            ({"authorities": "/etc/ca.pem"}, both, "holds no certificate"),
            ({"secret_key": "x"}, both, "kinora_storage_s3 has no secret_key"),
        ):
            problems = self.problems(lambda inventory, part=part, keys=keys: inventory.update(kinora_storage_s3={**sound, **part}, **keys))
            self.assertEqual(problems == "", word == "", problems)
            self.assertIn(word, problems)
        self.assertIn("kinora_storage_s3 is not", self.problems(lambda inventory: inventory.update(both)))

    def test_unknown_variable(self):
        problems = preflight.inventory_problems(inventory("full"), variables("full")["kinora_zones"], {**variables("full"), "kinora_public_nam": "x"})
        self.assertEqual((problems[0]["what"], problems[0]["do"]), ("there is no variable kinora_public_nam", "did you mean kinora_public_name?"))

    def test_renamed_variable(self):
        renamed = [{"from": "kinora_nas_path", "to": "kinora_storage_path", "version": "0.2.0"}]
        self.assertIn("kinora_nas_path was renamed", self.problems(lambda values: values.update(kinora_nas_path="/x"), renamed=renamed))

    def test_changes_that_were_not_read(self):
        changes = [{"version": "0.2.0", "text": "second"}, {"version": "0.1.0", "text": "first"}, {"version": "0.10.0", "text": "tenth"}]
        problems = self.problems(bundle_version="0.10.0", changes=changes)
        self.assertNotIn("first", problems)
        self.assertLess(problems.index("second"), problems.index("tenth"))
        self.assertIn("not a version", self.problems(lambda values: values.pop("kinora_acknowledged_version"), bundle_version="0.1.0"))
        # A bundle built for development is told apart from a release, which is what is acknowledged.
        values = {**variables("full"), "kinora_acknowledged_version": ""}
        never = preflight.inventory_problems(inventory("full"), values["kinora_zones"], values, bundle_version="0.2.0~dev3.g0123abc")
        self.assertIn('set kinora_acknowledged_version: "0.2.0" once', never[0]["do"])

    def test_addresses(self):
        def move(fleet):
            fleet["hosts"]["app1"]["addresses"]["backend"]["ipv4"] = "10.61.40.21"

        problems = self.problems(fleet_change=move)
        self.assertIn("app1's backend address 10.61.40.21 is not in 10.61.30.0/24", problems)
        self.assertIn("app1 and app1 both have 10.61.40.21", problems)

    def test_zones(self):
        self.assertIn("overlap", self.problems(lambda values: values["kinora_zones"]["storage"].update(ipv4="10.61.50.0/25")))

        def take(fleet):
            del fleet["hosts"]["wk1"]["addresses"]["storage"]

        self.assertIn("wk1 has no address in the zone storage", self.problems(fleet_change=take))

    def test_ipv6_alone_is_not_enough(self):
        def take(fleet):
            for addresses in fleet["hosts"]["wk1"]["addresses"].values():
                del addresses["ipv4"]

        problems = self.problems(fleet_change=take)
        for zone in ("backend", "storage", "management"):
            self.assertIn(f"wk1 has no IPv4 address in the zone {zone}", problems)
        self.assertNotIn("wk2", problems)

        def take_the_other(fleet):
            for entry in fleet["hosts"].values():
                for addresses in entry["addresses"].values():
                    addresses.pop("ipv6", None)

        self.assertEqual(self.problems(fleet_change=take_the_other), "")

    def test_hosts_among_the_administrators(self):
        def widen(fleet):
            fleet["networks"]["admin_networks"]["ipv4"] = ["10.61.50.0/28"]

        self.assertIn("lb1's address 10.61.50.11 is in kinora_admin_networks", self.problems(fleet_change=widen))

    def test_names(self):
        def rename(fleet):
            fleet["hosts"]["Be_1"] = fleet["hosts"].pop("be1")

        self.assertIn("Be_1 cannot be a host's name", self.problems(fleet_change=rename))
        for name in ("https://kinora.example", "kinora", "", "-x.example"):
            self.assertIn("is not a name people can open", self.problems(lambda values: values.update(kinora_public_name=name)))

    def test_majority(self):
        def leave(fleet):
            fleet["hosts"]["be2"]["groups"] = []

        problems = self.problems(fleet_change=leave)
        self.assertIn("there are 2 backends", problems)
        self.assertIn("be2 is in no group", problems)


class Hosts(unittest.TestCase):
    """What hosts say of themselves."""

    def problems(self, text, before=999, after=1001):
        return found(preflight.host_problems(inventory("full"), "app1", text, before, after, NEEDS))

    def test_sound(self):
        self.assertEqual(self.problems(SOUND), "")

    def test_the_controller_is_let_in(self):
        admin = str(next(iter(inventory("full")["networks"]["admin_networks"]["ipv4"]))).partition("/")[0]
        for source in (admin, "127.0.0.1", "::1"):
            self.assertEqual(self.problems(f"from {source}\n{SOUND}"), "")
        self.assertIn("you come to it from 192.0.2.7", self.problems(f"from 192.0.2.7\n{SOUND}"))

    def test_each_fault_is_found(self):
        for old, new, what in (
            ("debian 13", "debian 12", "it runs debian 12"),
            ("x86_64", "aarch64", "it is a aarch64"),
            ("root yes", "root no", "does not become root"),
            ("python yes", "python no", "no /usr/bin/python3"),
            ("disk_mb 90000", "disk_mb 1200", "/var has 1.2 GB free"),
            ("memory_mb 8000", "memory_mb 700", "it has 0.7 GB of memory"),
            ("address fd61:30::21", "address fd61:30::99", "does not have its backend address fd61:30::21"),
            ("storage present", "storage absent", "no directory /srv/kinora"),
            ("storage present", "storage hangs", "the storage at /srv/kinora does not answer"),
            ("storage present", "storage present\nbackup_mb 1500", "/srv/kinora-backup has 1.5 GB free"),
            ("tcp 8443 systemd", "tcp 8443 nginx", "port 8443/tcp, for application, is held by nginx"),
            ("storage present", "storage present\nfirewall ufw", "ufw manages the firewall already"),
            ("clock 1000", "clock 1100", "its clock is 0:01:39 off"),
            ("clock 1000", "clock 900", "its clock is 0:01:39 off"),
        ):
            with self.subTest(what):
                self.assertIn(what, self.problems(SOUND.replace(old, new)))

    def test_all_faults_are_told_at_once(self):
        problems = self.problems(SOUND.replace("debian 13", "debian 12").replace("python yes", "python no"))
        self.assertIn("debian 12", problems)
        self.assertIn("python3", problems)

    def test_a_host_that_does_not_answer(self):
        self.assertIn("could not be asked", self.problems("Permission denied (publickey)."))

    def test_copies(self):
        self.assertEqual(preflight.fleet_problems({"a": "installed yes\nend"}, True), [])
        self.assertEqual(len(preflight.fleet_problems({"a": "installed yes\nend"}, False)), 1)
        problems = preflight.fleet_problems({"a": "machine_id 1\nend", "b": "machine_id 1\nend", "c": "machine_id 2\nend"})
        self.assertEqual(found(problems), "it has the machine id of a")

    def test_backups_beside_the_system_are_noted(self):
        outputs = {"be3": "backup_mb 9000\nbackup beside\nend", "be2": "end", "db1": "backup_mb 9000\nbackup apart\nend"}
        (note,) = preflight.backup_notes(outputs, "/srv/kinora-backup")
        self.assertIn("be3 keeps the backups (/srv/kinora-backup) on the disk of its own system", note)

    def test_the_place_of_the_backups_is_asked_about_where_it_is_still_missing(self):
        script = (Path(__file__).resolve().parent.parent / "playbooks/files/preflight.sh").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as place:
            answer = subprocess.run(["sh", "-c", f"systemctl() {{ false; }}; STORAGE=; COPY=; BACKUP='{place}/not/yet'; {script}"], capture_output=True, text=True, check=True).stdout
        self.assertTrue(int(preflight.parse(answer)["backup_mb"][0]) > 0)
        self.assertIn(preflight.parse(answer)["backup"], (["beside"], ["apart"]))

    def ask(self, storage):
        """What preflight.sh says of a storage of this machine."""
        script = (ANSIBLE / "playbooks/files/preflight.sh").read_text(encoding="utf-8")
        answer = subprocess.run(["sh", "-c", f"systemctl() {{ false; }}; STORAGE='{storage}'; COPY=; BACKUP=; {script}"], capture_output=True, text=True, check=True).stdout
        return {key: values for key, values in preflight.parse(answer).items() if key in ("storage", "vault", "storage_id")}

    def test_the_storage_is_asked_about(self):
        with tempfile.TemporaryDirectory() as place:
            self.assertEqual(self.ask(f"{place}/away"), {"storage": ["absent"]})
            self.assertEqual(self.ask(place), {"storage": ["present"], "vault": ["absent"]})
            (Path(place) / "vault").mkdir()
            (Path(place) / "vault" / "storage-id").write_text("7d0c\n", encoding="utf-8")
            self.assertEqual(self.ask(place), {"storage": ["present"], "vault": ["present"], "storage_id": ["7d0c"]})

    def test_report(self):
        text = preflight.report([{"host": "a", "what": "w", "do": "d"}])
        self.assertIn("a\n  - w\n    → d", text)


BARE = "vault absent\nend"
MARKED = "vault present\nstorage_id 7d0c\nend"
USED = "storage_used yes\nstorage_known 7d0c\n"
UNMARKED = "vault present\nstorage_used yes\nend"


class Storage(unittest.TestCase):
    """The storage is the one that it was, and the same one for all."""

    def problems(self, is_new=False, **outputs):
        return [(problem["host"], problem["what"]) for problem in preflight.storage_problems({"db1": "end", **outputs}, "/srv/kinora", is_new)]

    def test_nothing_is_said_where_it_is_right(self):
        self.assertEqual(self.problems(), [])
        self.assertEqual(self.problems(app1=BARE), [])
        self.assertEqual(self.problems(app1=BARE, app2=BARE, wk1=BARE), [])
        self.assertEqual(self.problems(app1=USED + MARKED), [])
        # Of a release that did not mark it yet.
        self.assertEqual(self.problems(app1=UNMARKED, app2=UNMARKED), [])
        # A new host, one that broke off before it knew the storage, and an installation that is made anew around its media.
        self.assertEqual(self.problems(app1=USED + MARKED, app2=MARKED, app3="storage_used yes\n" + MARKED), [])
        self.assertEqual(self.problems(app1=MARKED, app2=MARKED), [])

    def test_a_host_whose_mount_is_away_is_told(self):
        (problem,) = self.problems(app1=USED + BARE)
        self.assertEqual(problem[0], "app1")
        self.assertIn("/srv/kinora/vault is missing, which this installation has", problem[1])
        self.assertEqual([host for host, _ in self.problems(app1=USED + MARKED, app2=USED + BARE, wk1=USED + MARKED)], ["app2"])
        # Also a bare one, which would be given a directory of its own.
        self.assertEqual([host for host, _ in self.problems(app1=USED + MARKED, app2=BARE)], ["app2"])
        self.assertEqual([host for host, _ in self.problems(app1=UNMARKED, app2=BARE)], ["app2"])

    def test_another_storage_is_told(self):
        other = MARKED.replace("7d0c", "ffff")
        self.assertEqual(self.problems(app1=USED + other), [("app1", "/srv/kinora/vault is not the storage that this host had")])
        self.assertEqual(self.problems(app1=USED + "vault present\nend"), [("app1", "/srv/kinora/vault is not the storage that this host had")])
        self.assertEqual(self.problems(app1=USED + MARKED, app2=other, wk1=USED + MARKED), [("app2", "its storage at /srv/kinora is not the one of app1, wk1")])
        self.assertEqual(self.problems(app1=MARKED, app2=MARKED, wk1=BARE), [("wk1", "its storage at /srv/kinora is not the one of app1, app2")])

    def test_another_storage_on_purpose(self):
        self.assertEqual(self.problems(True, app1=USED + BARE, app2=USED + BARE), [])
        self.assertEqual([host for host, _ in self.problems(True, app1=USED + MARKED, app2=USED + BARE, wk1=USED + MARKED)], ["app2"])

    def test_bare_hosts_of_an_installation_that_was_lost_need_its_storage(self):
        def found(is_new, **outputs):
            return [problem["host"] for problem in preflight.storage_problems(outputs, "/srv/kinora", is_new, True)]

        self.assertEqual(found(False, app1=MARKED), [])
        self.assertEqual(found(False, app1="vault present\nend"), [])
        self.assertEqual(found(False, app1=BARE), ["app1"])
        self.assertEqual(found(True, app1=BARE), [])
        self.assertFalse(preflight.storage_plan(inventory("full"), {"app1": BARE}, False, True)["may_be_made"])

    def test_who_makes_it(self):
        fleet = inventory("full")
        self.assertEqual(preflight.storage_plan(fleet, {"wk1": BARE, "db1": "end", "app1": BARE, "app2": BARE}), {"first": "app1", "may_be_made": True, "is_new": False})
        self.assertFalse(preflight.storage_plan(fleet, {"app1": BARE, "app2": USED + MARKED})["may_be_made"])
        self.assertTrue(preflight.storage_plan(fleet, {"app1": USED + BARE}, True)["may_be_made"])
        self.assertEqual(preflight.storage_plan(fleet, {"db1": "end"})["first"], "")


class StorageScript(unittest.TestCase):
    """What the roles do at the storage."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)
        self.vault, self.known = self.place / "nas" / "vault", self.place / "known"
        self.vault.parent.mkdir()

    def run_script(self, make="no", mark="no", new="no", known=None):
        script = (ANSIBLE / "roles/base/files/storage.sh").read_text(encoding="utf-8")
        return subprocess.run(["sh", "-c", script, "storage", self.vault.parent, known or self.known, make, mark, new], capture_output=True, text=True, check=False)

    def test_it_is_made_and_marked_once(self):
        done = self.run_script("yes", "yes")
        self.assertEqual((done.returncode, done.stdout.count("made ")), (0, 3), done.stderr)
        self.assertEqual((self.vault / "storage-id").read_text(encoding="ascii"), self.known.read_text(encoding="ascii"))
        self.assertEqual(sorted(path.name for path in self.vault.iterdir()), ["storage-id"])
        done = self.run_script("yes", "yes")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        # Another host.
        self.assertEqual(self.run_script(known=self.place / "other").returncode, 0)

    def test_it_is_not_made_where_it_was_before(self):
        done = self.run_script(mark="yes")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not mounted", done.stderr)
        self.assertEqual(list(self.vault.parent.iterdir()), [])

    def test_others_wait_for_what_the_first_makes(self):
        self.assertEqual(self.run_script("yes").returncode, 2)
        self.assertEqual(list(self.vault.parent.iterdir()), [])
        self.vault.mkdir()
        self.assertEqual(self.run_script("yes").returncode, 2)
        self.assertEqual(self.run_script().returncode, 2)
        self.assertFalse(self.known.exists())

    def test_another_storage_is_refused_but_on_purpose(self):
        self.run_script("yes", "yes")
        self.known.write_text("ffff\n", encoding="ascii")
        self.assertEqual(self.run_script().returncode, 1)
        self.assertEqual(self.run_script(new="yes").returncode, 0)
        self.assertEqual(self.run_script().returncode, 0)


if __name__ == "__main__":
    unittest.main()
