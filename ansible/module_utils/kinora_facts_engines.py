"""What a host says of its engines: database, etcd, RabbitMQ, Redis, HAProxy, backups, storage, media tools, monitoring.

Each returns nothing where the host has no such engine. Answers in JSON are handed on as the engine gave them.
"""

import csv
import glob
import json
import os
import re
import socket
import ssl
import time
import urllib.parse
import urllib.request

from ansible.module_utils.kinora_facts_run import as_json, read, run

ANSWER_SECONDS = 4
DATABASE = """SELECT json_build_object(
    'standby', pg_is_in_recovery(),
    'connections', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    'most_connections', current_setting('max_connections')::int,
    'oldest_transaction', (SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::int FROM pg_stat_activity WHERE backend_type = 'client backend'),
    'transaction_age', (SELECT max(age(datfrozenxid)) FROM pg_database),
    'damaged_pages', (SELECT coalesce(sum(checksum_failures), 0) FROM pg_stat_database),
    'archived', (SELECT extract(epoch FROM last_archived_time) FROM pg_stat_archiver),
    'archive_failed', (SELECT extract(epoch FROM last_failed_time) FROM pg_stat_archiver),
    'log_bytes', (SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()),
    'log_waiting', (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
    'idle_slots', (SELECT coalesce(json_agg(slot_name), '[]') FROM pg_replication_slots WHERE NOT active AND pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END, restart_lsn) > 268435456),
    'pending_restart', (SELECT coalesce(json_agg(name), '[]') FROM pg_settings WHERE pending_restart))"""


def _fetch(url, authorities, certificate, key):
    context = ssl.create_default_context(cafile=authorities)
    context.load_cert_chain(certificate, key)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(url, timeout=ANSWER_SECONDS) as answer:
        return json.load(answer)


def _cluster(url):
    folder = "/etc/kinora/tls"
    return _fetch(url, f"{folder}/cluster-authorities.pem", f"{folder}/cluster.pem", f"{folder}/cluster.key")


def database(wanted):
    if "databases" not in wanted["groups"]:
        return None
    asked = run("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-c", DATABASE)
    try:
        cluster = _cluster(f"https://{wanted['backend_name']}:8008/cluster")
    except (OSError, ValueError) as error:
        cluster = {"error": str(error)}
    return {"postgresql": as_json(asked), "cluster": cluster}


def etcd(wanted):
    if not os.path.exists("/etc/etcd/tls/member.pem"):
        return None
    command = ["etcdctl", f"--endpoints=https://{wanted['backend_name']}:2379", "--cacert=/etc/etcd/tls/authorities.pem", "--cert=/etc/etcd/tls/member.pem", "--key=/etc/etcd/tls/member.key",
               "--command-timeout=4s", "--write-out=json"]
    healthy = run(*command, "endpoint", "health").code == 0
    status = as_json(run(*command, "endpoint", "status"))
    if not healthy:
        return {"healthy": False, "members": [], "alarms": [], "bytes": 0}
    alarms = run(*[word for word in command if not word.startswith("--write-out")], "alarm", "list").out
    return {
        "healthy": True, "members": [member.get("name", "") for member in as_json(run(*command, "member", "list")).get("members", [])],
        "alarms": re.findall(r"alarm:(\w+)", alarms), "bytes": status[0]["Status"].get("dbSize", 0) if isinstance(status, list) else 0,
    }


def broker(wanted):
    if "backends" not in wanted["groups"]:
        return None
    status = as_json(run("rabbitmqctl", "--quiet", "--formatter", "json", "cluster_status", seconds=20))
    return {"status": status}


def queues(wanted):
    if "backends" not in wanted["groups"]:
        return None
    found = as_json(run("rabbitmqctl", "--quiet", "--formatter", "json", "list_queues", "--vhost", "kinora", "name", "type", "messages", "consumers", "leader", "members", "online", seconds=20))
    return {"error": found["error"]} if isinstance(found, dict) else {"list": found}


def _redis(host, port, commands):
    """Answers of Redis to commands: the last line of each (enough for what is asked here)."""
    password = (read("/etc/kinora/credentials/backend/redis-password") or "").strip()
    context = ssl.create_default_context(cafile="/etc/kinora/tls/authorities.pem")
    with socket.create_connection((host, port), ANSWER_SECONDS) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        file = secure.makefile("rb")
        answers = []
        for words in [("AUTH", "kinora_backend", password), *commands]:
            secure.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words))
            answers.append(_reply(file))
    return answers[1:]


def _reply(file):
    """One reply of RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/."""
    line = file.readline().rstrip(b"\r\n").decode(errors="replace")
    kind, rest = line[:1], line[1:]
    if kind == "$":
        return None if rest == "-1" else file.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return None if rest == "-1" else [_reply(file) for _ in range(int(rest))]
    return {"error": rest} if kind == "-" else rest


def redis(wanted):
    if "backends" not in wanted["groups"]:
        return None
    found = {"role": None, "primary": None, "sentinels": 0}
    try:
        role = _redis(wanted["backend_name"], 6379, [("ROLE",)])[0]
        found["role"] = {"is": role[0], "link": role[3] if role[0] == "slave" else ""} if isinstance(role, list) else None
    except (OSError, ValueError) as error:
        found["problem"] = str(error)
    try:
        primary = _redis(wanted["backend_name"], 26379, [("SENTINEL", "get-master-addr-by-name", "kinora")])[0]
        found["primary"] = primary[0] if isinstance(primary, list) else None
    except (OSError, ValueError) as error:
        found["sentinel_problem"] = str(error)
    known = [text for path in glob.glob("/var/lib/redis/*sentinel*.conf") for text in re.findall(r"^sentinel known-sentinel kinora (\S+)", read(path) or "", re.MULTILINE)]
    found["sentinels"] = 1 + len(set(known))
    return found


def haproxy(wanted):
    if "load_balancers" not in wanted["groups"]:
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect("/run/haproxy/admin.sock")
        connection.sendall(b"show stat\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {"servers": [{"name": row["svname"], "status": row["status"], "why": row.get("check_desc") or row.get("last_chk") or ""} for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")]}


def backups(wanted):
    if not set(wanted["groups"]) & {"databases", "backup_repository"}:
        return None
    info = as_json(run("runuser", "-u", "postgres", "--", "pgbackrest", "--stanza=kinora", "--log-level-console=off", "--output=json", "info", seconds=20))
    found = {"info": info if isinstance(info, dict) else {"stanzas": info}, "drill": None, "since": 0}
    if "backup_repository" in wanted["groups"]:
        found["drill"] = _result("/var/lib/kinora-drill/result.json")
        found["since"] = _age("/etc/systemd/system/kinora-drill.timer")
        # The repository's files are read by nobody else, and are not meant to be on the system's own disk.
        found["place"] = os.path.isdir(wanted["backup_path"])
    return found


def copies(wanted):
    if not wanted["copy_path"] and not os.path.exists("/etc/systemd/system/kinora-media-copy.timer"):
        return None
    there = not wanted["copy_path"] or run("test", "-d", wanted["copy_path"], seconds=4).code == 0
    return {"result": _result("/var/lib/kinora-media-copy/result.json"), "since": _age("/etc/systemd/system/kinora-media-copy.timer"), "place": there}


def _result(path):
    try:
        told = json.loads(read(path) or "")
        return {"ok": bool(told["ok"]), "age": int(time.time()) - int(told["at"]), "problem": str(told.get("problem") or "")[:300]}
    except (ValueError, KeyError, TypeError):
        return None


def _age(path):
    try:
        return int(time.time() - os.stat(path).st_mtime)
    except OSError:
        return 0


def storage(wanted):
    """Whether the storage is there and its users may write; asked in processes of their own, which a hanging mount holds instead of us."""
    path = wanted["storage_path"]
    if not path:
        return None
    vault = f"{path}/vault"
    looked = run("stat", "--format=%U %G %a", vault, seconds=4)
    mount = run("stat", "--format=%m", path, seconds=4).out.strip()
    found = {"path": path, "hangs": looked.code == 124, "there": looked.code == 0, "mount": mount, "source": "", "refuses": []}
    # What roles/base/files/storage.sh marked it with.
    found["id"] = run("cat", f"{vault}/storage-id", seconds=4).out.strip() if found["there"] else ""
    for line in (read("/proc/self/mounts") or "").splitlines():
        words = line.split()
        if words[1] == mount:
            found["source"] = words[0]
    for group, user in (("applications", "kinora-application"), ("workers", "kinora-worker")):
        if group in wanted["groups"] and looked.code == 0 and run("runuser", "-u", user, "-g", user, "-G", "kinora-media", "--", "test", "-w", vault, seconds=4).code:
            found["refuses"].append(user)
    return found


def media(wanted):
    if "workers" not in wanted["groups"]:
        return None
    filters = run("ffmpeg", "-hide_banner", "-filters")
    metrics = _worker_metrics(wanted)
    return {
        "ffmpeg": filters.code == 0, "zscale": bool(re.search(r"^\s*\S+\s+zscale\s", filters.out, re.MULTILINE)), "drained": "kinora_worker_drained 1" in metrics,
        "scratch": os.path.isdir("/var/lib/kinora/scratch"),
    }


def _worker_metrics(wanted):
    try:
        context = ssl.create_default_context(cafile="/etc/kinora/tls/authorities.pem")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(f"https://{wanted['management_name']}:9182/metrics", timeout=ANSWER_SECONDS) as answer:
            return answer.read().decode()
    except OSError:
        return ""


QUERIES = {
    "down": "up == 0", "alerts": 'ALERTS{alertstate="firing"}', "oldest": 'max by (kind, state) (kinora_backend_oldest_step_seconds{state=~"waiting|queued"})',
    "leaders": "sum(kinora_backend_leader)", "alerts_lost": "sum(increase(alertmanager_notifications_failed_total[15m])) > 0",
}


def monitoring(wanted):
    """Answers of Prometheus: query → [{labels…, value}]."""
    if "backends" not in wanted["groups"]:
        return None
    folder = "/etc/kinora/tls"
    found = {}
    for name, query in QUERIES.items():
        answer = _fetch("https://localhost:9090/api/v1/query?" + urllib.parse.urlencode({"query": query}), f"{folder}/authorities.pem", f"{folder}/host.pem", f"{folder}/host.key")
        found[name] = [{**entry["metric"], "value": float(entry["value"][1])} for entry in answer["data"]["result"]]
    return found


SECTIONS = {
    "database": database, "etcd": etcd, "broker": broker, "queues": queues, "redis": redis, "haproxy": haproxy, "backups": backups, "copies": copies, "storage": storage, "media": media,
    "monitoring": monitoring,
}
