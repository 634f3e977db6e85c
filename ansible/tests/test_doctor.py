"""The verb doctor: silent on a healthy fleet, and exactly one finding for each thing that is broken."""

import copy
import re
import tempfile
import unittest
from pathlib import Path

from doctor_facts import NOW, healthy, plugin
from inventories import ANSIBLE, NAMES, inventory

doctor = plugin.doctor
FLEET = doctor.FLEET
DAY = 86400
PATRONI = ("database", "cluster")
POSTGRESQL = ("database", "postgresql")
BACKEND = "rabbit@{}.backend.kinora.internal"


def unit(name, **changes):
    return [(("units", "wanted", name, key), value) for key, value in changes.items()]


def mount(**changes):
    return [(("disks", "mounts", 0, key), value) for key, value in changes.items()]


def member(place, **changes):
    """Both databases tell the same of a member."""
    return {host: [((*PATRONI, "members", place, key), value) for key, value in changes.items()] for host in ("db1", "db2")}


def queue(place, **changes):
    return {host: [(("queues", "list", place, key), value) for key, value in changes.items()] for host in ("be1", "be2", "be3")}


def everywhere(*changes):
    return {host: list(changes) for host in ("be1", "be2", "be3")}


# Check, who is named, and what is broken on the layout `full`: host → [(path in its facts, value)].
CASES = [
    ("memory-short", "app1", {"app1": [(("system", "memory", "MemAvailable"), 100 << 20)]}),
    ("memory-killed", "wk1", {"wk1": [(("system", "killed_for_memory"), ["Out of memory: Killed process 4711 (ffmpeg) total-vm:9437184kB"])]}),
    ("swap-full", "app1", {"app1": [(("system", "memory", "SwapFree"), 1 << 20)]}),
    ("reboot-needed", "lb1", {"lb1": [(("system", "reboot_required"), True)]}),
    ("kernel-old", "lb1", {"lb1": [(("system", "kernel"), "6.12.48+deb13-amd64")]}),
    ("routing-on", "app1", {"app1": [(("system", "forwards"), True)]}),
    ("ssh-passwords", "app1", {"app1": [(("system", "ssh_passwords"), True)]}),
    ("namespaces-off", "wk2", {"wk2": [(("system", "user_namespaces"), 0)]}),
    ("time-zone", "db1", {"db1": [(("system", "zone"), "Europe/Berlin")]}),
    ("clock-differs", "db2", {"given": [(("clocks", "db2"), (NOW, NOW + 301, NOW + 1.5))]}),
    ("clock-unkept", "be1", {"be1": [(("clock", "leap"), "Not synchronised")]}),
    ("disk-full", "db1", {"db1": mount(percent=93)}),
    ("inodes-full", "app1", {"app1": mount(inodes_percent=97)}),
    ("disk-read-only", "app1", {"app1": mount(read_only=True)}),
    ("mount-hangs", "app2", {"app2": mount(hangs=True)}),
    ("journal-not-kept", "app1", {"app1": [(("journal", "persistent"), False)]}),
    ("journal-short", "app1", {"app1": [(("journal", "reaches_back"), 7200.0)]}),
    ("names-missing", "app1", {"app1": [(("names", "missing"), ["db1.backend.kinora.internal"])]}),
    ("names-other", "app1", {"app1": [(("names", "other"), ["db1.backend.kinora.internal 10.9.9.9"])]}),
    ("address-missing", "app1", {"app1": [(("network", "zones", "storage", "10.61.40.21"), None)]}),
    ("link-down", "app1", {"app1": [(("network", "zones", "storage", address), {"name": "en-storage", "mtu": 1500, "up": False}) for address in ("10.61.40.21", "fd61:40::21")]}),
    ("mtu-differs", "app1", {"app1": [(("network", "zones", "backend", address, "mtu"), 9000) for address in ("10.61.30.21", "fd61:30::21")]}),
    ("port-silent", "app2", {"app2": [(("network", "listens"), [22, 9100, 9180])]}),
    ("port-unreachable", "app1", {"app1": [(("network", "probes", 0, "answer"), "no answer")]}),
    ("public-address-none", FLEET, {"lb1": [(("network", "public"), [])]}),
    ("public-address-twice", FLEET, {"lb2": [(("network", "public"), ["10.61.10.100"])]}),
    ("firewall-off", "app1", {"app1": [(("firewall", "loaded"), False), (("firewall", "drops"), False), (("firewall", "as_file"), None)]}),
    ("firewall-open", "app1", {"app1": [(("firewall", "drops"), False), (("firewall", "as_file"), False)]}),
    ("firewall-changed", "app1", {"app1": [(("firewall", "as_file"), False)]}),
    ("firewall-outdated", "app1", {"app1": [(("firewall", "file_as_inventory"), False)]}),
    ("firewall-pending", "app1", {"app1": [(("firewall", "pending"), True), (("firewall", "as_file"), False), (("firewall", "unconfirmed"), True)]}),
    ("firewall-other", "app1", {"app1": [(("firewall", "others"), ["ufw"])]}),
    ("unit-missing", "lb1", {"lb1": unit("kinora-canary.timer", load="not-found", active="inactive", enabled="", drop_ins=[])}),
    ("unit-masked", "be1", {"be1": unit("kinora-backend.service", load="masked", active="inactive", enabled="masked", drop_ins=[])}),
    ("unit-stopped", "app1", {"app1": unit("kinora-application.service", active="failed", result="exit-code")}),
    ("unit-restarting", "be2", {"be2": unit("kinora-backend.service", active="activating", sub="auto-restart", restarts=41, result="exit-code")}),
    ("unit-disabled", "app1", {"app1": unit("kinora-application.service", enabled="disabled")}),
    ("unit-failed", "app1", {"app1": [(("units", "failed"), ["apt-daily.service"])]}),
    ("unit-file-changed", "app1", {"app1": unit("ssh.service", stale=True)}),
    ("unit-old-program", "app1", {"app1": unit("kinora-application.service", old_program=True)}),
    ("sandbox-missing", "app1", {"app1": unit("kinora-application.service", drop_ins=["/etc/systemd/system/kinora-application.service.d/30-kinora-host.conf"])}),
    ("secret-missing", "app1", {"app1": [(("credentials", "wrong", "/etc/kinora/credentials/application/session-key"), "missing")]}),
    ("secret-readable", "app1", {"app1": [(("credentials", "wrong", "/etc/kinora/credentials/application/session-key"), "mode 0644")]}),
    ("settings-refused", "app1", {"app1": [(("settings", "refused", "/etc/kinora/application.toml"), "/etc/kinora/application.toml: threads: must be a number")]}),
    ("settings-unread", "app1", {"app1": [(("settings", "unread"), ["/etc/kinora/application.toml kinora-application.service"])]}),
    ("certificate-unreadable", "app1", {"app1": [(("certificates", "files", "host.pem"), {"unreadable": "Could not find certificate"})]}),
    ("certificate-ends", "app1", {"app1": [(("certificates", "files", "host.pem", "days"), 12)]}),
    ("certificate-ended", "app1", {"app1": [(("certificates", "files", "host.pem", "days"), -2)]}),
    ("certificate-chain", "app1", {"app1": [(("certificates", "files", "host.pem", "chain"), False)]}),
    ("certificate-key", "app1", {"app1": [(("certificates", "files", "host.pem", "key_fits"), False)]}),
    ("certificate-name", "app1", {"app1": [(("certificates", "files", "host.pem", "name_fits"), False)]}),
    ("certificate-copy-stale", "db1", {"db1": [(("certificates", "stale"), ["/etc/postgresql/tls/host.pem"])]}),
    ("certificate-not-shown", "be1", {"be1": [(("certificates", "shown", "5671"), False)]}),
    ("authorities-differ", "app1", {"app1": [(("certificates", "authorities"), "0000")]}),
    ("master-key-differs", "wk2", {"wk2": [(("fingerprints", "/etc/kinora/credentials/worker/vault-master-key", "hash"), "0000")]}),
    ("session-key-differs", None, {"app2": [(("fingerprints", "/etc/kinora/credentials/application/session-key", "hash"), "0000")]}),
    ("packages-differ", FLEET, {"app2": [(("packages", "versions", "kinora-application"), "0.2.0-1")]}),
    ("packages-other-release", FLEET, {"given": [(("version",), "0.2.0")]}),
    ("engines-differ", FLEET, {"db2": [(("packages", "versions", "patroni"), "4.1.0-1")]}),
    ("packages-broken", "app1", {"app1": [(("packages", "broken"), ["kinora-application"])]}),
    ("database-silent", "db2", {"db2": [(POSTGRESQL, {"error": "psql: error: connection to server on socket failed: FATAL: the database system is starting up"})]}),
    ("patroni-silent", "db2", {"db2": [(PATRONI, {"error": "timed out"})]}),
    ("database-no-leader", FLEET, {"db1": [((*POSTGRESQL, "standby"), True)]}),
    ("database-two-leaders", FLEET, {"db2": [((*POSTGRESQL, "standby"), False)]}),
    ("database-member", "db2", member(1, state="start failed", lag="unknown")),
    ("database-member-missing", "db2", {host: [((*PATRONI, "members", 1), None)] for host in ("db1", "db2")}),
    ("database-lag", "db2", member(1, lag=700_000_000)),
    ("database-no-sync", FLEET, member(1, role="replica")),
    ("database-paused", FLEET, {"db1": [((*PATRONI, "pause"), True)], "db2": [((*PATRONI, "pause"), True)]}),
    ("database-timeline", "db2", member(1, timeline=2)),
    ("archive-failing", "db1", {"db1": [((*POSTGRESQL, "archive_failed"), NOW), ((*POSTGRESQL, "log_waiting"), 9)]}),
    ("database-log-large", "db1", {"db1": [((*POSTGRESQL, "log_bytes"), 9 * 10**9)]}),
    ("slot-idle", "db1", {"db1": [((*POSTGRESQL, "idle_slots"), ["db2"])]}),
    ("connections-many", "db1", {"db1": [((*POSTGRESQL, "connections"), 190)]}),
    ("transaction-long", "db1", {"db1": [((*POSTGRESQL, "oldest_transaction"), 7300)]}),
    ("transactions-old", "db1", {"db1": [((*POSTGRESQL, "transaction_age"), 1_400_000_000)]}),
    ("database-damaged", "db1", {"db1": [((*POSTGRESQL, "damaged_pages"), 3)]}),
    ("database-restart-pending", "db1", {"db1": [((*POSTGRESQL, "pending_restart"), ["max_connections"])]}),
    ("etcd-silent", "be3", {"be3": [(("etcd", "healthy"), False), (("etcd", "members"), [])]}),
    ("etcd-member-missing", "be3", everywhere((("etcd", "members"), ["be1", "be2"]))),
    ("etcd-alarm", "be1", {"be1": [(("etcd", "alarms"), ["NOSPACE"])]}),
    ("etcd-large", "be1", {"be1": [(("etcd", "bytes"), 1_900_000_000)]}),
    ("broker-silent", "be1", {"be1": [(("broker", "status"), {"error": "rabbitmqctl did not end within 20 s"})]}),
    ("broker-node-missing", "be3", everywhere((("broker", "status", "running_nodes"), [BACKEND.format("be1"), BACKEND.format("be2")]))),
    ("broker-partition", "be1", {"be1": [(("broker", "status", "partitions"), {BACKEND.format("be1"): [BACKEND.format("be2")]})]}),
    ("broker-alarm", "be1", {"be1": [(("broker", "status", "alarms"), [{"node": BACKEND.format("be1"), "resource": "disk", "type": "resource_limit"}])]}),
    ("broker-drained", "be2", everywhere((("broker", "status", "maintenance_status", BACKEND.format("be2")), "marked for maintenance"))),
    ("queue-no-majority", FLEET, queue(0, online=[BACKEND.format("be1")])),
    ("queue-few-members", FLEET, queue(0, members=[BACKEND.format("be1")], online=[BACKEND.format("be1")])),
    ("queue-dead-letters", FLEET, queue(4, messages=3)),
    ("queue-no-consumers", FLEET, queue(0, consumers=0)),
    ("redis-silent", "be2", {"be2": [(("redis", "role"), None), (("redis", "problem"), "timed out")]}),
    ("sentinel-silent", "be2", {"be2": [(("redis", "primary"), None), (("redis", "sentinel_problem"), "timed out")]}),
    ("redis-no-primary", FLEET, {"be1": [(("redis", "role"), {"is": "slave", "link": "connected"})]}),
    ("redis-primary-differs", FLEET, {"be3": [(("redis", "primary"), "be2.backend.kinora.internal")]}),
    ("redis-not-following", "be2", {"be2": [(("redis", "role", "link"), "connect")]}),
    ("sentinels-few", "be2", {"be2": [(("redis", "sentinels"), 1)]}),
    ("balancer-server-down", "app2", {"lb1": [(("haproxy", "servers", 1, "status"), "DOWN")], "lb2": [(("haproxy", "servers", 1, "status"), "DOWN 1/2")]}),
    ("balancer-drained", "app2", {"lb1": [(("haproxy", "servers", 1, "status"), "DRAIN")]}),
    ("ffmpeg-missing", "wk1", {"wk1": [(("media", "ffmpeg"), False), (("media", "zscale"), False)]}),
    ("zscale-missing", "wk1", {"wk1": [(("media", "zscale"), False)]}),
    ("worker-drained", "wk1", {"wk1": [(("media", "drained"), True)]}),
    ("scratch-missing", "wk1", {"wk1": [(("media", "scratch"), False)]}),
    ("target-down", "wk2", everywhere((("monitoring", "down"), [{"job": "worker", "host": "wk2", "instance": "wk2.management.kinora.internal:9182", "value": 0.0}]))),
    ("alert-firing", "app1", everywhere((("monitoring", "alerts"), [{"alertname": "KinoraErrors", "alertstate": "firing", "host": "app1", "value": 1.0}]))),
    ("work-waits", FLEET, everywhere((("monitoring", "oldest"), [{"kind": "render", "state": "queued", "value": 5400.0}]))),
    ("leader-missing", FLEET, everywhere((("monitoring", "leaders"), [{"value": 0.0}]))),
    ("alerts-lost", FLEET, everywhere((("monitoring", "alerts_lost"), [{"host": "be1", "integration": "email", "value": 4.0}]))),
    ("storage-hangs", "app1", {"app1": [(("storage", "hangs"), True), (("storage", "there"), False)]}),
    ("storage-missing", "app1", {"app1": [(("storage", "there"), False)]}),
    ("storage-unwritable", "wk1", {"wk1": [(("storage", "refuses"), ["kinora-worker"])]}),
    ("storage-differs", "app2", {"app2": [(("storage", "id"), ""), (("storage", "mount"), "/")]}),
    ("backup-unreachable", "db2", {"db2": [(("backups", "info"), {"error": "ERROR: [049]: unable to connect to 'db1.backend.kinora.internal:8432'"})]}),
    ("backup-none", None, {"repository": [(("backups", "info", "stanzas", 0, "backup"), []), (("backups", "info", "stanzas", 0, "status"), {"code": 2, "message": "no valid backups"})]}),
    ("backup-old", None, {"repository": [(("backups", "info", "stanzas", 0, "backup", 0, "timestamp", "stop"), NOW - 2 * DAY)]}),
    ("backup-place-missing", None, {"repository": [(("backups", "place"), False)]}),
    ("drill-failed", None, {"repository": [(("backups", "drill"), {"ok": False, "age": 60, "problem": "a page is damaged"})]}),
    ("drill-missing", None, {"repository": [(("backups", "drill", "age"), 27 * 3600)]}),
    ("copy-place-missing", "app1", {"app1": [(("copies", "place"), False)]}),
    ("copy-failed", "app1", {"app1": [(("copies", "result"), {"ok": False, "age": 60, "problem": "is it mounted?"})]}),
    ("copy-old", "app1", {"app1": [(("copies", "result", "age"), 27 * 3600)]}),
    ("copy-nobody", FLEET, {"app1": [(("copies",), None)], "app2": [(("copies",), None)]}),
    ("host-silent", "db2", {"given": [(("silent", "db2"), "Connection timed out")], "db2": None}),
    ("not-asked", "app1", {"app1": [(("disks",), {"error": "no answer within 22 s"})]}),
]


def put(tree, path, value):
    """Sets what stands at a path; nothing takes it out of a list."""
    for key in path[:-1]:
        tree = tree[key]
    if value is None and isinstance(tree, list):
        del tree[path[-1]]
    else:
        tree[path[-1]] = value


def broken(changes):
    """What doctor finds on the layout `full` after changes."""
    made, facts, given = healthy("full")
    facts, given = copy.deepcopy(facts), copy.deepcopy(given)
    for host, steps in changes.items():
        host = made["members"]["backup_repository"]["backend"][0]["host"] if host == "repository" else host
        if steps is None:
            facts[host] = None
            continue
        for path, value in steps:
            put(given if host == "given" else facts[host], path, copy.deepcopy(value))
    return doctor.diagnose(made, facts, given)


class Healthy(unittest.TestCase):
    """No false alarms."""

    def test_nothing_is_found_in_any_layout(self):
        for layout in NAMES:
            with self.subTest(layout):
                made, facts, given = healthy(layout)
                self.assertEqual(doctor.diagnose(made, facts, given), [])
                self.assertTrue(doctor.report([], len(made["hosts"])).startswith("nothing found"))
                self.assertEqual(len(doctor.report([], len(made["hosts"])).splitlines()), 1)


class Broken(unittest.TestCase):
    """Each check."""

    def test_each_is_found_and_nothing_else(self):
        for check, host, changes in CASES:
            with self.subTest(check):
                found = broken(changes)
                self.assertEqual([finding.check for finding in found], [check], [finding.what for finding in found])
                if host:
                    self.assertEqual(found[0].host, host)
                for text in (found[0].what, found[0].cause, found[0].fix):
                    self.assertTrue(text.strip())

    def test_every_check_has_a_case(self):
        tried = {check for check, _, _ in CASES}
        self.assertEqual(tried, {*doctor.CHECKS, *doctor.OWN_CHECKS})
        self.assertEqual(len(CASES), len(tried))

    def test_there_are_enough(self):
        self.assertGreaterEqual(doctor.check_count(), 40)

    def test_what_a_stopped_unit_brings_about_is_not_told_again(self):
        changes = everywhere((("broker", "status", "running_nodes"), [BACKEND.format("be1"), BACKEND.format("be2")]), (("monitoring", "alerts"), [{"alertname": "KinoraUnitDown", "host": "be3", "value": 1.0}]))
        changes["be3"] = [*unit("rabbitmq-server.service", active="inactive"), (("broker",), {"error": "x"}), (("queues",), {"error": "x"}), (("network", "listens"), [22])]
        self.assertIn("unit-stopped", [finding.check for finding in broken(changes)])
        self.assertFalse({"broker-node-missing", "not-asked", "alert-firing", "broker-silent"} & {finding.check for finding in broken(changes)})

    def test_ways_that_refuse_because_nothing_listens_are_not_told(self):
        made, facts, _ = healthy("full")
        target = facts["app1"]["network"]["probes"][0]
        listens = [port for port in facts[target["host"]]["network"]["listens"] if port != target["port"]]
        found = broken({"app1": [(("network", "probes", 0, "answer"), "refused")], target["host"]: [(("network", "listens"), listens)]})
        self.assertEqual({finding.check for finding in found} - {"port-silent"}, set())


class Page(unittest.TestCase):
    """What the operator reads."""

    def test_each_finding_has_cause_and_fix(self):
        text = doctor.report(broken(dict(CASES[0][2])), 11)
        self.assertRegex(text, r"1 thing found\n\napp1\n  - \[memory-short\] only 100 MB of memory are left\n      why: .+\n      do:  .+")

    def test_pages_that_fixes_name_are_there(self):
        pages = set()
        for path in sorted((ANSIBLE / "doctor").glob("*.py")):
            pages |= set(re.findall(r"docs/operations/([a-z-]+\.md)", path.read_text(encoding="utf-8")))
        for page in pages:
            self.assertTrue((ANSIBLE.parent / "docs" / "operations" / page).is_file(), page)

    def test_the_page_names_every_check(self):
        text = (ANSIBLE.parent / "docs" / "operations" / "doctor.md").read_text(encoding="utf-8")
        named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text))
        self.assertEqual({*doctor.CHECKS, *doctor.OWN_CHECKS} - named, set())


class Questions(unittest.TestCase):
    """What a host is asked."""

    def test_only_what_its_roles_have(self):
        from doctor_facts import GIVEN

        made = inventory("full")
        self.assertEqual(plugin.questions(made, "lb1", GIVEN)["storage_path"], "")
        self.assertEqual(plugin.questions(made, "app1", GIVEN)["storage_path"], "/srv/kinora")
        self.assertIn(5432, plugin.questions(made, "db1", GIVEN)["tls_ports"])
        flows = {probe["flow"] for probe in plugin.questions(made, "wk1", GIVEN)["probes"]}
        self.assertEqual(flows, {"amqps"})

    def test_a_clock_that_is_no_number_is_left_out(self):
        made, facts, given = healthy("single")
        answers = {host: {"facts": said} for host, said in facts.items()}
        found = plugin.findings(made, answers, {"version": "", "clocks": {host: ("1.0", "sudo: no\n", "2.0") for host in facts}, "copies_wanted": False})
        self.assertEqual(found, [])

    def test_the_release_is_that_of_the_bundle_s_packages(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(plugin.release(folder), "")
            (Path(folder) / "debian").mkdir()
            index = "Package: haproxy\nVersion: 3.0.11-1\n\nPackage: kinora-backend\nArchitecture: amd64\nVersion: 0.1.0~dev7.gabc-1\n"
            (Path(folder) / "debian" / "Packages").write_text(index, encoding="utf-8")
            self.assertEqual(plugin.release(folder), "0.1.0~dev7.gabc")

    def test_addresses_are_as_the_kernel_writes_them(self):
        self.assertEqual(plugin._canonical("fd61:0010:0:0::0011"), "fd61:10::11")

    def test_who_does_not_answer_is_told(self):
        made, facts, given = healthy("full")
        answers = {host: {"facts": said} for host, said in facts.items()}
        answers["db2"] = {"unreachable": True, "msg": "Failed to connect to the host via ssh"}
        found = plugin.findings(made, answers, given)
        self.assertEqual([(finding["host"], finding["check"]) for finding in found], [("db2", "host-silent")])


if __name__ == "__main__":
    unittest.main()
