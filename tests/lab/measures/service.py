"""Whether a host is in service: not that it booted, but that the others use it again.

Each check is asked where the answer counts: a server behind HAProxy at the load balancers, a database at Patroni's
cluster, a broker's node and etcd's member among their peers, a worker at the broker.
"""

import json
from collections.abc import Iterator

from lab.fleet import Host

from .canary import AUTHORITIES, CLIENT
from .hosts import Lab
from .roles import backend_name, needed_units

UNITS = 'for unit; do state=$(systemctl is-active "$unit"); [ "$state" = active ] || echo "$unit is $state"; done; systemctl is-system-running'
# Debian's minimal server has no socat; its python3 speaks to sockets as well.
ASK_HAPROXY = """
import socket
with socket.socket(socket.AF_UNIX) as link:
    link.settimeout(5)
    link.connect("/run/haproxy/admin.sock")
    link.sendall(b"show stat\\n")
    print(b"".join(iter(lambda: link.recv(65536), b"")).decode())
"""
REDIS = r"""
password=$(awk '$1 == "sentinel" && $2 == "auth-pass" { print $4 }' /etc/redis/kinora-sentinel.conf)
REDISCLI_AUTH=$password redis-cli --tls --cacert /etc/redis/tls/authorities.pem --user sentinel --no-auth-warning -h "$1" -p 6379 info replication
"""
PATRONI = "patronictl -c /etc/patroni/config.yml list --format json"
ETCD = "etcdctl --endpoints=https://$1:2379 --cacert=/etc/etcd/tls/authorities.pem --cert=/etc/etcd/tls/member.pem --key=/etc/etcd/tls/member.key endpoint health --command-timeout=5s"


def lacking(lab: Lab, host: Host) -> list[str]:
    """What keeps a host from being in service; nothing when it is."""
    found = list(_system(lab, host))
    # The parts below say less, and later, when the units are not even there.
    if not found:
        for group, check in CHECKS.items():
            if group in host.groups:
                found += check(lab, host)
    return found


def last_words(lab: Lab, host: str) -> list[str]:
    """The end of a host's log since it booted, for who has to find out why it is not in service."""
    answer = lab.exec(host, "journalctl -b -q -n 25 -p warning -o short-monotonic --no-hostname", timeout=30)
    return [f"{host}: {line}" for line in (answer.output or answer.error).splitlines()]


def _system(lab: Lab, host: Host) -> Iterator[str]:
    answer = lab.exec(host.name, ["sh", "-c", UNITS, "units", *needed_units(lab, host)], timeout=30)
    lines = answer.output.splitlines()
    if not lines:
        yield f"no answer: {answer.error.strip()[-200:]}"
        return
    yield from lines[:-1]
    if lines[-1] != "running":
        yield f"the system is {lines[-1]}"


def _load_balancer(lab: Lab, host: Host) -> Iterator[str]:
    address = host.address("edge")
    asked = f"curl -s -S -o /dev/null -m 5 -w '%{{http_code}}' --cacert {AUTHORITIES} --resolve {lab.fleet.public_name}:443:{address} https://{lab.fleet.public_name}/readyz"
    answer = lab.exec(CLIENT, asked, timeout=10)
    if answer.output != "200":
        yield f"/readyz through {address} answers {answer.output or 'nothing'} {answer.error.strip()}"
    holders = [name for name in lab.members("load_balancers") if _holds_public(lab, name)]
    if len(holders) != 1:
        yield f"the public address is at {', '.join(holders) or 'no load balancer'}"


def _holds_public(lab: Lab, host: str) -> bool:
    address = next(iter(lab.fleet.public_address.values()))
    return bool(lab.exec(host, f"ip -oneline address show to {address}").output.strip())


def _application(lab: Lab, host: Host) -> Iterator[str]:
    for balancer in lab.members("load_balancers"):
        answer = lab.exec(balancer, ["python3", "-c", ASK_HAPROXY], timeout=10)
        rows = [line.split(",") for line in answer.output.splitlines()]
        heads = rows[0] if rows else []
        states = [row[heads.index("status")] for row in rows if len(row) > 1 and row[1] == host.name and "status" in heads]
        if not states or any(state != "UP" for state in states):
            yield f"for {balancer} it is {', '.join(states) or 'unknown'}"


def _backend(lab: Lab, host: Host) -> Iterator[str]:
    name = backend_name(host.name)
    peers = lab.members("backends")
    answer = lab.exec(next((peer for peer in peers if peer != host.name), host.name), "rabbitmqctl --quiet cluster_status --formatter json", timeout=40)
    running = _json(answer.output).get("running_nodes", [])
    if len(running) != len(peers):
        yield f"RabbitMQ runs on {len(running)} of {len(peers)} nodes: {', '.join(running)}"
    # Five members at most are etcd's; on another the command finds nobody.
    if lab.exec(host.name, "systemctl is-enabled --quiet etcd.service").ok and not lab.exec(host.name, ["sh", "-c", ETCD, "etcd", name]).ok:
        yield "its etcd has no majority to agree with"
    yield from _redis(lab, host, name)


def _redis(lab: Lab, host: Host, name: str) -> Iterator[str]:
    said = lab.exec(host.name, ["sh", "-c", REDIS, "redis", name]).output
    facts = dict(line.strip().split(":", 1) for line in said.splitlines() if ":" in line)
    others = len(lab.members("backends")) - 1
    match facts.get("role"):
        case "master":
            if int(facts["connected_slaves"]) != others:
                yield f"Redis is primary with {facts['connected_slaves']} of {others} replicas"
        case "slave":
            if facts["master_link_status"] != "up":
                yield f"Redis has lost its primary {facts['master_host']}"
        case _:
            yield f"Redis does not answer: {said.strip()[-200:]}"


def _database(lab: Lab, host: Host) -> Iterator[str]:
    answer = lab.exec(host.name, PATRONI, timeout=30)
    members = _json(answer.output) or []
    states = {member["Member"]: (member["Role"], member["State"]) for member in members}
    if len(states) != len(lab.members("databases")):
        yield f"Patroni has the members {', '.join(states) or 'none'}: {answer.error.strip()[-200:]}"
    for member, (role, state) in states.items():
        if state != ("running" if role == "Leader" else "streaming"):
            yield f"{member} ({role}) is {state}"
    if [role for role, _ in states.values()].count("Leader") != 1:
        yield "there is no primary"


def _worker(lab: Lab, host: Host) -> Iterator[str]:
    """A worker that takes orders is connected to the broker."""
    if not lab.exec(host.name, "ss -H -t -n -p state established dport = :5671 | grep kinora-worker").ok:
        yield "it has no connection to the broker"


def _json(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return {}


CHECKS = {
    "load_balancers": _load_balancer,
    "applications": _application,
    "backends": _backend,
    "databases": _database,
    "workers": _worker,
}
