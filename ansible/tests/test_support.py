"""The verb support-bundle: of 200 planted secrets and personal data none is in the result, and what helps is."""

import base64
import ctypes
import io
import json
import os
import random
import stat
import tarfile
import tempfile
import tomllib
import unittest
from pathlib import Path

from doctor_facts import healthy, plugin
from inventories import ANSIBLE, load
from units import load_unit

clean, support, archive = load_unit("kinora_clean"), load_unit("kinora_support"), load_unit("kinora_archive")
COUNT = 200
HOSTS = ["lb1", "app1", "be1", "db1", "wk1"]
PACKAGING = ANSIBLE.parent / "packaging" / "settings"
FIRST, LAST = ("Erika", "Jürgen", "Søren", "Aoife", "Will", "Mark", "Grant", "Rose"), ("Mustermann", "Kowalczyk", "Page", "Zieliński", "Brightwater", "Hollander", "Vanderbilt", "Achterberg")
TITLES = ("Moonlit Harbour", "Das Nordlicht", "Gläserne Stadt", "Seventh Lantern", "operation butterfly", "Rauhnacht", "Winterreise", "quiet orchard")
# What our programs and the engines say around it, as recorded.
SAYINGS = {
    "kinora-application.service": 'answered request of {0} for {1}', "kinora-backend.service": "mail to {0} was refused by the relay: {1}", "kinora-worker.service": "step render of {0} failed: {1}",
    "kinora-media-copy.service": "object {0} cannot be read: {1}", "kinora-canary.service": "signed in as {0} with {1}", "kinora-drill.service": "restored {0}: {1}",
    "patroni.service": "kinora_application@kinora 10.61.30.21 ERROR:  duplicate key value violates unique constraint DETAIL:  Key (login)=({0}) already exists. {1}",
    "etcd.service": '{{"level":"warn","msg":"request {0} took too long","request":"{1}"}}', "rabbitmq-server.service": "[error] <0.812.0> Error on AMQP connection user: '{0}' state: {1}",
    "redis-server.service": "WRONGPASS invalid username-password pair {0} {1}", "redis-sentinel.service": "+sdown slave {0} {1}", "haproxy.service": "{0}:51723 [23/Nov/2026] public~ applications/app1 GET {1}",
    "keepalived.service": "(public) received advert from {0}: {1}", "prometheus.service": 'level=error err="{0}" target={1}', "prometheus-alertmanager.service": 'msg="notify failed" to={0} err="{1}"',
    "ssh.service": "Accepted publickey for {0} from {1} port 50122", "chrony.service": "Selected source {0} ({1})", "pgbackrest.service": "backup for {0} user {1}", "kinora-firewall.service": "rules {0} {1}",
    "prometheus-node-exporter.service": "collector {0} failed {1}",
}


def canaries():
    """200 recognisable texts, of every kind that must not go."""
    chosen = random.Random(20261123)
    made = []
    for number in range(COUNT):
        first, last = chosen.choice(FIRST), chosen.choice(LAST)
        mark = f"{chosen.randrange(16**10):010x}"
        kinds = (
            f"{first.lower()}.{last.lower()}.{mark}@studio.example", f"{last}{mark}", f"{first} {last}{mark[:4]}", f"203.0.113.{number % 254 + 1}", f"2001:db8::{mark[:4]}:{number:x}", f"{chosen.choice(TITLES)} {mark[:6]}",
            f"{chosen.choice(TITLES).replace(' ', '_')}_{mark[:6]}.mov", f"hunter{mark}", f"kinora_pat_{mark}{mark}", f"+49 171 {number + 1000}{chosen.randrange(10**6, 10**7)}",
            f"{chosen.randrange(16**8):08x}-1111-4{mark[:3]}-8{mark[3:6]}-{chosen.randrange(16**12):012x}", f"MII{base64.b64encode(mark.encode()).decode().rstrip('=')}Q{number}", f"/srv/kinora/{last.lower()}/{mark}.mxf", f"mac-{last.lower()}-{mark[:6]}.studio.example",
        )
        made.append(kinds[number % len(kinds)])
    return made


class Planted:
    """Recorded inputs of a host with canaries in every place where they may stand."""

    def __init__(self):
        self.canaries = canaries()
        chosen = random.Random(7)
        half = self.canaries[: COUNT // 2]
        units = list(SAYINGS)
        self.journal = []
        for number, canary in enumerate(self.canaries):
            unit = units[number % len(units)]
            entry = {
                "__REALTIME_TIMESTAMP": str(1795408500000000 + number), "_SYSTEMD_UNIT": unit, "PRIORITY": "4", "MESSAGE": SAYINGS[unit].format(canary, chosen.choice(half)), "_HOSTNAME": canary,
                "_CMDLINE": f"psql password={canary}", "SYSLOG_IDENTIFIER": canary, "KINORA_PERSON_ID": canary, "KINORA_DETAIL": canary, "KINORA_ADDRESS": canary, "KINORA_ROUTE": f"/{canary}", "KINORA_STEP": canary,
                "KINORA_RUN_ID": canary, "KINORA_STATE": canary, "KINORA_REQUEST_ID": canary, canary: canary, "_SYSTEMD_INVOCATION_ID": canary,
            }
            self.journal += [entry, {**entry, "_SYSTEMD_UNIT": f"{canary}.service", "MESSAGE": "Started"}, {**entry, "MESSAGE": canary}, {**entry, "MESSAGE": f"Failed to open {canary}: permission denied"}]
        self.journal += [{"_SYSTEMD_UNIT": "patroni.service", "MESSAGE": list(canary.encode())} for canary in half]
        self.journal.append({"_SYSTEMD_UNIT": "etcd.service", "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1795408500999999", "MESSAGE": "lost the connection with be1: 3 attempts"})
        run = "019ab7c2-4f1d-7c55-9d0e-3b7f5a1c2d3e"
        self.journal.append({"_SYSTEMD_UNIT": "kinora-worker.service", "PRIORITY": "5", "__REALTIME_TIMESTAMP": "1795408501000000", "MESSAGE": "step failed", "KINORA_RUN_ID": run, "KINORA_STEP": "render"})
        every = self.canaries
        toml = ['threads = 4', 'log = "info"', f'public_url = "https://{every[3]}"'] + [f'"{canary}" = "{canary}"' for canary in every] + ["[database]", "pool_size = 16", 'hosts = ["' + '", "'.join(every) + '"]']
        toml += [f'tls = "{every[9]}"', "[session]", f'idle_limit = "{every[5]}"']
        engines = ["maxclients 2000", "timeout connect 3s"] + [f"masterauth {canary}" for canary in every] + [f"maxmemory {canary}" for canary in every] + [f"timeout server {canary}" for canary in every] + [f"{canary} on" for canary in every]
        rules = {"nftables": [{"rule": {"chain": "input", "comment": canary, "expr": [{"match": {"left": "ip saddr", "right": canary}}, {"counter": {"packets": 7, "bytes": 420}}, {"drop": None}]}} for canary in every]
                 + [{"rule": {"chain": canary, "expr": [{"counter": {"packets": 1, "bytes": 2}}]}} for canary in every]}
        shown = {canary: {"load": canary, "active": canary, "sub": canary, "enabled": canary, "result": canary, "restarts": 0, "stale": False, "drop_ins": [f"/etc/systemd/system/{canary}.conf"], "active_for": 1,
                          "old_program": False} for canary in every}
        shown["etcd.service"] = {**shown[every[0]], "active": "active", "drop_ins": [f"/etc/systemd/system/etcd.service.d/20-{every[1]}.conf"]}
        self.given = {
            "journal": "\n".join(json.dumps(entry) for entry in self.journal) + "\n" + "\n".join(every), "units": shown, "own": {"/etc/kinora/application.toml": "\n".join(toml)},
            "engines": {"/etc/redis/kinora-redis.conf": "\n".join(engines)}, "packages": "haproxy 3.0.11-1+deb13u1\n" + "\n".join(f"{canary} 1.0\nkinora-worker {canary}" for canary in every), "rules": json.dumps(rules),
            "parameters": "max_connections\t200\tinteger\n" + "\n".join(f"work_mem\t{canary}\tinteger\nssl\t{canary}\tbool\n{canary}\t1\tinteger\napplication_name\t{canary}\tstring" for canary in every),
        }
        self.facts = {
            "system": {"uptime": 5, "memory": {"MemTotal": 8, every[0]: 4}, "zone": every[1], "killed_for_memory": every, "kernel": every[2], "kernels": every},
            "disks": {"mounts": [{"place": f"/mnt/{canary}", "source": canary, "kind": "nfs4", "read_only": False, "hangs": False, "percent": 40, "inodes_percent": 1} for canary in every]},
            "certificates": {"files": {f"{canary}.pem": {"days": 3, "name": canary} for canary in every} | {"host.pem": {"days": 397, "chain": True, "key_fits": True, "name": every[4]}}},
            "names": {"missing": every, "other": every}, "settings": {"refused": {f"/etc/{canary}": canary for canary in every}}, "credentials": {"wrong": {f"/etc/{canary}": "missing" for canary in every}},
        }
        self.findings = [{"host": host, "check": "settings-refused", "what": f"/etc/kinora/application.toml is refused: unknown key {canary}", "cause": canary, "fix": canary} for canary in every for host in ("app1", canary)]


def result(planted, folder):
    """All text of the archive that is made of planted inputs."""
    files, left = support.collect(planted.given, planted.facts, HOSTS, 10**7)
    path = Path(folder) / "kinora-support.tar.zst"
    params = {"hosts": {"app1": {"files": files, "left_out": left}, "db2": {"msg": f"unreachable: {planted.canaries[0]}"}}, "findings": planted.findings, "version": "0.1.0", "hours": 24}
    archive.write(path, archive.pack(load_library("kinora_support_archive").contents(params, 0), "kinora-support", 0))
    return path, unpack(path)


def load_library(name):
    return load(name, f"library/{name}.py")


def unpack(path):
    """{name: text}; decompressed by the library itself."""
    data, library = path.read_bytes(), ctypes.CDLL(archive.LIBRARY)
    library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    library.ZSTD_decompress.restype = ctypes.c_size_t
    size = library.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    buffer = ctypes.create_string_buffer(size)
    assert library.ZSTD_decompress(buffer, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data))) == size
    with tarfile.open(fileobj=io.BytesIO(buffer.raw)) as held:
        return {member.name: held.extractfile(member).read().decode() for member in held.getmembers()}


def found_in(text, wanted):
    """Which of `wanted` are in a text: as they are, in base64, escaped as JSON does it, or by one of their own words."""
    low = text.lower()
    hits = []
    for canary in wanted:
        forms = {canary.lower(), json.dumps(canary)[1:-1].lower(), base64.b64encode(canary.encode()).decode().lower()}
        # Words of a name or title that no message has by itself.
        forms |= {word.lower() for word in canary.replace("/", " ").replace("_", " ").split() if len(word) > 4 and word not in clean.WORDS and word != "kinora"}
        if any(form in low for form in forms):
            hits.append(canary)
    return hits


class Canaries(unittest.TestCase):
    """What must not go."""

    @classmethod
    def setUpClass(cls):
        cls.planted = Planted()
        with tempfile.TemporaryDirectory() as folder:
            path, cls.files = result(cls.planted, folder)
            cls.mode = stat.S_IMODE(os.stat(path).st_mode)

    def test_there_are_200_different_ones(self):
        self.assertEqual(len(set(self.planted.canaries)), COUNT)

    def test_the_search_finds_all_of_them_where_they_were_planted(self):
        for place, text in (("journal", self.planted.given["journal"]), ("settings", json.dumps(self.planted.given["own"])), ("engines", json.dumps(self.planted.given["engines"])), ("facts", json.dumps(self.planted.facts)),
                            ("rules", self.planted.given["rules"]), ("units", json.dumps(self.planted.given["units"])), ("findings", json.dumps(self.planted.findings))):
            with self.subTest(place):
                self.assertEqual(len(found_in(text, self.planted.canaries)), COUNT)

    def test_none_is_in_the_result(self):
        text = "\n".join([*self.files, *self.files.values()])
        self.assertEqual(found_in(text, self.planted.canaries)[:5], [])

    def test_one_that_were_let_through_would_be_found(self):
        text = "\n".join(self.files.values()) + self.planted.canaries[17]
        self.assertEqual(found_in(text, self.planted.canaries), [self.planted.canaries[17]])

    def test_every_unit_of_the_fleet_was_tried(self):
        made, _, _ = healthy("full")
        services = {name for host in made["hosts"] for name in plugin.kinora_status.host_units(made, host) if name.endswith(".service")}
        self.assertEqual(services - set(SAYINGS) - {"kinora-takeover.service"}, set())

    def test_what_helps_is_there(self):
        text = "\n".join(self.files.values())
        for wanted in ("threads = 4", "database.pool_size = 16", "maxclients 2000", "timeout connect 3s", "haproxy 3.0.11-1+deb13u1", "max_connections = 200", "input rule 1: 7 packets, 420 bytes", "certificate host.pem days=397",
                       "lost the connection with be1: 3 attempts", '"KINORA_STEP": "render"', "019ab7c2-4f1d-7c55-9d0e-3b7f5a1c2d3e", "permission denied", "[settings-refused] app1", "etcd.service … active", "percent=40"):
            self.assertTrue(wanted in text, wanted)

    def test_the_manifest_says_what_was_left_out(self):
        text = self.files["kinora-support/MANIFEST.txt"]
        self.assertRegex(text, r"journal\.jsonl: [1-9]\d* records")
        self.assertRegex(text, r"settings/application\.toml: [1-9]\d* values")
        self.assertIn("db2: did not answer", text)

    def test_only_its_owner_can_read_it(self):
        self.assertEqual(self.mode, 0o600)

    def test_a_file_that_is_there_is_not_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            archive.write(Path(folder) / "a", b"1")
            with self.assertRaises(FileExistsError):
                archive.write(Path(folder) / "a", b"2")


class Messages(unittest.TestCase):
    """Log messages."""

    def test_recorded_ones(self):
        for text, kept in (
            ("the mail relay cannot be used; mail waits", "the mail relay cannot be used mail waits"),
            ("Started kinora-worker.service.", "Started kinora-worker.service"),
            ("step “Moonlit Harbour” failed after 3 attempts", "step … failed after 3 attempts"),
            ("connection to 10.61.30.21 lost", "connection to … lost"),
            ("no action. I am (db1), the leader with the lock", "no action … db1 the leader with the lock"),
            ("Mark signed in", "… signed in"),
            ("password 4711", None),
            ("the code 0171 234 567 was sent", "the code … was sent"),
            ("hunter2", None),
        ):
            with self.subTest(text):
                self.assertEqual(clean.message(text, HOSTS), kept)

    def test_no_given_name_is_a_word(self):
        self.assertEqual({"Will", "Mark", "Grant", "Rose", "May", "Page"} & clean.WORDS, set())


class Settings(unittest.TestCase):
    """Keys that may go are keys of our settings whose defaults are no texts."""

    def test_each_key_is_one_of_ours(self):
        ours = set()
        for path in PACKAGING.glob("*.toml"):
            ours |= set(flat(tomllib.loads(path.read_text(encoding="utf-8"))))
        self.assertEqual(clean.SETTINGS - ours, set())

    def test_none_is_a_secret_s(self):
        for key in clean.SETTINGS:
            self.assertNotRegex(key, r"key|secret|user|hosts|name$|address$|url|path|directory")

    def test_what_is_shipped_is_mostly_shown(self):
        lines, left = support.own_settings((PACKAGING / "backend.toml").read_text(encoding="utf-8"))
        self.assertGreater(len(lines), left)


def flat(tree, path=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


class Journal(unittest.TestCase):
    """Its size."""

    def test_the_newest_are_kept(self):
        text = "\n".join(json.dumps({"_SYSTEMD_UNIT": "etcd.service", "__REALTIME_TIMESTAMP": str(at), "MESSAGE": "lost the connection"}) for at in range(1000, 1100))
        kept, left = support.journal(text, HOSTS, 1000)
        self.assertLessEqual(len(kept), 1000)
        self.assertIn('"at": 1099', kept)
        self.assertEqual(left + len(kept.splitlines()), 100)


if __name__ == "__main__":
    unittest.main()
