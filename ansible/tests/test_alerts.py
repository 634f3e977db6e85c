"""Alert rules: each has an entry in docs/operations/alerts.md, and asks for figures that something gives; so does what the backend asks."""

import re
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

import yaml
from inventories import ANSIBLE, inventory, kinora
from programs import load_program

ROOT = ANSIBLE.parent
RULES = ANSIBLE / "roles/monitoring/files/rules"
QUERIES = tomllib.loads((ROOT / "services/backend/src/fleet/queries.toml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/operations/alerts.md").read_text(encoding="utf-8")
SEVERITIES = {"critical", "warning", "notice"}
# Of other programs, as Debian 13's versions give them: looked up there, and seen in the lab.
OTHERS = {
    "alertmanager_cluster_members", "alertmanager_config_last_reload_successful", "alertmanager_notifications_failed_total",
    "etcd_server_has_leader", "etcd_server_leader_changes_seen_total",
    "haproxy_server_status",
    "node_filesystem_avail_bytes", "node_filesystem_free_bytes", "node_filesystem_size_bytes", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "node_time_seconds",
    "patroni_is_paused", "patroni_postgres_streaming", "patroni_postgres_timeline", "patroni_primary", "patroni_quorum_standby", "patroni_replica",
    "patroni_sync_standby", "patroni_xlog_location", "patroni_xlog_replayed_location",
    "prometheus_config_last_reload_successful", "prometheus_rule_evaluation_failures_total",
    "rabbitmq_alarms_free_disk_space_watermark", "rabbitmq_alarms_memory_used_watermark", "rabbitmq_unreachable_cluster_peers_count",
}


def rules():
    for file in sorted(RULES.glob("*.yml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def queries():
    """What the leading backend asks for `kinoractl status` and the dashboards."""
    return [*QUERIES["glance"].values(), *(line["query"] for panel in QUERIES["panel"] for line in panel["lines"])]


def named_in(expressions):
    """Names of figures that expressions ask for."""
    return {name for text in expressions for name in re.findall(r"\b(?:kinora|patroni|etcd|rabbitmq|haproxy|alertmanager|prometheus|node)[_:][A-Za-z0-9_]+", text)}


def figures():
    return named_in(rule["expr"] for rule in rules())


class Rules(unittest.TestCase):
    def test_each_has_an_entry_and_each_entry_a_rule(self):
        self.assertEqual(sorted(rule["alert"] for rule in alerts()), sorted(re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)))

    def test_an_entry_says_how_bad_it_is_and_what_to_do(self):
        entries = dict(re.findall(r"^### (\w+)\n(.+?)(?=\n##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
        for rule in alerts():
            with self.subTest(rule["alert"]):
                text = entries[rule["alert"]]
                self.assertTrue(text.startswith(rule["labels"]["severity"]), text[:40])
                self.assertRegex(text, r"\*\*(Fix|Look\*\* and \*\*Fix)|As Kinora")

    def test_each_can_be_read(self):
        for rule in alerts():
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                self.assertEqual(rule["annotations"]["runbook"], f"docs/operations/alerts.md#{rule['alert'].lower()}")
                self.assertTrue(rule["annotations"]["summary"])

    def test_a_name_stands_for_one_rule(self):
        names = [rule.get("alert") or rule["record"] for rule in rules()]
        self.assertEqual(len(names), len(set(names)))

    def test_every_figure_is_given_by_something(self):
        given = OTHERS | {rule["record"] for rule in rules() if "record" in rule} | own_figures()
        self.assertEqual(figures() - given, set())
        self.assertGreater(len(named_in(queries())), 15)
        self.assertEqual(named_in(queries()) - given, set())
        self.assertEqual(OTHERS - figures(), set(), "asked for by no rule")

    def test_the_role_installs_each_file(self):
        listed = yaml.safe_load((ANSIBLE / "roles/monitoring/vars/main.yml").read_text(encoding="utf-8"))["_monitoring_rules"]
        self.assertEqual(listed, sorted(file.stem for file in RULES.glob("*.yml")))


def own_figures():
    """Names of figures of Kinora's programs, and of what runs on the hosts beside them."""
    found = set()
    for file in (ROOT / "services").rglob("*.rs"):
        found |= set(re.findall(r'(?:counter|gauge|histogram)!\(\s*"(kinora_\w+)"', file.read_text(encoding="utf-8")))
    found |= set(re.findall(r'"(kinora_\w+)"', (ANSIBLE / "roles/exporter/files/figures").read_text(encoding="utf-8")))
    for program in ("roles/backup/files/backup-keep", "roles/backup_copy/files/backup-copy"):
        found |= set(re.findall(r"\bkinora_backup_\w+", (ANSIBLE / program).read_text(encoding="utf-8")))
    drill = load_program("roles/backup/files/backup-drill")
    found |= set(re.findall(r"kinora_drill_\w+", drill.figures({"ok": True, "at": 1, "seconds": 2.5})))
    found |= {line.split("{")[0].split()[0] for line in canary_lines({"ok": True, "stages": [STAGE], "steps": [STEP]})}
    template = (ANSIBLE / "roles/monitoring/templates/prometheus.yml.j2").read_text(encoding="utf-8")
    return found | set(re.findall(r"replacement: (kinora_\w+)", template))


STAGE = {"name": "upload", "ok": True, "seconds": 1.5}
STEP = {"kind": "proxy", "worker": "wk1", "seconds": 2.0, "waited_seconds": 0.25}


def canary_lines(report):
    return load_program("roles/canary/files/canary").figures(report, {"film_seconds": 4}, 1000.5)


class Canary(unittest.TestCase):
    def test_figures_of_one_that_was_well(self):
        lines = canary_lines({"ok": True, "stages": [STAGE], "steps": [STEP]})
        self.assertIn("kinora_canary_ok 1", lines)
        self.assertIn("kinora_canary_at_seconds 1000", lines)
        self.assertIn('kinora_canary_stage_seconds{stage="upload"} 1.5', lines)
        self.assertIn('kinora_canary_step_seconds{step="proxy",worker="wk1"} 2.0', lines)

    def test_one_that_failed_says_where_and_counts_no_time(self):
        lines = canary_lines({"ok": False, "stages": [STAGE, {"name": "ingest", "ok": False, "seconds": 300}]})
        self.assertIn("kinora_canary_ok 0", lines)
        self.assertIn('kinora_canary_stage_ok{stage="ingest"} 0', lines)
        self.assertFalse([line for line in lines if line.startswith('kinora_canary_stage_seconds{stage="ingest"')])

    def test_one_that_said_nothing_failed(self):
        self.assertIn("kinora_canary_ok 0", canary_lines({}))

    def test_one_is_checked_before_it_flies(self):
        program = load_program("roles/canary/files/canary")
        with self.assertRaisesRegex(SystemExit, "lacks /nowhere"):
            program.check({"film": "/nowhere", "authorities": "/", "production": "p"})
        with self.assertRaisesRegex(SystemExit, "its production"):
            program.check({"film": "/", "authorities": "/", "production": ""})


class Figures(unittest.TestCase):
    def test_labels_are_quoted(self):
        sample = load_program("roles/exporter/files/figures").sample
        self.assertEqual(sample("a", 1, unit='x"y\\z'), 'a{unit="x\\"y\\\\z"} 1')

    def test_of_backups(self):
        keep = load_program("roles/backup/files/backup-keep")
        with tempfile.TemporaryDirectory() as scratch:
            repository, result = Path(scratch, "repository"), Path(scratch, "kinora.prom")
            keep.tell(result, repository, 2, time.time())
            self.assertIn("kinora_backup_copies_failed 2\n", result.read_text())
            self.assertNotIn("kinora_backup_newest_seconds", result.read_text())
            manifest = repository / "backup/kinora/20261101-013000F/backup.manifest"
            manifest.parent.mkdir(parents=True)
            manifest.write_text("")
            keep.tell(result, repository, 0, time.time())
            self.assertIn(f"kinora_backup_newest_seconds {int(manifest.stat().st_mtime)}\n", result.read_text())


    def test_of_media_copies(self):
        copies = load_program("roles/exporter/files/figures").media_copies
        with tempfile.TemporaryDirectory() as scratch:
            timer, result = Path(scratch, "kinora-media-copy.timer"), Path(scratch, "result.json")
            self.assertEqual(copies(timer, result), [])
            timer.write_text("")
            since = f"kinora_media_copy_expected_since_seconds {int(timer.stat().st_mtime)}"
            self.assertEqual(copies(timer, result), [since])
            for text in ("", "[", '{"ok": false, "at": 1700000000, "good_at": null}', '{"ok": false, "at": 1700000000}'):
                result.write_text(text)
                self.assertEqual(copies(timer, result), [since], text)
            result.write_text('{"ok": true, "at": 1700000000}')
            self.assertEqual(copies(timer, result), [since, "kinora_media_copy_good_at_seconds 1700000000"])
            # The last run failed; what counts is when one went well.
            result.write_text('{"ok": false, "at": 1700086400, "good_at": 1700000000}')
            self.assertEqual(copies(timer, result), [since, "kinora_media_copy_good_at_seconds 1700000000"])


class Egress(unittest.TestCase):
    def test_a_webhook_is_the_backends_alone(self):
        self.assertEqual(kinora.alert_egress({"to": ["a@x.example"]}), [])
        alerts = {"webhook": {"url": "https://hooks.studio.example/kinora", "address": "10.9.9.5"}}
        self.assertEqual(kinora.alert_egress(alerts)[0]["port"], 443)
        fleet = inventory("full")
        fleet["networks"]["egress"] = kinora.alert_egress(alerts)
        for host, entry in fleet["hosts"].items():
            self.assertEqual("10.9.9.5 . 443" in kinora.firewall_addresses(fleet, host), "backends" in entry["groups"], host)
        with self.assertRaisesRegex(kinora.InventoryError, "begins with https"):
            kinora.alert_egress({"webhook": {"url": "http://hooks.studio.example", "address": "10.9.9.5"}})

    def test_only_load_balancers_reach_the_public_address(self):
        fleet = inventory("full")
        self.assertRegex(kinora.firewall_addresses(fleet, "lb2"), r"load_balancers_edge_v4 \{[^}]*10\.61\.10\.100 \}")


if __name__ == "__main__":
    unittest.main()
