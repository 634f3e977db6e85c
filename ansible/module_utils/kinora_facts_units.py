"""What a host says of its services: units, the secrets they are handed, their settings, their certificates."""

import calendar
import glob
import hashlib
import hmac
import os
import re
import stat
import time

from ansible.module_utils.kinora_facts_run import read, run

PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "Result", "NRestarts", "NeedDaemonReload", "DropInPaths", "FragmentPath", "MainPID", "ActiveEnterTimestampMonotonic",
              "StateChangeTimestampMonotonic")
TLS = "/etc/kinora/tls"
# Copies of this host's certificate that engines read as their own users.
COPIES = ("/etc/haproxy/tls", "/etc/postgresql/tls", "/etc/rabbitmq/tls", "/etc/redis/tls", "/etc/pgbackrest/tls")
# Settings and the program that says whether they can be read.
SETTINGS = {
    "/etc/kinora/application.toml": ("kinora-application", "check-config", "--settings", "/etc/kinora/application.toml"),
    "/etc/kinora/backend.toml": ("kinora-backend", "check-config", "--settings", "/etc/kinora/backend.toml"),
    "/etc/kinora/worker.toml": ("kinora-worker", "check-config", "--settings", "/etc/kinora/worker.toml"),
    "/etc/haproxy/haproxy.cfg": ("haproxy", "-c", "-q", "-f", "/etc/haproxy/haproxy.cfg"),
    # Not whether the files it names are there: one of them is, only while it runs.
    "/etc/kinora/prometheus/prometheus.yml": ("promtool", "check", "config", "--syntax-only", "/etc/kinora/prometheus/prometheus.yml"),
    "/etc/ssh/sshd_config": ("sshd", "-t"),
}
# Files that hold secrets and are no credentials, and which bits of their mode must not be set.
SECRETS = {
    "/var/lib/rabbitmq/.erlang.cookie": 0o077, "/etc/patroni/config.yml": 0o007, "/etc/pgbackrest/pgbackrest.conf": 0o007, "/etc/redis/kinora-redis.acl": 0o007,
    "/etc/redis/kinora-sentinel.acl": 0o007, "/etc/keepalived/keepalived.conf": 0o002,
}


def show(names):
    """Properties of units, by name, of one call."""
    found = {}
    done = run("systemctl", "show", "--property=" + ",".join(PROPERTIES), *names, seconds=15)
    for name, block in zip(names, done.out.split("\n\n")):
        entry = dict(line.partition("=")[::2] for line in block.splitlines())
        found[name] = {
            "load": entry.get("LoadState", ""), "active": entry.get("ActiveState", ""), "sub": entry.get("SubState", ""), "enabled": entry.get("UnitFileState", ""),
            "result": entry.get("Result", ""), "restarts": int(entry.get("NRestarts") or 0), "stale": entry.get("NeedDaemonReload") == "yes",
            "drop_ins": entry.get("DropInPaths", "").split(), "active_for": _since(entry.get("ActiveEnterTimestampMonotonic")),
            "settled_for": _since(entry.get("StateChangeTimestampMonotonic")), "old_program": _old_program(entry.get("MainPID")),
        }
    return found


def _since(microseconds):
    """Seconds since an instant of systemd's monotonic clock; nothing where it never was."""
    value = int(microseconds or 0)
    return round(time.clock_gettime(time.CLOCK_MONOTONIC) - value / 1e6) if value else None


def _old_program(process):
    try:
        return bool(int(process or 0)) and os.readlink(f"/proc/{process}/exe").endswith(" (deleted)")
    except OSError:
        return False


def units(wanted):
    failed = [line.split()[0] for line in run("systemctl", "list-units", "--failed", "--plain", "--no-legend").out.splitlines() if line.split()]
    shown = show(wanted["units"])
    if not any(unit["load"] for unit in shown.values()):
        raise OSError("systemd does not say which units there are")
    return {"wanted": shown, "failed": failed}


def credentials(wanted):
    """What is wrong with the files that units are handed as credentials, and with other files of secrets: path → missing, empty, or its mode."""
    paths = {}
    for line in run("systemctl", "cat", *[unit for unit in wanted["units"] if unit.endswith(".service")]).out.splitlines():
        match = re.match(r"LoadCredential=[^:]+:(/\S+)", line)
        if match and "%" not in match[1]:
            paths[match[1]] = 0o077
    found = {}
    for path, bits in {**paths, **{path: bits for path, bits in SECRETS.items() if os.path.exists(path)}}.items():
        problem = _secret_problem(path, bits)
        if problem:
            found[path] = problem
    keys = {path: 0o077 for path in glob.glob("/etc/kinora/tls/*.key")}
    found.update({path: problem for path, bits in keys.items() if (problem := _secret_problem(path, bits))})
    return {"wrong": found, "known": len(paths)}


# Written in any case, so that its unit can be handed it; empty where the relay or the webhook asks for none.
MAY_BE_EMPTY = {f"/etc/kinora/credentials/alertmanager/{name}" for name in ("mail-password", "webhook-token")}


def _secret_problem(path, bits):
    try:
        about = os.stat(path)
    except FileNotFoundError:
        return "missing"
    if about.st_size == 0 and str(path) not in MAY_BE_EMPTY:
        return "empty"
    # A directory above it that nobody may enter keeps it as well, but is easily opened by mistake.
    return f"mode {stat.S_IMODE(about.st_mode):04o}" if about.st_mode & bits else ""


def settings(wanted):
    """Whether each program takes its settings, and whether it has read them since they were written."""
    refused, unread = {}, []
    for path, command in SETTINGS.items():
        if not os.path.exists(path) or not run("sh", "-c", f"command -v {command[0]}").out:
            continue
        done = run(*command)
        if done.code:
            refused[path] = (done.err.strip() or done.out.strip() or f"ended with {done.code}")[-300:]
    readers = {"/etc/kinora/application.toml": "kinora-application.service", "/etc/kinora/backend.toml": "kinora-backend.service", "/etc/kinora/worker.toml": "kinora-worker.service"}
    there = {path: unit for path, unit in readers.items() if os.path.exists(path) and unit in wanted["units"]}
    shown = show(list(there.values())) if there else {}
    for path, unit in there.items():
        settled = shown[unit]["settled_for"]
        if shown[unit]["active"] == "active" and settled is not None and time.time() - os.stat(path).st_mtime < settled - 5:
            unread.append(f"{path} {unit}")
    return {"refused": refused, "unread": unread}


def certificates(wanted):
    found = {}
    for path in sorted(glob.glob(f"{TLS}/*.pem")):
        name = os.path.basename(path)
        end = run("openssl", "x509", "-noout", "-enddate", "-in", path)
        if end.code:
            found[name] = {"unreadable": end.err.strip()[-200:]}
            continue
        entry = {"days": _days(end.out)}
        authorities = f"{TLS}/cluster-authorities.pem" if name.startswith("cluster") else f"{TLS}/authorities.pem"
        if name in ("host.pem", "cluster.pem"):
            # That it has ended is another finding.
            entry["chain"] = run("openssl", "verify", "-no_check_time", "-CAfile", authorities, path).code == 0
        key = path[: -len(".pem")] + ".key"
        if not name.endswith("authorities.pem"):
            mine = run("openssl", "x509", "-noout", "-pubkey", "-in", path).out
            entry["key_fits"] = bool(mine) and mine == run("openssl", "pkey", "-pubout", "-in", key).out
            checked = wanted["public_name"] if name == "public.pem" else wanted["backend_name"]
            entry["name_fits"] = "does match" in run("openssl", "x509", "-noout", "-checkhost", checked, "-in", path).out
            entry["name"] = checked
        found[name] = entry
    own = _sum(f"{TLS}/host.pem")
    stale = [f"{folder}/host.pem" for folder in COPIES if os.path.exists(f"{folder}/host.pem") and _sum(f"{folder}/host.pem") != own]
    shown = {}
    for port in wanted["tls_ports"]:
        protocol = ["-starttls", "postgres"] if port == 5432 else []
        answer = run("openssl", "s_client", "-connect", f"{wanted['backend_name']}:{port}", *protocol, seconds=4)
        fingerprint = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", feed=answer.out.encode())
        if fingerprint.code == 0:
            shown[str(port)] = fingerprint.out == run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", f"{TLS}/host.pem").out
    return {"files": found, "stale": stale, "shown": shown, "authorities": _sum(f"{TLS}/authorities.pem")}


def _days(text):
    # "notAfter=Nov 23 04:35:12 2027 GMT"
    at = time.strptime(text.strip().partition("=")[2], "%b %d %H:%M:%S %Y %Z")
    return int((calendar.timegm(at) - time.time()) // 86400)


def _sum(path):
    text = read(path)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def fingerprints(wanted):
    """A keyed hash of each secret that hosts share; the key is of this run alone, so that the hash says nothing later, and to nobody else."""
    key = wanted["salt"].encode()
    found = {}
    for name, pattern in (("master key", "/etc/kinora/credentials/*/vault-master-key"), ("session key", "/etc/kinora/credentials/application/session-key")):
        for path in sorted(glob.glob(pattern)):
            with open(path, "rb") as file:
                found[path] = {"of": name, "hash": hmac.new(key, file.read().strip(), hashlib.sha256).hexdigest()}
    return found


SECTIONS = {"units": units, "credentials": credentials, "settings": settings, "certificates": certificates, "fingerprints": fingerprints}
