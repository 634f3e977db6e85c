"""Every service account of a fleet, taken from where it lies on its host, and what it is for.

The secrets stay in this process and in the standard input of knock.py.
"""

from dataclasses import dataclass, field

from lab import install
from lab.problem import Problem

from .hosts import Lab

CREDENTIALS = "/etc/kinora/credentials"
TLS = "/etc/kinora/tls"

# What a service's own users must not be able to do there, all of which is taken back or does nothing where it succeeds.
NOT_IN_THE_DATABASE = [
    "CREATE TABLE knock (number integer)",
    "CREATE TEMPORARY TABLE knock (number integer)",
    "CREATE SCHEMA knock",
    "CREATE ROLE knock",
    "CREATE FUNCTION knock() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_reload_conf()",
    "SET ROLE postgres",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/knock'",
]
NOT_IN_THE_TABLES = [
    "ALTER TABLE people ADD COLUMN knock integer",
    "DROP TABLE people",
    "TRUNCATE people",
    "DELETE FROM audit_rows",
    "UPDATE audit_rows SET actor = actor WHERE false",
    "DELETE FROM audit_head",
    "DELETE FROM __diesel_schema_migrations",
    "DELETE FROM releases",
    "SET ROLE kinora_owner",
]
NOT_FOR_WHO_COPIES = ["SELECT count(*) FROM people", "SELECT count(*) FROM assets", "SELECT count(*) FROM audit_rows", "UPDATE objects SET wrapped_key = wrapped_key WHERE false", "DELETE FROM objects"]
NOT_IN_REDIS = [["FLUSHALL"], ["FLUSHDB"], ["KEYS", "*"], ["GET", "knock"], ["SET", "knock", "1"], ["CONFIG", "GET", "*"], ["ACL", "LIST"], ["EVAL", "return 1", "0"], ["CLIENT", "LIST"], ["MONITOR"]]
NOT_IN_SENTINEL = [["SENTINEL", "MASTERS"], ["SENTINEL", "SET", "kinora", "quorum", "2"], ["SENTINEL", "RESET", "knock"], ["SENTINEL", "CONFIG", "GET", "*"], ["SUBSCRIBE", "+switch-master"], ["ACL", "LIST"]]


@dataclass
class Account:
    """A user and a password at one service."""

    service: str
    user: str
    password: str
    # Hosts that have it and from which it may be used.
    group: str
    database: str = "kinora"
    forbidden: list = field(default_factory=list)
    permitted: list = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.service} {self.user}"


@dataclass
class Identity:
    """A certificate with its key."""

    name: str
    host: str
    authority: str
    certificate: str
    key: str


def passwords(lab: Lab) -> list[Account]:
    """Accounts that sign in with a password."""
    application, backend, worker, database = (lab.members(g)[0] for g in ("applications", "backends", "workers", "databases"))
    patroni = _yaml(lab, database, "/etc/patroni/config.yml")
    signs_in = patroni["postgresql"]["authentication"]

    def credential(host: str, name: str) -> str:
        return _read(lab, host, f"{CREDENTIALS}/{name}")

    replica = _setting(lab, backend, "/etc/redis/kinora-redis.conf", "masterauth ")
    sentinel = _setting(lab, backend, "/etc/redis/kinora-sentinel.conf", "sentinel sentinel-pass ")
    application_redis, backend_redis = credential(application, "application/redis-password"), credential(backend, "backend/redis-password")
    both = [*NOT_IN_THE_DATABASE, *NOT_IN_THE_TABLES]
    ask = [["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "kinora"]]
    return [
        Account("postgresql", "kinora_application", credential(application, "application/database-password"), "applications", forbidden=both, permitted=["SELECT count(*) FROM people"]),
        Account("postgresql", "kinora_backend", credential(backend, "backend/database-password"), "backends", forbidden=both, permitted=["SELECT count(*) FROM steps"]),
        Account("postgresql", "kinora_owner", credential(backend, "migrate/database-password"), "backends", forbidden=["CREATE ROLE knock", *NOT_IN_THE_DATABASE[5:]]),
        # Its password is on hosts only where copies are set up; the user is always there.
        Account("postgresql", "kinora_copy", _of_the_vault(lab, "database_copy_password"), "applications", forbidden=[*both, *NOT_FOR_WHO_COPIES], permitted=["SELECT count(id) FROM objects"]),
        Account("postgresql", "replicator", signs_in["replication"]["password"], "databases", "replication"),
        Account("postgresql", "rewind", signs_in["rewind"]["password"], "databases", "postgres", forbidden=[s for s in NOT_IN_THE_DATABASE if "pg_ls_dir" not in s]),
        Account(
            "broker", "kinora_backend", credential(backend, "backend/broker-password"), "backends",
            forbidden=[["declare", "knock"], ["declare-exchange", "knock"], ["publish", "amq.topic", "knock"], ["publish", "", "knock"], ["get", "knock"]],
            permitted=[["publish", "kinora.reports", "knock"]],
        ),
        Account(
            "broker", "kinora_worker", credential(worker, "worker/broker-password"), "workers",
            forbidden=[
                ["declare", "kinora.knock"], ["declare-exchange", "kinora.knock"], ["get", "kinora.results"], ["consume", "kinora.results"],
                ["get", "kinora.heartbeats"], ["get", "kinora.dead"], ["publish", "kinora.orders", "knock"], ["publish", "kinora.control", "knock"],
                ["publish", "", "knock"], ["publish", "amq.topic", "knock"], ["delete", "kinora.orders.quick"], ["purge", "kinora.results"],
            ],
            permitted=[["publish", "kinora.reports", "knock"]],
        ),
        Account("redis", "kinora_application", application_redis, "applications", forbidden=[*NOT_IN_REDIS, ["PUBLISH", "progress:knock", ""], ["SUBSCRIBE", "knock"]], permitted=[["PING"]]),
        Account("redis", "kinora_backend", backend_redis, "backends", forbidden=[*NOT_IN_REDIS, ["SUBSCRIBE", "progress:knock"], ["PUBLISH", "knock", ""]], permitted=[["PUBLISH", "progress:knock", ""]]),
        Account("redis", "replica", replica, "backends", forbidden=[*NOT_IN_REDIS, ["PUBLISH", "progress:knock", ""]], permitted=[["PING"]]),
        Account("redis", "sentinel", sentinel, "backends", forbidden=NOT_IN_REDIS, permitted=[["PING"]]),
        Account("sentinel", "kinora_application", application_redis, "applications", forbidden=NOT_IN_SENTINEL, permitted=ask),
        Account("sentinel", "kinora_backend", backend_redis, "backends", forbidden=NOT_IN_SENTINEL, permitted=ask),
        Account("sentinel", "sentinel", sentinel, "backends", forbidden=[["ACL", "LIST"], ["CLIENT", "LIST"]], permitted=ask),
        Account("patroni", patroni["restapi"]["authentication"]["username"], patroni["restapi"]["authentication"]["password"], "databases"),
        Account("distribution", "the nodes' cookie", _read(lab, backend, "/var/lib/rabbitmq/.erlang.cookie"), "backends"),
    ]  # fmt: skip


def identities(lab: Lab) -> list[Identity]:
    """A certificate of each kind: of the kinora authority one of each role, of the cluster's those of its two."""
    hosts = list(dict.fromkeys(lab.members(group)[-1] for group in ("load_balancers", "applications", "backends", "databases", "workers")))
    found = [identity(lab, host, "host") for host in hosts]
    members = list(dict.fromkeys(lab.members(group)[-1] for group in ("backends", "databases")))
    return found + [identity(lab, host, "cluster") for host in members]


def authorities(lab: Lab) -> dict[str, str]:
    """Which authority servers show certificates of."""
    host = lab.members("databases")[0]
    return {"host": _read(lab, host, f"{TLS}/authorities.pem"), "cluster": _read(lab, host, f"{TLS}/cluster-authorities.pem")}


def identity(lab: Lab, host: str, kind: str) -> Identity:
    """`host` certificate or `cluster` certificate of a host."""
    return Identity(f"{kind} certificate of {host}", host, kind, _read(lab, host, f"{TLS}/{kind}.pem"), _read(lab, host, f"{TLS}/{kind}.key"))


def _read(lab: Lab, host: str, path: str) -> str:
    result = lab.exec(host, ["cat", path])
    if not result.ok or not result.output.strip():
        raise Problem(f"{path} of {host} cannot be read: {result.error.strip() or 'it is empty'}")
    return result.output.strip()


def _of_the_vault(lab: Lab, name: str) -> str:
    """A secret as the controller keeps it."""
    directory = f"{install.HOME}/{install.on_controller(lab.control).tar.stem}/ansible"
    result = lab.exec("control", f"cd {directory} && ansible-vault view {install.INVENTORY}/group_vars/all/vault.yml")
    if not result.ok:
        raise Problem(f"the vault cannot be read on the controller: {result.error.strip()}")
    import yaml

    return yaml.safe_load(result.output)["kinora_vault"][name]


def _setting(lab: Lab, host: str, path: str, start: str) -> str:
    for line in _read(lab, host, path).splitlines():
        if line.startswith(start):
            return line.split()[-1].strip('"')
    raise Problem(f"{path} of {host} has no line {start.strip()}")


def _yaml(lab: Lab, host: str, path: str) -> dict:
    import yaml

    return yaml.safe_load(_read(lab, host, path))
