"""The checks of the verb doctor: pure functions from what hosts said to findings. docs/operations/doctor.md

`diagnose` makes all of them; a check is declared in the file of its area with `of_host` or `of_fleet` (finding.py).
"""

from doctor import database, engines, network, services, storage, system  # noqa: F401 - they declare the checks
from doctor.finding import CHECKS, FLEET, Finding, Fleet

# The unit that answers for an area: where it does not run, that is the finding, and not that the area is silent.
ANSWERS = {
    "broker": "rabbitmq-server.service", "queues": "rabbitmq-server.service", "haproxy": "haproxy.service", "monitoring": "prometheus.service", "database": "patroni.service",
    "etcd": "etcd.service", "redis": "redis-server.service",
}
# What follows from a unit that does not run, on its host: told by the unit alone.
FOLLOWS = {
    "patroni.service": {"database-silent", "patroni-silent", "database-member", "database-member-missing", "database-no-leader", "backup-unreachable"},
    "etcd.service": {"etcd-silent", "etcd-member-missing"},
    "rabbitmq-server.service": {"broker-silent", "broker-node-missing", "queue-no-consumers"},
    "redis-server.service": {"redis-silent", "redis-no-primary"},
    "redis-sentinel.service": {"sentinel-silent", "sentinels-few"},
    "kinora-application.service": {"balancer-server-down"},
    "kinora-application.socket": {"balancer-server-down"},
    "kinora-worker.service": {"queue-no-consumers"},
    "keepalived.service": {"public-address-none"},
    "kinora-firewall.service": {"firewall-off"},
    "kinora-backend.service": {"leader-missing"},
    "pgbackrest.service": {"backup-unreachable"},
}
UNIT_CHECKS = ("unit-stopped", "unit-missing", "unit-masked", "unit-restarting")
# Told only where nothing else was found: they say again what a cause has said.
SECOND_HAND = ("target-down", "alert-firing")
# Made by `diagnose` itself.
OWN_CHECKS = ("host-silent", "not-asked")


def diagnose(made, facts, given):
    """Findings, worst known causes alone. `facts` is host → area → answer, nothing for a host that did not answer.

    `given`: version (of the bundle, or nothing), clocks (host → before, said, after), silent (host → its last words), copies_wanted.
    """
    fleet = Fleet(made, facts, given)
    found = [Finding(host, "host-silent", f"it does not answer: {words.strip()[-160:] or 'nothing'}", "it is off, its network is away, or you may not sign in", f"look at its console; ssh {host}") for host, words in given["silent"].items()]
    found += [finding for host in fleet.hosts for finding in _not_asked(host)]
    for check in CHECKS.values():
        found += _made(check, fleet)
    # What an engine said may be of several lines.
    found = [finding._replace(what=" ".join(finding.what.split())) for finding in found]
    return without_consequences(fleet, found)


def _made(check, fleet):
    if check.across:
        return [Finding(host, check.id, *texts) for host, *texts in check.function(fleet)]
    found = []
    for host, said in fleet.saying(check.section):
        if not check.groups or set(check.groups) & set(host.groups):
            found += [Finding(host.name, check.id, *texts) for texts in check.function(host, said)]
    return found


def _not_asked(host):
    for area, said in host.facts.items():
        if isinstance(said, dict) and set(said) == {"error"} and (area not in ANSWERS or host.is_active(ANSWERS[area])):
            yield Finding(host.name, "not-asked", f"{area} could not be looked at: {said['error'][-150:]}", "the host is busy, or what answers there hangs", "run doctor again; then what the text says")


def without_consequences(fleet, found):
    """Without those that only repeat what another says."""
    stopped = {(finding.host, finding.what.split(" ")[0]) for finding in found if finding.check in UNIT_CHECKS}
    silent = {finding.host for finding in found if finding.check == "host-silent"}
    hidden = {(host, check) for host, unit in stopped for check in FOLLOWS.get(unit, ())}
    hidden |= {(FLEET, check) for _, check in hidden}
    kept = [finding for finding in found if (finding.host, finding.check) not in hidden and (finding.host not in silent or finding.check == "host-silent")]
    causes = [finding for finding in kept if finding.check not in SECOND_HAND]
    return causes or kept


def report(findings, hosts):
    """The page: one line where nothing was found."""
    if not findings:
        return f"nothing found on {'its one host' if hosts == 1 else f'{hosts} hosts'} ({check_count()} checks)"
    lines = [f"{len(findings)} thing{'s' if len(findings) > 1 else ''} found", ""]
    for host in sorted({finding.host for finding in findings}, key=lambda name: (name != FLEET, name)):
        lines.append(host)
        for finding in (each for each in findings if each.host == host):
            lines += [f"  - [{finding.check}] {finding.what}", f"      why: {finding.cause}", f"      do:  {finding.fix}"]
    return "\n".join(lines)


def check_count():
    return len(CHECKS) + len(OWN_CHECKS)
