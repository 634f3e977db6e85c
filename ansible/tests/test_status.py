"""The status page: what needs attention is found, and stands first."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from inventories import ANSIBLE, inventory, load_plugin
from roles_page import units_of

kinora = load_plugin("kinora")
status = load_plugin("kinora_status")
WELL = """unit ssh.service active
unit haproxy.service active
disk 12 /
days host.pem 397
uptime 90000
end
"""


class Concerns(unittest.TestCase):
    """One host."""

    def test_well(self):
        self.assertEqual(status.host_concerns("a", WELL), [])

    def test_backups_of_today_are_well(self):
        fresh = "backup 93600\ndrill ok 93600 20261122F\nend"
        self.assertEqual(status.host_concerns("a", WELL.replace("end", fresh)), [])
        self.assertEqual(status.host_concerns("a", WELL.replace("end", "backup never 60\ndrill never 60\ncopy never 60\nend")), [])

    def test_each_is_found(self):
        for old, new, what in (
            ("haproxy.service active", "haproxy.service failed", "haproxy.service is failed"),
            ("end", "failed cron.service\nend", "cron.service failed"),
            ("disk 12 /", "disk 85 /", "/ is 85 % full"),
            ("end", "disk 91 /srv/kinora\nend", "/srv/kinora is 91 % full"),
            ("disk 12 /", "disk 85 /\ndisk 85 /", "/ is 85 % full"),
            ("end", "serves-not storage\nend", "the storage of media does not say how full it is"),
            ("host.pem 397", "host.pem 29", "host.pem ends in 29 days"),
            ("end", "database unreachable\nend", "PostgreSQL does not answer"),
            ("end", "serves-not etcd\nend", "etcd does not agree with a majority of its members"),
            ("end", "server app1 UP\nserver app2 DOWN\nend", "HAProxy sends nothing to app2: DOWN"),
            ("end", "reboot needed\nend", "a reboot is needed"),
            ("end", "backup 93601\nend", "the last backup is 1 d old"),
            ("end", "backup never 93601\nend", "there is no backup"),
            ("end", "backup unknown 0\nend", "pgBackRest does not say which backups there are"),
            ("end", "drill ok 93601 20261122F\nend", "the backups were last tried 1 d ago"),
            ("end", "drill never 93601\nend", "the backups were never tried"),
            ("end", "drill failed 60 a page is damaged\nend", "the drill of the backups failed 1 min ago: a page is damaged"),
            ("end", "copy ok 93601 \nend", "the media were last copied 1 d ago"),
            ("end", "copy never 93601\nend", "the media were never copied"),
            ("end", "copy failed 60 is it mounted?\nend", "copying the media failed 1 min ago: is it mounted?"),
            ("end", "", "does not answer"),
        ):
            with self.subTest(what):
                self.assertEqual([found.split(" after")[0] for found, _ in status.host_concerns("a", WELL.replace(old, new))], [what])

    def test_who_vouches_for_the_public_certificate_is_noted_and_no_concern(self):
        fleet = inventory("full")
        for word, note in (("own", "the installation's own authority"), ("other", "of no public authority"), ("public", "")):
            text = WELL.replace("end", f"vouched {word}\nend")
            self.assertEqual(status.host_concerns("lb1", text), [])
            page = status.report(fleet, {host: text if host == "lb1" else WELL for host in fleet["hosts"]}, "kinora.studio.example")
            self.assertEqual("its public certificate" in page, bool(note), page)
            self.assertIn(note, page)

    def test_a_failed_unit_is_told_once(self):
        text = WELL.replace("haproxy.service active", "haproxy.service failed\nfailed haproxy.service")
        self.assertEqual(len(status.host_concerns("a", text)), 1)


class Page(unittest.TestCase):
    """The fleet."""

    def outputs(self):
        fleet = inventory("full")
        outputs = {host: WELL for host in fleet["hosts"]}
        outputs["db1"] += "database primary\n"
        outputs["db2"] += "database standby\n"
        outputs["lb2"] += "public 10.61.10.100\n"
        return fleet, outputs

    def test_well(self):
        fleet, outputs = self.outputs()
        text = status.report(fleet, outputs, "kinora.studio.example")
        self.assertIn("all 11 hosts are well", text.splitlines()[0])
        self.assertRegex(text, r"lb2 +balancer +2/2 +12 % +397 days +1 d +has the public address")

    def test_two_primaries_and_no_address(self):
        fleet, outputs = self.outputs()
        outputs["db2"] = outputs["db1"]
        outputs["lb2"] = WELL
        text = status.report(fleet, outputs, "x")
        self.assertIn("2 databases accept writes", text)
        self.assertIn("0 load balancers have the public address", text)

    def test_a_standby_that_does_not_follow(self):
        fleet, outputs = self.outputs()
        outputs["db1"] += "member db1 running\nmember db2 start failed\n"
        self.assertEqual(status.fleet_concerns(fleet, outputs)[0][1], "the database on db2 is start failed")

    def test_versions(self):
        fleet, outputs = self.outputs()
        outputs["app1"] += "package kinora-application 0.1.0\n"
        outputs["app2"] += "package kinora-application 0.2.0\n"
        self.assertIn("hosts run different versions: 0.1.0, 0.2.0", status.report(fleet, outputs, "x"))

    def test_the_log_collector_s_unit_runs_where_there_is_a_collector(self):
        fleet = inventory("full")
        self.assertNotIn("kinora-audit-target.service", status.host_units(fleet, "be1"))
        fleet["networks"]["egress"] = kinora.audit_target_egress({"name": "logs.studio.example", "address": "10.9.9.4"})
        self.assertIn("kinora-audit-target.service", status.host_units(fleet, "be1"))
        self.assertNotIn("kinora-audit-target.service", status.host_units(fleet, "db1"))

    def test_units_fit_the_layout(self):
        self.assertIn("keepalived.service", status.host_units(inventory("full"), "lb1"))
        alone = status.host_units(inventory("single"), "kinora1")
        self.assertNotIn("keepalived.service", alone)
        self.assertNotIn("pgbackrest.service", alone)
        self.assertEqual(len(alone), len(set(alone)))


class Script(unittest.TestCase):
    """What hosts are asked."""

    TEXT = (ANSIBLE / "playbooks" / "files" / "status.sh").read_text(encoding="utf-8")

    def test_ports_are_those_of_the_flows(self):
        asked = {int(port) for port in re.findall(r"(?:shows_certificate |\$NAME:)(\d+)", self.TEXT)}
        self.assertEqual(len(asked), 5)
        self.assertLessEqual(asked, {flow["port"] for flow in inventory("full")["flows"].values()})

    def storage(self, directory, df):
        """What the part about the storage says where `df` is this script."""
        part = self.TEXT[self.TEXT.index('if [ -n "$STORAGE" ]') : self.TEXT.index("for file in /etc/kinora/tls")]
        program = Path(directory, "df")
        program.write_text(f"#!/bin/sh\n{df}\n", encoding="utf-8")
        program.chmod(0o755)
        environment = {"PATH": f"{directory}:/usr/bin:/bin", "STORAGE": directory}
        asked = subprocess.run(["sh", "-c", part], capture_output=True, text=True, check=True, env=environment, timeout=30)
        return asked.stdout

    def test_the_storage_is_looked_at_and_may_hang(self):
        with tempfile.TemporaryDirectory() as directory:
            self.assertRegex(self.storage(directory, 'exec /bin/df "$@"'), r"^disk \d+ /\S*\n$")
            self.assertEqual(self.storage(directory, "sleep 20"), "serves-not storage\n")
            self.assertEqual(self.storage(directory, "echo no such file >&2; exit 1"), "serves-not storage\n")

    def test_each_failing_engine_has_words(self):
        self.assertEqual(set(re.findall(r"serves-not ([a-z-]+)", self.TEXT)), set(status.SERVES_NOT))


class Units(unittest.TestCase):
    """The list of units that must run."""

    def test_the_roles_start_each_of_them(self):
        for group, units in status.UNITS.items():
            started = {unit for role in kinora.GROUP_ROLES[group] for unit in units_of(role)}
            self.assertLessEqual(set(units), started, group)


if __name__ == "__main__":
    unittest.main()
