"""Every service account, taken from where it lies, tried at every service it has no business with: nobody is admitted.

Twice: from its own host, where the firewalls stop most of it, and from hosts whose firewalls let it through to the service, so that
the service itself has to say no. Each account is also admitted at its own service in the same run, or the tries would prove nothing.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.problem import Problem

from . import accounts
from .accounts import Account, Identity
from .figures import Figure, Options, Result
from .hosts import Lab
from .reach import load

SECTION = "admission"
AGAIN = "make lab-test ONLY=admission"
KNOCK = Path(__file__).resolve().parent / "knock.py"
SECONDS = 600
# Service → flow, the class of knock.py, and who signed its certificate.
SERVICES = {
    "postgresql": ("postgresql", "postgresql", "host"),
    "broker": ("amqps", "broker", "host"),
    "redis": ("redis", "redis", "host"),
    "sentinel": ("redis-sentinel", "redis", "host"),
    "patroni": ("patroni", "web", "cluster"),
    "etcd": ("etcd-client", "web", "cluster"),
    "etcd-peer": ("etcd-peer", "web", "cluster"),
    "application": ("application", "web", "host"),
    "distribution": ("erlang-distribution", "distribution", "host"),
    "node-exporter": ("node-exporter", "web", "host"),
    "balancer-metrics": ("balancer-metrics", "web", "host"),
    "broker-metrics": ("broker-metrics", "web", "host"),
    "application-metrics": ("application-metrics", "web", "host"),
    "backend-metrics": ("backend-metrics", "web", "host"),
    "worker-metrics": ("worker-metrics", "web", "host"),
    "alertmanager": ("alertmanager", "web", "host"),
    "alertmanager-peer": ("alertmanager-peer", "tls", "host"),
}
# What takes the backends' certificates alone, and whose own host's.
OF_BACKENDS = ("node-exporter", "balancer-metrics", "alertmanager", "alertmanager-peer")
# Figures that whoever the firewalls let through may read, with any certificate of the installation or with none
# (docs/operations/segmentation.md): there the firewalls are what is tried.
ANY_CERTIFICATE = ("broker-metrics",)
NO_CERTIFICATE = ("application-metrics", "backend-metrics", "worker-metrics")
BY_THE_FIREWALL = (*ANY_CERTIFICATE, *NO_CERTIFICATE)
# A login, or an id of a person, a production or a file: none of these may stand in what the firewalls alone guard.
PERSONAL = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# A read that needs nobody's leave where a certificate opens the door.
REQUESTS = {
    "patroni": {"path": "/patroni"},
    "etcd": {"path": "/v3/kv/range", "method": "POST", "body": '{"key":"Lw=="}'},
    "etcd-peer": {"path": "/members"},
    "application": {"path": "/readyz"},
    **{name: {"path": "/metrics"} for name in ("node-exporter", "balancer-metrics", "broker-metrics", "application-metrics", "backend-metrics", "worker-metrics")},
    "alertmanager": {"path": "/api/v2/alerts"},
    "alertmanager-peer": {},
}
# Changes nothing, and needs a name and a password.
PATRONI_CHANGE = {"path": "/config", "method": "PATCH", "body": "{}"}
# Says that the account lacks the right, and not that something else was wrong.
NO_RIGHT = ("permission denied", "must be", "must have", "403 ACCESS_REFUSED", "NOPERM")


@dataclass
class Try:
    """One knock: from where, at what, and what should come of it."""

    vantage: str
    what: str
    attempt: dict
    wanted: str = "refused"
    result: dict | None = None


def measure(lab: Lab, options: Options) -> Iterable[Figure]:
    knocking = Knocking(lab, options)
    own = knocking.at_their_own()
    knocking.run(own)
    wrong = [_line(each) for each in own if each.result["end"] != "admitted"]
    yield Figure(SECTION, "control: accounts admitted at their own service", f"{len(own) - len(wrong)} of {len(own)}", "all", not wrong, AGAIN, wrong)

    for what, tries, reached_service in (
        ("tries from the account's own host, its firewall and the others' in force: admitted", knocking.from_their_own_hosts(), False),
        ("tries from hosts that the firewalls let through to the service: admitted", knocking.past_the_firewall(), True),
    ):
        options.say(f"{len(tries)} {what.split(':')[0]}")
        knocking.run(tries)
        admitted = [_line(each) for each in tries if each.result["end"] == "admitted"]
        # Where the service was to say no, one that was never asked proves nothing.
        unasked = [_line(each) for each in tries if reached_service and each.result["end"] == "unreachable"]
        ends = {end: sum(each.result["end"] == end for each in tries) for end in ("refused", "unreachable")}
        value = f"{len(admitted)} of {len(tries)} (the service refused {ends['refused']}, no connection {ends['unreachable']})"
        yield Figure(SECTION, what, value, "0", not admitted and not unasked, AGAIN, admitted + unasked)

    yield from knocking.rights(own)
    yield knocking.open_figures()
    yield _ssh(lab)
    yield from _backups(lab)


class Knocking:
    """The tries of one fleet."""

    def __init__(self, lab: Lab, options: Options) -> None:
        self.lab = lab
        self._reach = load(lab.fleet, options.inventory)
        self._flows = {flow["name"]: flow for flow in self._reach.flows}
        self._accounts, self._identities = accounts.passwords(lab), accounts.identities(lab)
        self._authorities = accounts.authorities(lab)
        self._cluster = {identity.host: identity for identity in self._identities if identity.authority == "cluster"}
        self._primary = self._find_primary()
        # A lone Alertmanager has nobody to speak with.
        self._services = [name for name in SERVICES if name != "alertmanager-peer" or len(lab.members("backends")) > 1]

    def run(self, tries: list[Try]) -> None:
        """Knocks from each vantage once, with all that is to be tried from there."""
        by_vantage: dict[str, list[Try]] = {}
        for each in tries:
            by_vantage.setdefault(each.vantage, []).append(each)
        for vantage, group in by_vantage.items():
            order = json.dumps([each.attempt for each in group])
            result = self.lab.in_network_of(vantage, [sys.executable, "-B", str(KNOCK)], SECONDS, order)
            if not result.ok:
                # The error's text is knock.py's own and has none of its input.
                raise Problem(f"knocking from {vantage} ended with {result.code}: {result.error.strip()[-400:]}")
            for each, answer in zip(group, json.loads(result.output), strict=True):
                each.result = answer

    # --- what is tried

    def at_their_own(self) -> list[Try]:
        found = []
        for account in self._accounts:
            vantage = self._vantage(account.service, self._target(account.service), account.group)
            attempt = self._with_password(account, account.service, self._target(account.service))
            found.append(Try(vantage, f"{account.name} at its own", {**attempt, "rights": account.permitted + account.forbidden}, "admitted"))
        for identity in self._identities:
            for service in self._business(identity):
                # etcd also looks whether the certificate is that of the address it comes from.
                target = next((host for host in self._targets(service) if host != identity.host), identity.host)
                found.append(Try(identity.host, f"{identity.name} at {service}", self._with_certificate(identity, service, target), "admitted"))
        return found

    def from_their_own_hosts(self) -> list[Try]:
        """All services of all hosts, as the compromised host would try them."""
        found = []
        for service in self._services:
            for target in self._targets(service):
                for account in self._accounts:
                    host = self.lab.members(account.group)[0]
                    if not self._is_account_of(account, service) and not self._is_open_to(service, host):
                        found.append(Try(host, f"{account.name} at {service} of {target}", self._with_password(account, service, target)))
                for identity in self._identities:
                    if service not in self._business(identity) and service in REQUESTS and not self._is_open_to(service, identity.host):
                        found.append(Try(identity.host, f"{identity.name} at {service} of {target}", self._with_certificate(identity, service, target)))
        return [each for each in found if not self._is_at_home(each)]

    def past_the_firewall(self) -> list[Try]:
        found = self._passwords_elsewhere() + self._users_from_wrong_hosts() + self._nobodies()
        for service in (name for name in self._services if name in REQUESTS and name not in NO_CERTIFICATE):
            target = self._target(service)
            for identity in [*self._identities, None]:
                if identity and (service in self._business(identity) or (service in ANY_CERTIFICATE and identity.authority == "host")):
                    continue
                name = identity.name if identity else "no certificate"
                found.append(Try(self._vantage(service, target), f"{name} at {service} of {target}", self._with_certificate(identity, service, target)))
        # Whoever has a certificate of the cluster has not yet the password to change it.
        for identity in self._cluster.values():
            attempt = {**self._with_certificate(identity, "patroni", self._target("patroni")), **PATRONI_CHANGE}
            found.append(Try(self._vantage("patroni", self._target("patroni")), f"{identity.name} changes Patroni's settings", attempt))
        return found

    def _passwords_elsewhere(self) -> list[Try]:
        """Each password with each user of every other service, from where that user may come: only the password is wrong."""
        found = []
        for victim in self._accounts:
            target = self._target(victim.service)
            vantage = self._vantage(victim.service, target, victim.group)
            for password in {account.password for account in self._accounts} - {victim.password}:
                owner = next(account.name for account in self._accounts if account.password == password)
                attempt = {**self._with_password(victim, victim.service, target), "password": password}
                found.append(Try(vantage, f"password of {owner} at {victim.name}", attempt))
        return found

    def _users_from_wrong_hosts(self) -> list[Try]:
        """The right user and password at PostgreSQL, from hosts of another role that reach it, and at databases of others."""
        found = []
        target = self._primary
        for account in (account for account in self._accounts if account.service == "postgresql"):
            for group in self._flow("postgresql")["from"]:
                for vantage in self.lab.members(group)[-1:]:
                    if vantage not in self.lab.members(account.group):
                        found.append(Try(vantage, f"{account.name} from {vantage}", self._with_password(account, "postgresql", target)))
            for database in {"kinora", "postgres", "template1", "replication"} - {account.database}:
                wrong = Account("postgresql", account.user, account.password, account.group, database)
                vantage = self._vantage("postgresql", target, account.group)
                found.append(Try(vantage, f"{account.name} at the database {database}", self._with_password(wrong, "postgresql", target)))
        for account in (a for a in self._accounts if a.service == "broker"):
            vantage = self._vantage("broker", self._target("broker"), account.group)
            found.append(Try(vantage, f"{account.name} at the virtual host /", {**self._with_password(account, "broker", self._target("broker")), "virtual_host": "/"}))
        cookie = next(account for account in self._accounts if account.service == "distribution")
        vantage = self._vantage("distribution", self._target("distribution"))
        bare = {**self._with_password(cookie, "distribution", self._target("distribution")), "certificate": "", "key": ""}
        found.append(Try(vantage, "the nodes' cookie without a certificate", bare))
        return found

    def _nobodies(self) -> list[Try]:
        """Accounts that there are by default elsewhere, and none at all."""
        found = []
        for service, user, password in (
            ("postgresql", "postgres", ""), ("postgresql", "postgres", "postgres"), ("postgresql", "kinora_owner", ""),
            ("broker", "guest", "guest"), ("broker", "kinora_backend", ""), ("broker", "kinora_worker", "kinora_worker"),
            ("redis", "", ""), ("redis", "default", ""), ("sentinel", "", ""), ("sentinel", "default", ""),
            ("distribution", "an empty cookie", ""),
        ):  # fmt: skip
            target = self._target(service)
            nobody = Account(service, user, password, "")
            found.append(Try(self._vantage(service, target), f"{service} {user or 'nobody'} with {'a guessed' if password else 'no'} password", self._with_password(nobody, service, target)))
        return found

    def rights(self, own: list[Try]) -> Iterable[Figure]:
        """What accounts could do where they are admitted."""
        exceeded, unclear, lacking, count = [], [], [], 0
        by_name = {f"{account.name} at its own": account for account in self._accounts}
        for each in own:
            account = by_name.get(each.what)
            if account is None:
                continue
            rights = (each.result or {}).get("rights", {})
            for right in account.forbidden:
                count += 1
                said = rights.get(json.dumps(right), "")
                line = f"{account.name}: {right if isinstance(right, str) else ' '.join(right)}"
                if not said:
                    exceeded.append(f"{line}: done")
                elif not any(word in said for word in NO_RIGHT):
                    unclear.append(f"{line}: refused for another reason: {said}")
            lacking += [f"{account.name}: {right}: {rights[json.dumps(right)]}" for right in account.permitted if rights.get(json.dumps(right), "")]
        what = "rights that accounts have within their own service beyond their work"
        yield Figure(SECTION, what, f"{len(exceeded)} of {count} tried", "0", not exceeded and not unclear and not lacking, AGAIN, exceeded + unclear + lacking)

    def open_figures(self) -> Figure:
        """What the firewall alone guards has nothing of people or films in it."""
        tries = []
        stranger = next(identity for identity in self._identities if identity.authority == "host")
        for service in BY_THE_FIREWALL:
            target = self._target(service)
            shown = stranger if service in ANY_CERTIFICATE else None
            attempt = {**self._with_certificate(shown, service, target), "most_bytes": 4_000_000}
            tries.append(Try(self._vantage(service, target), f"{service} of {target}", attempt, "admitted"))
        self.run(tries)
        # Nodes of RabbitMQ have names that look like those of mailboxes.
        texts = {each.what: each.result.get("said", "").replace("rabbit@", "") for each in tries}
        found = [f"{what}: {match}" for what, text in texts.items() for match in PERSONAL.findall(text)]
        unread = [_line(each)[:200] for each in tries if each.result["end"] != "admitted" or not each.result["said"].startswith("200 ")]
        what = f"figures that the firewall alone guards ({', '.join(BY_THE_FIREWALL)}): people, productions or files in them"
        value = f"{len(found)} in {sum(map(len, texts.values())):,} characters"
        return Figure(SECTION, what, value, "0", not found and not unread, AGAIN, found[:20] + unread)

    # --- how

    def _with_password(self, account: Account, service: str, target: str) -> dict:
        attempt = self._base(service, target)
        if service in ("patroni", "distribution", "etcd", "etcd-peer"):
            attempt |= self._certificate_for(service)
        if service == "patroni":
            attempt |= PATRONI_CHANGE
        if account.database == "replication":
            attempt["replication"] = True
        database = "kinora" if account.database == "replication" else account.database
        return {**attempt, "user": account.user, "password": account.password, "database": database}

    def _with_certificate(self, identity: Identity | None, service: str, target: str) -> dict:
        shown = {"certificate": identity.certificate, "key": identity.key} if identity else {}
        return {**self._base(service, target), **shown}

    def _certificate_for(self, service: str) -> dict:
        """For services that want a password as well: it shall be the password that is tried."""
        kind = "host" if service == "distribution" else "cluster"
        identity = next(i for i in self._identities if i.authority == kind and "backends" in self.lab.fleet.host(i.host).groups)
        # etcd asks for no password: whoever has only a password has no certificate.
        if service.startswith("etcd"):
            return {}
        return {"certificate": identity.certificate, "key": identity.key}

    def _base(self, service: str, target: str) -> dict:
        flow_name, kind, authority = SERVICES[service]
        flow = self._flows[flow_name]
        host = self.lab.fleet.host(target)
        name = f"{target}.{flow['zone']}.kinora.internal"
        return {
            "service": kind, "address": host.address(flow["zone"]), "port": flow["port"], "name": name, "from_name": name,
            "authorities": self._authorities[authority], "host": self.lab.fleet.public_name if service == "application" else "",
            **REQUESTS.get(service, {}),
        }  # fmt: skip

    def _business(self, identity: Identity) -> list[str]:
        groups = set(self.lab.fleet.host(identity.host).groups)
        if identity.authority == "cluster":
            return ["etcd", "patroni", *(["etcd-peer"] if "backends" in groups else [])]
        of_backends = [name for name in (*OF_BACKENDS, *ANY_CERTIFICATE) if name in self._services]
        return [*(["application"] if "load_balancers" in groups else []), *(of_backends if "backends" in groups else [])]

    def _is_open_to(self, service: str, host: str) -> bool:
        """Whether a host gets there without showing anything, because its role may."""
        return service in NO_CERTIFICATE and bool(set(self.lab.fleet.host(host).groups).intersection(self._flow(service)["from"]))

    def _targets(self, service: str) -> list[str]:
        group = self._flow(service)["to"][0]
        return [host.name for host in self.lab.servers] if group == "every_host" else self.lab.members(group)

    def _flow(self, service: str) -> dict:
        return self._flows[SERVICES[service][0]]

    def _target(self, service: str) -> str:
        if service == "postgresql":
            return self._primary
        return self._targets(service)[0]

    def _vantage(self, service: str, target: str, group: str = "") -> str:
        """A host that the firewalls let through to the service: of this group, else of any; not the target itself where there are others."""
        flow = self._flow(service)
        groups = [group] if group in flow["from"] else flow["from"]
        members = [host for name in groups for host in self.lab.members(name)]
        return next((host for host in members if host != target), members[0])

    def _is_account_of(self, account: Account, service: str) -> bool:
        """Sentinel has the users of Redis, those who must ask it."""
        return any((a.user, a.password) == (account.user, account.password) for a in self._accounts if a.service == service)

    def _is_at_home(self, each: Try) -> bool:
        """Within one host there is no firewall between services; what is asked of the services is asked in the other round."""
        return each.attempt["address"] in [address for i in self.lab.fleet.host(each.vantage).interfaces for address in (i.ipv4.split("/")[0],)]

    def _find_primary(self) -> str:
        for host in self.lab.members("databases"):
            asked = self.lab.exec(host, ["runuser", "-u", "postgres", "--", "psql", "-XAtqc", "SELECT NOT pg_is_in_recovery()"])
            if asked.output.strip() == "t":
                return host
        raise Problem("no database is the primary")


def _line(each: Try) -> str:
    return f"from {each.vantage}, {each.what}: {each.result['end']} {each.result.get('said', '')}".strip()


def _ssh(lab: Lab) -> Figure:
    """The administrator's key from everywhere but the administrators' network, and other logins from there."""
    key = lab.control.state.keys / "controller"

    def ssh(vantage: str, user: str, address: str, *options: str) -> subprocess.CompletedProcess:
        base = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        command = [*base, *options, f"{user}@{address}", "true"]
        return subprocess.run(lab.control.in_network_of(vantage, command), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)

    targets = lab.servers
    with tempfile.TemporaryDirectory(prefix="kinora-lab-", dir="/dev/shm") as directory:
        tries = [
            (f"the administrator's key from {other.name} at {host.name}", other.name, "admin", host.management, "-i", str(key))
            for other in lab.fleet.hosts for host in targets if other.name not in ("control", host.name)
        ]  # fmt: skip
        for host in targets:
            hostkey = Path(directory) / host.name
            hostkey.touch(mode=0o600)
            hostkey.write_text(lab.exec(host.name, ["cat", "/etc/ssh/ssh_host_ed25519_key"]).output)
            for what, user, options in (
                ("root by the administrator's key", "root", ["-i", str(key)]),
                ("a password", "admin", ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive"]),
                ("the host's own key", "admin", ["-o", "IdentitiesOnly=yes", "-i", str(hostkey)]),
                ("no key", "admin", ["-o", "IdentitiesOnly=yes", "-i", "/nonexistent"]),
            ):
                tries.append((f"{what} at {host.name}", "control", user, host.management, *options))
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda each: ssh(*each[1:]).returncode, tries))
            admitted = list(pool.map(lambda host: ssh("control", "admin", host.management, "-i", str(key)).returncode, targets)).count(0)
    wrong = [each[0] for each, code in zip(tries, codes, strict=True) if code == 0]
    value = f"{len(wrong)} of {len(tries)}; the administrator's key from the controller at {admitted} of {len(targets)}"
    what = "SSH: the administrator's key from other hosts, and other logins from the controller: admitted"
    return Figure(SECTION, what, value, "0", not wrong and admitted == len(targets), AGAIN, wrong)


# Certificate and key go through standard input into a directory in memory that only PostgreSQL's user can read, and go with the try.
AS_PGBACKREST = (
    "set -eu; d=$(mktemp -d /dev/shm/knock.XXXXXX); trap 'rm -rf \"$d\"' EXIT; umask 077; cat > $d/both;"
    " sed -n '1,/^=$/p' $d/both | grep -v '^=$' > $d/cert; sed '1,/^=$/d' $d/both > $d/key; chmod 700 $d; chown -R postgres $d;"
    " runuser -u postgres -- pgbackrest --stanza=kinora OPTIONS"
)


def _backups(lab: Lab) -> Iterable[Figure]:
    """pgBackRest's own client with each host's certificate, at the repository and at the databases, run where the firewall lets it through."""
    repository = lab.members("backup_repository")[0]
    databases = [host for host in lab.members("databases") if host != repository]
    if not databases:
        yield Figure(SECTION, "backups: repository and database are one host, nothing listens", "not applicable")
        return
    found = accounts.identities(lab)
    read = "--repo1-host-cert-file=$d/cert --repo1-host-key-file=$d/key --output=json --log-level-console=error info"
    others = [each for each in found if each.authority != "host" or each.host not in databases]
    yield _pgbackrest(lab, databases[0], others, read, _lists_backups, "certificates of other hosts at pgBackRest's repository")

    numbers = [number for number, host in enumerate(lab.members("databases"), 1) if host != repository]
    shown = " ".join(f"--pg{number}-host-cert-file=$d/cert --pg{number}-host-key-file=$d/key" for number in numbers)
    others = [each for each in found if each.authority != "host" or each.host != repository]
    yield _pgbackrest(lab, repository, others, f"{shown} --log-level-console=warn check 2>&1", _checks_databases, "certificates of other hosts at pgBackRest of the databases")


def _pgbackrest(lab: Lab, vantage: str, others: list[Identity], options: str, is_let_in: Callable[[Result], bool], what: str) -> Figure:
    wrong, admitted, owner = [], False, accounts.identity(lab, vantage, "host")
    for identity in [owner, *others]:
        result = lab.exec(vantage, AS_PGBACKREST.replace("OPTIONS", options), 120, f"{identity.certificate}\n=\n{identity.key}\n")
        if identity is owner:
            admitted = result.ok and is_let_in(result)
        elif is_let_in(result):
            wrong.append(f"{identity.name} from {vantage}: {result.output.strip()[-200:]}")
    value = f"{len(wrong)} of {len(others)}; {vantage}'s own certificate {'admitted' if admitted else 'NOT admitted'}"
    return Figure(SECTION, f"backups: {what}: admitted", value, "0", not wrong and admitted, AGAIN, wrong)


def _lists_backups(result: Result) -> bool:
    """It ends well also when it was refused; the answer then says so."""
    return result.ok and all(stanza["status"]["code"] == 0 for stanza in json.loads(result.output))


def _checks_databases(result: Result) -> bool:
    """It asks all of them, and says of each that it cannot why not."""
    return "access denied" not in result.output and "TLS error" not in result.output and "ServiceError" not in result.output
