"""What healthy hosts say to the verb doctor, for every layout: systemd and the host as on one of the lab, engines in the forms that they document."""

from functools import cache

from inventories import inventory, load_plugin, rule_files

plugin = load_plugin("kinora_doctor")
NOW = 1795408500.0
VERSION = "0.1.0"
ENGINES = {
    "databases": {"postgresql-17": "17.6-0+deb13u1", "patroni": "4.0.7-1", "pgbackrest": "2.55.1-1"}, "backends": {"etcd-server": "3.5.16-4+b4", "rabbitmq-server": "4.0.5-8", "redis-server": "5:8.0.2-3+deb13u1"},
    "load_balancers": {"haproxy": "3.0.11-1+deb13u1", "keepalived": "1:2.3.3-1"}, "workers": {"ffmpeg": "7:7.1.5-0+deb13u1"}, "applications": {}, "backup_repository": {"pgbackrest": "2.55.1-1"},
}
OURS = {"applications": "kinora-application", "backends": "kinora-backend", "workers": "kinora-worker"}
GIVEN = {"public_name": "kinora.studio.example", "storage_path": "/srv/kinora", "copy_path": "", "backup_path": "/srv/kinora-backup", "outside": [], "rules": rule_files()}


def unit(name):
    loaded = {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled", "result": "success", "restarts": 0, "stale": False, "active_for": 9000, "settled_for": 9000, "old_program": False}
    return {**loaded, "drop_ins": [f"/etc/systemd/system/{name}.d/10-kinora-sandbox.conf", f"/etc/systemd/system/{name}.d/20-kinora.conf"]}


def of_every_host(made, host):
    """Areas that every host has."""
    wanted = plugin.questions(made, host, GIVEN)
    groups = wanted["groups"]
    versions = {OURS[group]: f"{VERSION}-1" for group in groups if group in OURS}
    for group in groups:
        versions.update(ENGINES[group])
    flows = made["flows"].values()
    link = {"mtu": 1500, "up": True}
    certificate = {"days": 397, "chain": True, "key_fits": True, "name_fits": True, "name": wanted["backend_name"]}
    return {
        "system": {
            "at": NOW, "uptime": 900000.5, "container": "none", "zone": "Etc/UTC", "reboot_required": False, "kernel": "6.12.57+deb13-amd64", "kernels": ["6.12.48+deb13-amd64", "6.12.57+deb13-amd64"],
            "memory": {"MemTotal": 8 << 30, "MemAvailable": 5 << 30, "SwapTotal": 1 << 30, "SwapFree": 1 << 30}, "killed_for_memory": [], "user_namespaces": 31250, "forwards": False, "ssh_passwords": False,
        },
        "clock": {"answers": True, "stratum": 3, "offset": 0.000012, "leap": "Normal"},
        "disks": {"mounts": [{"place": "/", "kind": "ext4", "read_only": False, "hangs": False, "source": "/dev/sda2", "bytes": 40 << 30, "percent": 31, "inodes_percent": 8}]},
        "journal": {"persistent": True, "reaches_back": 800000.0},
        "names": {"missing": [], "other": [], "host": host},
        "network": {
            "zones": {zone: {address: {"name": f"en-{zone}", **link} for address in addresses} for zone, addresses in wanted["addresses"].items()},
            "public": wanted["public"] if host in ("lb1", "kinora1") else [], "listens": sorted({flow["port"] for flow in flows if host in flow["accepts"] and flow["port"]}),
            "probes": [{**probe, "answer": "ok"} for probe in wanted["probes"]],
        },
        "packages": {"versions": versions, "broken": []},
        "firewall": {"loaded": True, "drops": True, "as_file": True, "file_as_inventory": True, "pending": False, "unconfirmed": False, "others": []},
        "units": {"wanted": {name: unit(name) for name in wanted["units"]}, "failed": []},
        "credentials": {"wrong": {}, "known": 4},
        "settings": {"refused": {}, "unread": []},
        "certificates": {"files": {"host.pem": certificate, "authorities.pem": {"days": 3649}}, "stale": [], "shown": {str(port): True for port in wanted["tls_ports"]}, "authorities": "4f2a"},
        "fingerprints": {f"/etc/kinora/credentials/{name}/vault-master-key": {"of": "master key", "hash": "77aa"} for group, name in (("applications", "application"), ("workers", "worker")) if group in groups}
        | ({"/etc/kinora/credentials/application/session-key": {"of": "session key", "hash": "12cd"}} if "applications" in groups else {}),
    }


def database(made, host):
    """`psql` and Patroni's GET /cluster, of the first as primary."""
    hosts = [entry["host"] for entry in made["members"]["databases"]["backend"]]
    members = []
    for name in hosts:
        address = made["hosts"][name]["addresses"]["backend"]["ipv4"]
        common = {"name": name, "api_url": f"https://{name}.backend.kinora.internal:8008/patroni", "host": address, "port": 5432, "timeline": 3}
        members.append({**common, "role": "leader", "state": "running"} if name == hosts[0] else {**common, "role": "quorum_standby", "state": "streaming", "lag": 0})
    answer = {
        "standby": host != hosts[0], "connections": 41, "most_connections": 200, "oldest_transaction": 2, "transaction_age": 812345, "damaged_pages": 0, "archived": NOW - 4 if host == hosts[0] else None,
        "archive_failed": None, "log_bytes": 536870912, "log_waiting": 0, "idle_slots": [], "pending_restart": [],
    }
    return {"postgresql": answer, "cluster": {"members": members, "scope": "kinora"}}


def of_backend(made, host):
    hosts = [entry["host"] for entry in made["members"]["backends"]["backend"]]
    nodes = [f"rabbit@{name}.backend.kinora.internal" for name in hosts]
    queue = {"type": "quorum", "messages": 0, "consumers": 2, "leader": nodes[0], "members": nodes, "online": nodes}
    names = ("kinora.orders.quick", "kinora.orders.long", "kinora.reports", "kinora.results", "kinora.dead")
    status = {"alarms": [], "partitions": {}, "running_nodes": nodes, "disk_nodes": nodes, "maintenance_status": {node: "not under maintenance" for node in nodes}, "cluster_name": "kinora"}
    return {
        "etcd": {"healthy": True, "members": hosts, "alarms": [], "bytes": 20480},
        "broker": {"status": status},
        "queues": {"list": [{"name": name, **queue, "consumers": 0 if name == "kinora.dead" else 2} for name in names]},
        "redis": {"role": {"is": "master", "link": ""} if host == hosts[0] else {"is": "slave", "link": "connected"}, "primary": f"{hosts[0]}.backend.kinora.internal", "sentinels": len(hosts)},
        "monitoring": {"down": [], "alerts": [], "oldest": [{"kind": "render", "state": "waiting", "value": 12.0}], "leaders": [{"value": 1.0}], "alerts_lost": []},
    }


def backups(groups):
    repository = "backup_repository" in groups
    stanza = {"name": "kinora", "status": {"code": 0, "lock": {"backup": {"held": False}}, "message": "ok"},
              "backup": [{"label": "20261122-010003F", "error": False, "timestamp": {"start": NOW - 40100, "stop": NOW - 40000}}]}
    found = {"info": {"stanzas": [stanza]}, "drill": None, "since": 0}
    return {**found, **({"drill": {"ok": True, "age": 3600, "problem": ""}, "since": 500000, "place": True} if repository else {})}


@cache
def healthy(layout):
    """(fleet, host → area → answer, what the controller knows)."""
    made = inventory(layout)
    facts = {}
    for host, entry in made["hosts"].items():
        groups = entry["groups"]
        said = of_every_host(made, host)
        if "databases" in groups:
            said["database"] = database(made, host)
        if set(groups) & {"databases", "backup_repository"}:
            said["backups"] = backups(groups)
        if "backends" in groups:
            said.update(of_backend(made, host))
        if "load_balancers" in groups:
            said["haproxy"] = {"servers": [{"name": member["host"], "status": "UP", "why": "HTTP status check returned code <200>"} for member in made["members"]["applications"]["frontend"]]}
        if set(groups) & {"applications", "workers"}:
            said["storage"] = {"path": "/srv/kinora", "hangs": False, "there": True, "mount": "/srv/kinora", "source": "nas.storage:/kinora", "id": "7d0c", "refuses": []}
        if "applications" in groups:
            said["copies"] = {"result": {"ok": True, "age": 7200, "problem": ""}, "since": 400000, "place": True}
        if "workers" in groups:
            said["media"] = {"ffmpeg": True, "zscale": True, "drained": False, "scratch": True}
        facts[host] = said
    clocks = {host: (NOW, NOW + 0.8, NOW + 1.5) for host in made["hosts"]}
    return made, facts, {"version": VERSION, "clocks": clocks, "silent": {}, "copies_wanted": True}
