"""What one host gives into a support bundle: name of a file → its text, cleaned on the host, so that nothing else ever leaves it.

Each function takes what was read, so that ansible/tests/test_support.py gives them recorded inputs; `collect` reads and calls them.
"""

import json
import os

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None

from ansible.module_utils import kinora_clean as clean
from ansible.module_utils.kinora_facts_run import read, run
from ansible.module_utils.kinora_facts_units import show

OWN_SETTINGS = ("/etc/kinora/application.toml", "/etc/kinora/backend.toml", "/etc/kinora/worker.toml", "/etc/kinora/media-copy.toml")
ENGINE_SETTINGS = (
    "/etc/haproxy/haproxy.cfg", "/etc/keepalived/keepalived.conf", "/etc/rabbitmq/rabbitmq.conf", "/etc/redis/kinora-redis.conf", "/etc/redis/kinora-sentinel.conf", "/etc/patroni/config.yml",
    "/etc/pgbackrest/pgbackrest.conf", "/etc/kinora/prometheus/prometheus.yml", "/etc/systemd/journald.conf.d/10-kinora.conf",
)
PARAMETERS = "SELECT name, setting, vartype FROM pg_settings WHERE vartype IN ('bool', 'integer', 'real', 'enum') AND source <> 'default' ORDER BY name"
PLACES = ("/", "/var", "/boot", "/home", "/tmp", "/run", "/srv", "/srv/kinora", "/srv/kinora-backup", "/srv/kinora-copy", "/var/lib/postgresql", "/var/lib/pgbackrest", "/var/log", "/var/lib/rabbitmq")
STATES = {"active", "inactive", "failed", "activating", "deactivating", "reloading", "refreshing", "running", "exited", "dead", "listening", "waiting", "auto-restart", "enabled", "disabled", "masked", "static",
          "loaded", "not-found", "success", "exit-code", "signal", "timeout", "watchdog", "oom-kill", "core-dump", "start-limit-hit", "resources", "bad-setting", "error", "indirect", "alias", "linked"}
LINES_OF_A_UNIT = 1500


def journal(text, hosts, limit):
    """(records as JSON lines, newest kept within `limit` bytes; how many are left out). `text` is what `journalctl -o json` printed, oldest first."""
    lines, left, size = [], 0, 0
    for line in reversed(text.splitlines()):
        try:
            made = clean.record(json.loads(line), hosts)
        except (ValueError, AttributeError, TypeError):
            made = None
        written = json.dumps(made, ensure_ascii=False) if made else ""
        size += len(written.encode()) + 1
        if not made or size > limit:
            left += 1
            continue
        lines.append(written)
    return "\n".join(reversed(lines)), left


def own_settings(text):
    try:
        return clean.settings(tomllib.loads(text)) if tomllib else ([], 1)
    except ValueError:
        # What no reader understands, nobody can judge.
        return [], 1


def units(shown):
    """A line for each unit, of known states and numbers."""
    lines = []
    for name, unit in shown.items():
        if clean.UNIT.fullmatch(name):
            states = [unit[key] if unit[key] in STATES else clean.LEFT_OUT for key in ("load", "active", "sub", "enabled", "result")]
            ours = sum(1 for path in unit["drop_ins"] if os.path.basename(path).startswith(("10-", "20-", "30-", "40-")))
            lines.append(f"{name} {' '.join(states)} restarts={int(unit['restarts'])} active_for={unit['active_for']} drop_ins={len(unit['drop_ins'])} ours={ours} stale={unit['stale']} old_program={unit['old_program']}")
    return lines


def system(facts):
    """Numbers of the facts that the verb doctor gathers."""
    said = facts.get("system") or {}
    lines = [f"uptime {int(said.get('uptime') or 0)}", f"reboot_required {bool(said.get('reboot_required'))}", f"user_namespaces {int(said.get('user_namespaces') or 0)}"]
    lines += [f"memory {key} {int(value)}" for key, value in (said.get("memory") or {}).items() if key in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")]
    for number, entry in enumerate((facts.get("disks") or {}).get("mounts", [])):
        place = entry["place"] if entry["place"] in PLACES else f"place {number}"
        lines.append(f"disk {place} percent={int(entry.get('percent', 0))} inodes={int(entry.get('inodes_percent', 0))} read_only={bool(entry['read_only'])} hangs={bool(entry['hangs'])}")
    for name, entry in ((facts.get("certificates") or {}).get("files", {})).items():
        if name in ("host.pem", "cluster.pem", "public.pem", "authorities.pem", "cluster-authorities.pem"):
            lines.append(f"certificate {name} days={int(entry.get('days', 0))} chain={entry.get('chain') is not False} key={entry.get('key_fits') is not False}")
    return lines


def read_all(wanted, hours):
    """What is read of a host: name → text, as the tools give it."""
    names = [name for name in wanted["units"] if clean.UNIT.fullmatch(name)]
    given = {"journal": ""}
    for name in [*names, "kinora-*.service"]:
        given["journal"] += run("journalctl", "--quiet", "--output=json", f"--since=-{int(hours)}h", f"--lines={LINES_OF_A_UNIT}", f"--unit={name}", seconds=20).out
    given["units"] = show(names)
    given["own"] = {path: text for path in OWN_SETTINGS if (text := read(path)) is not None}
    given["engines"] = {path: text for path in ENGINE_SETTINGS if (text := read(path)) is not None}
    given["packages"] = run("dpkg-query", "-W", "-f=${Package} ${Version}\n").out
    given["rules"] = run("nft", "--json", "list", "table", "inet", "kinora").out
    given["parameters"] = run("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-F", "\t", "-c", PARAMETERS).out if "databases" in wanted["groups"] else ""
    return given


def collect(given, facts, hosts, limit):
    """({file: text}, [what was left out]) of what was read."""
    files, left = {}, []
    files["journal.jsonl"], missing = journal(given["journal"], hosts, limit)
    left.append(f"journal.jsonl: {missing} records of other units, beyond {limit} bytes, or not readable")
    files["units.txt"] = "\n".join(units(given["units"]))
    files["system.txt"] = "\n".join(system(facts))
    files["packages.txt"] = "\n".join(clean.packages(given["packages"]))
    for path, text in given["own"].items():
        lines, missing = own_settings(text)
        files[f"settings/{os.path.basename(path)}"] = "\n".join(lines)
        left.append(f"settings/{os.path.basename(path)}: {missing} values")
    for path, text in given["engines"].items():
        lines, missing = clean.engine_settings(text)
        files[f"settings/{os.path.basename(path)}.txt"] = "\n".join(lines)
        left.append(f"settings/{os.path.basename(path)}.txt: {missing} lines")
    rows = [line.split("\t") for line in given["parameters"].splitlines()]
    files["settings/postgresql.txt"] = "\n".join(clean.parameters([row for row in rows if len(row) == 3]))
    try:
        files["firewall.txt"] = "\n".join(clean.counters(json.loads(given["rules"])))
    except ValueError:
        left.append("firewall.txt: the rules could not be read")
    return {name: text for name, text in files.items() if text}, left


def findings(found, hosts):
    """Lines of what doctor found: the check, the host, and of the text what is recognised."""
    return [f"[{finding['check']}] {finding['host'] if finding['host'] in hosts else clean.LEFT_OUT} {clean.message(finding['what'], hosts) or clean.LEFT_OUT}" for finding in found]
