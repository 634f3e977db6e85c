"""The state of the installation as an operator reads it: what needs attention first, then a line for each host.

Pure functions, tested by ansible/tests.
"""

# Units that must run on the hosts of a group. `keepalived` only where there are two load balancers.
UNITS = {
    "load_balancers": ["haproxy.service", "keepalived.service", "kinora-canary.timer"],
    "applications": ["kinora-application.socket", "kinora-application.service"],
    "backends": [
        "etcd.service", "rabbitmq-server.service", "redis-server.service", "redis-sentinel.service", "kinora-backend.service",
        "prometheus.service", "prometheus-alertmanager.service",
    ],
    "databases": ["patroni.service", "kinora-takeover.service", "pgbackrest.service"],
    "workers": ["kinora-media.socket", "kinora-worker.service"],
    "backup_repository": ["pgbackrest.service"],
}
EVERY_HOST_UNITS = ["ssh.service", "kinora-firewall.service", "prometheus-node-exporter.service", "kinora-figures.timer"]
SHORT = {
    "load_balancers": "balancer", "applications": "application", "backends": "backend", "databases": "database",
    "workers": "worker", "backup_repository": "backups",
}
# What each engine may fail its clients in although its unit runs, and what to do.
SERVES_NOT = {
    "etcd": ("etcd does not agree with a majority of its members", "journalctl -u etcd -n 50; are the other backends well?"),
    "broker": ("RabbitMQ does not run well, or has an alarm of memory or disk", "rabbitmq-diagnostics alarms; journalctl -u rabbitmq-server -n 50"),
    "broker-tls": ("RabbitMQ does not show this host's certificate", "journalctl -u rabbitmq-server -n 50, then renew-certificates"),
    "redis": ("Redis does not show this host's certificate", "journalctl -u redis-server -n 50, then renew-certificates"),
    "sentinel": ("Sentinel does not show this host's certificate", "journalctl -u redis-sentinel -n 50, then renew-certificates"),
    "storage": ("the storage of media does not say how full it is", "findmnt of kinora_storage_path; is the NAS well?"),
    "audit-target": ("the log collector cannot be reached: the audit trail waits on this host", "journalctl -u kinora-audit-target -n 50; docs/operations/audit.md"),
    "database-tls": ("PostgreSQL does not show this host's certificate", "look at ssl_cert_file in /etc/patroni/config.yml, then renew-certificates"),
}
# States of a member of the database cluster, as Patroni says them, in which nothing need be done.
MEMBER_WELL = ("running", "streaming")
# What the log collector is called among the ways out of the installation.
AUDIT_TARGET = "audit-target"
RENEW_DAYS = 30
# Backups and their drill are made daily; two hours for those that take long.
DAILY_SECONDS = 26 * 3600
DISK_PERCENT = 85


def host_units(fleet, host):
    """Units that must run on a host."""
    units = list(EVERY_HOST_UNITS)
    for group in fleet["hosts"][host]["groups"]:
        units += UNITS[group]
    if "backends" in fleet["hosts"][host]["groups"] and any(entry["name"] == AUDIT_TARGET for entry in fleet["networks"].get("egress") or []):
        units.append("kinora-audit-target.service")
    units = list(dict.fromkeys(units))
    if len(fleet["members"]["load_balancers"].get("frontend", [])) < 2:
        units = [unit for unit in units if unit != "keepalived.service"]
    databases = fleet["members"]["databases"].get("backend", [])
    if [entry["host"] for entry in databases] == [host]:
        # Database and repository on one host have nothing to say to each other over the network.
        units = [unit for unit in units if unit != "pgbackrest.service"]
    return units


# No concern: a studio's own authority is as good where its browsers know it. Browsers of guests do not.
VOUCHED = {
    "own": "its public certificate is of the installation's own authority",
    "other": "its public certificate is of no public authority",
}


def _parse(output):
    facts = {}
    for line in output.splitlines():
        key, _, value = line.strip().partition(" ")
        if key:
            facts.setdefault(key, []).append(value)
    return facts


def host_concerns(host, output):
    """What needs attention on a host: (what, do)."""
    facts = _parse(output)
    if "end" not in facts:
        return [("does not answer", f"look at its console; `ssh {host}` says: {output.strip()[-120:] or 'nothing'}")]
    found = []
    for line in facts.get("unit", []):
        unit, _, state = line.partition(" ")
        if state != "active":
            found.append((f"{unit} is {state}", f"journalctl -u {unit} -n 50"))
    running = {line.partition(" ")[0] for line in facts.get("unit", [])}
    found += [(f"{unit} failed", f"journalctl -u {unit} -n 50") for unit in facts.get("failed", []) if unit not in running]
    # The storage may lie on the fullest disk.
    for line in dict.fromkeys(facts.get("disk", [])):
        percent, _, place = line.partition(" ")
        if int(percent) >= DISK_PERCENT:
            found.append((f"{place} is {percent} % full", f"du -xh {place} | sort -h | tail"))
    for line in facts.get("days", []):
        name, _, days = line.partition(" ")
        if int(days) < RENEW_DAYS:
            found.append((f"{name} ends in {days} days", "run renew-certificates (a customer's own: put the new one into the inventory)"))
    found += [SERVES_NOT[line] for line in facts.get("serves-not", [])]
    for line in facts.get("server", []):
        server, _, state = line.partition(" ")
        if not state.startswith("UP"):
            found.append((f"HAProxy sends nothing to {server}: {state}", f"look at kinora-application on {server}"))
    if "unreachable" in facts.get("database", []):
        found.append(("PostgreSQL does not answer", "patronictl -c /etc/patroni/config.yml list"))
    found += backup_concerns(facts)
    found += copy_concerns(facts)
    if "reboot" in facts:
        found.append(("a reboot is needed after an update", "reboot it when the others of its role are well"))
    return found


def backup_concerns(facts):
    """What needs attention of backups and their drill, on the host that keeps them: (what, do)."""
    found = []
    for line in facts.get("backup", []):
        word, _, rest = line.partition(" ")
        if word == "unknown":
            found.append(("pgBackRest does not say which backups there are", "sudo -u postgres pgbackrest --stanza=kinora info"))
        elif int(rest or word) > DAILY_SECONDS:
            what = "there is no backup" if word == "never" else f"the last backup is {age(word)} old"
            found.append((what, "journalctl -u 'kinora-backup@*' -n 50; docs/operations/backup.md"))
    for line in facts.get("drill", []):
        word, _, rest = line.partition(" ")
        seconds, _, text = rest.partition(" ")
        if word == "failed":
            found.append((f"the drill of the backups failed {age(seconds)} ago: {text}", "journalctl -u kinora-drill -n 100; docs/operations/drill.md"))
        elif int(seconds) > DAILY_SECONDS:
            what = "the backups were never tried" if word == "never" else f"the backups were last tried {age(seconds)} ago"
            found.append((what, "systemctl list-timers kinora-drill.timer; systemctl start kinora-drill; docs/operations/drill.md"))
    return found


def copy_concerns(facts):
    """What needs attention of the copies of the media, on an application: (what, do)."""
    found = []
    for line in facts.get("copy", []):
        word, _, rest = line.partition(" ")
        seconds, _, text = rest.partition(" ")
        if word == "failed":
            found.append((f"copying the media failed {age(seconds)} ago: {text}", "journalctl -u kinora-media-copy -n 100; docs/operations/media-copies.md"))
        elif int(seconds) > DAILY_SECONDS:
            what = "the media were never copied" if word == "never" else f"the media were last copied {age(seconds)} ago"
            found.append((what, "systemctl list-timers kinora-media-copy.timer; systemctl start kinora-media-copy; docs/operations/media-copies.md"))
    return found


def fleet_concerns(fleet, outputs):
    """What needs attention between hosts."""
    facts = {host: _parse(output) for host, output in outputs.items()}
    found = []
    primaries = [host for host in facts if "primary" in facts[host].get("database", [])]
    asked = [host for host in facts if "databases" in fleet["hosts"][host]["groups"]]
    if asked and len(primaries) != 1:
        found.append(("fleet", f"{len(primaries)} databases accept writes", "patronictl -c /etc/patroni/config.yml list, on a database host"))
    # Each member tells the list of all; where they differ, whichever sees something wrong is heard.
    members = {line for host in asked for line in facts[host].get("member", [])}
    for line in sorted(members):
        member, _, state = line.partition(" ")
        if state not in MEMBER_WELL:
            found.append(("fleet", f"the database on {member} is {state}", "patronictl -c /etc/patroni/config.yml list; journalctl -u patroni, on that host"))
    balancers = [host for host in facts if "load_balancers" in fleet["hosts"][host]["groups"]]
    holders = [host for host in balancers if facts[host].get("public")]
    if balancers and len(holders) != 1:
        found.append(("fleet", f"{len(holders)} load balancers have the public address", "journalctl -u keepalived, on the load balancers"))
    versions = {line.partition(" ")[2] for entry in facts.values() for line in entry.get("package", [])}
    if len(versions) > 1:
        found.append(("fleet", f"hosts run different versions: {', '.join(sorted(versions))}", "run site to bring all to one"))
    return found


def all_concerns(fleet, outputs):
    """(host or "fleet", what, do) of everything that needs attention."""
    concerns = fleet_concerns(fleet, outputs)
    for host, output in outputs.items():
        concerns += [(host, what, do) for what, do in host_concerns(host, output)]
    return concerns


def report(fleet, outputs, public_name):
    """The whole page."""
    concerns = all_concerns(fleet, outputs)
    versions = sorted({line.partition(" ")[2] for output in outputs.values() for line in _parse(output).get("package", [])})
    title = f"Kinora {', '.join(versions) or '(not installed)'} at https://{public_name}"
    if not concerns:
        lines = [f"{title}: {'its one host is' if len(outputs) == 1 else f'all {len(outputs)} hosts are'} well"]
    else:
        lines = [f"{title}: {len(concerns)} to look at", ""]
        width = max(len(host) for host, _, _ in concerns)
        for host, what, do in sorted(concerns, key=lambda concern: concern[0] != "fleet"):
            lines += [f"  {host:<{width}}  {what}", f"  {'':<{width}}    → {do}"]
    rows = [("HOST", "ROLES", "UNITS", "DISK", "CERTIFICATES", "UP", "")]
    for host in sorted(outputs, key=lambda name: len(_row(fleet, name, outputs[name])[1])):
        rows.append(_row(fleet, host, outputs[host]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines.append("")
    lines += ["  ".join(f"{text:<{width}}" for text, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines)


def _row(fleet, host, output):
    facts = _parse(output)
    roles = ", ".join(SHORT[group] for group in fleet["hosts"][host]["groups"])
    if "end" not in facts:
        return (host, roles, "?", "?", "?", "?", "does not answer")
    units = facts.get("unit", [])
    well = sum(line.endswith(" active") for line in units)
    days = [int(line.rpartition(" ")[2]) for line in facts.get("days", [])]
    disk = facts["disk"][0].partition(" ")[0] if facts.get("disk") else "?"
    notes = facts.get("database", []) + _backup_notes(facts) + (["has the public address"] if facts.get("public") else [])
    notes += [VOUCHED[word] for word in facts.get("vouched", []) if word in VOUCHED]
    return (host, roles, f"{well}/{len(units)}", f"{disk} %", f"{min(days)} days" if days else "none", age(facts["uptime"][0]), ", ".join(notes))


def _backup_notes(facts):
    found = [f"backup {age(line)} ago" for line in facts.get("backup", []) if line.isdigit()]
    found += [f"media copied {age(line.split()[1])} ago" for line in facts.get("copy", []) if line.startswith("ok ")]
    return found + [f"drill {line.split()[0]} {age(line.split()[1])} ago" for line in facts.get("drill", []) if not line.startswith("never")]


def age(seconds):
    """5 min, 3 h, 2 d."""
    seconds = int(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {"kinora_host_units": host_units, "kinora_status_concerns": all_concerns, "kinora_status_report": report}
