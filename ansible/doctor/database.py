"""PostgreSQL and Patroni, and etcd where Patroni agrees who the primary is."""

from doctor.finding import FLEET, of_fleet, of_host, size
from kinora_status import age

LIST = "on a database host: patronictl -c /etc/patroni/config.yml list"
LEADERS = ("leader", "standby_leader")
STANDBYS_THAT_CONFIRM = ("sync_standby", "quorum_standby")
WELL = ("running", "streaming")
LAG_BYTES = 64 * 2**20
LOG_BYTES = 8 * 10**9
HOUR = 3600


def _postgresql(said):
    answer = said["postgresql"]
    return None if "error" in answer else answer


def _clusters(fleet):
    """(host, what Patroni on it says of the cluster: GET /cluster)."""
    return [(host, said["cluster"]) for host, said in fleet.saying("database") if "members" in said["cluster"]]


def _members(fleet):
    """Member → what is said of it; where hosts differ, what its own says of it goes first."""
    found = {}
    for host, cluster in _clusters(fleet):
        for member in cluster["members"]:
            if member["name"] == host.name or member["name"] not in found:
                found[member["name"]] = member
    return found


def _is_primary(said):
    answer = _postgresql(said)
    return bool(answer) and not answer["standby"]


@of_host("database-silent", "database")
def database_silent(_host, said):
    if "error" in said["postgresql"]:
        yield (f"PostgreSQL does not answer: {said['postgresql']['error'][-150:]}", "it is starting, recovering, or has stopped", "patronictl -c /etc/patroni/config.yml list; journalctl -u patroni -n 50")


@of_host("patroni-silent", "database")
def patroni_silent(_host, said):
    if "error" in said["cluster"]:
        yield (f"Patroni does not answer on its port 8008: {said['cluster']['error'][-150:]}", "it hangs, or cannot reach etcd", "journalctl -u patroni -n 50; is etcd well? A restart of patroni restarts PostgreSQL only where it must")


@of_fleet("database-no-leader")
def database_no_leader(fleet):
    asked = fleet.saying("database")
    if asked and not any(_is_primary(said) for _, said in asked):
        yield (FLEET, "no database accepts writes", "the primary died and no standby may take over, or etcd has no majority", f"{LIST}; etcd first where it is not well: docs/operations/takeover.md")


@of_fleet("database-two-leaders")
def database_two_leaders(fleet):
    primaries = [host.name for host, said in fleet.saying("database") if _is_primary(said)]
    if len(primaries) > 1:
        yield (FLEET, f"{' and '.join(primaries)} both accept writes", "one of them does not know that it was replaced", f"stop the wrong one now: {LIST}; on the one that is not Leader there: systemctl stop patroni")


@of_fleet("database-member")
def database_member(fleet):
    for name, member in _members(fleet).items():
        if member["state"] not in WELL:
            yield (name, f"its database is “{member['state']}”", "PostgreSQL cannot start or follow: its last words say why", f"on {name}: journalctl -u patroni -n 50; a standby is made anew by: patronictl -c /etc/patroni/config.yml reinit kinora {name}")


@of_fleet("database-member-missing")
def database_member_missing(fleet):
    members = _members(fleet)
    wanted = [entry["host"] for entry in fleet.made["members"]["databases"].get("backend", [])]
    for name in wanted if members else []:
        if name not in members:
            yield (name, "its database is not in the cluster", "Patroni on it does not run, or cannot reach etcd", f"on {name}: systemctl status patroni; journalctl -u patroni -n 50")


@of_fleet("database-lag")
def database_lag(fleet):
    for name, member in _members(fleet).items():
        lag = member.get("lag", 0)
        if member["role"] not in LEADERS and member["state"] in WELL and (lag == "unknown" or lag > LAG_BYTES):
            told = "nobody knows how far" if lag == "unknown" else size(lag)
            yield (name, f"its database is behind the primary: {told}", "its disk or network is slower than the primary writes", f"on {name}: iostat -x 5; it may not take over while it is behind")


@of_fleet("database-no-sync")
def database_no_sync(fleet):
    members = _members(fleet)
    standbys = [member for member in members.values() if member["role"] not in LEADERS]
    if len(members) > 1 and any(member["state"] in WELL for member in standbys) and not any(member["role"] in STANDBYS_THAT_CONFIRM for member in standbys):
        yield (FLEET, "no standby confirms commits: what is acknowledged now is on one host only", "the standbys follow, and were not made synchronous: a standby that was away has just come back, or synchronous_mode was changed",
               "patronictl -c /etc/patroni/config.yml show-config | grep synchronous; quorum is what site sets")


@of_fleet("database-paused")
def database_paused(fleet):
    if any(cluster.get("pause") for _, cluster in _clusters(fleet)):
        yield (FLEET, "Patroni is paused: no standby takes over when the primary dies", "somebody paused it for work and forgot it", "on a database host: patronictl -c /etc/patroni/config.yml resume")


@of_fleet("database-timeline")
def database_timeline(fleet):
    members = _members(fleet)
    leaders = [member for member in members.values() if member["role"] in LEADERS and member.get("timeline")]
    for name, member in members.items():
        if leaders and member.get("timeline") and member["state"] in WELL and member["timeline"] != leaders[0]["timeline"]:
            yield (name, f"its database is on timeline {member['timeline']}, the primary on {leaders[0]['timeline']}: it does not follow", "it has something that the present primary never had",
                   f"patronictl -c /etc/patroni/config.yml reinit kinora {name}")


@of_host("archive-failing", "database")
def archive_failing(_host, said):
    answer = _postgresql(said)
    if answer and not answer["standby"] and answer["archive_failed"] and answer["archive_failed"] > (answer["archived"] or 0):
        yield (f"the log does not reach the backups; {answer['log_waiting']} pieces wait", "the repository's host or its disk: nothing written since can be restored, and this host's disk fills up",
               "journalctl -u patroni --grep=archive -n 20; docs/operations/alerts.md#kinoradatabaselognotarchived")


@of_host("database-log-large", "database")
def database_log_large(_host, said):
    answer = _postgresql(said)
    if answer and answer["log_bytes"] > LOG_BYTES:
        yield (f"the database's log takes {size(answer['log_bytes'])} of its disk", "it is kept for a standby or for the archive, which do not take it", "sudo -u postgres psql -c 'select * from pg_replication_slots'; is the archive well?")


@of_host("slot-idle", "database")
def slot_idle(_host, said):
    answer = _postgresql(said)
    for name in (answer or {}).get("idle_slots", []):
        yield (f"the log is kept for {name}, which does not fetch it", "that standby is away", "bring it back, or take it out of the inventory: Patroni gives the slot up after an hour")


@of_host("connections-many", "database")
def connections_many(_host, said):
    answer = _postgresql(said)
    if answer and answer["connections"] >= 0.85 * answer["most_connections"]:
        yield (f"{answer['connections']} of {answer['most_connections']} connections are in use", "an application holds more than its pool, or there are more hosts than database_max_connections was made for",
               "sudo -u postgres psql -c 'select usename, client_addr, state, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc'")


@of_host("transaction-long", "database")
def transaction_long(_host, said):
    answer = _postgresql(said)
    if answer and answer["oldest_transaction"] > HOUR:
        yield (f"a transaction has been open for {age(answer['oldest_transaction'])}: nothing deleted since is cleaned up", "somebody's psql, or a program that hangs",
               "sudo -u postgres psql -c \"select pid, usename, client_addr, xact_start from pg_stat_activity order by xact_start limit 3\"; pg_terminate_backend(PID) ends it")


@of_host("transactions-old", "database")
def transactions_old(_host, said):
    answer = _postgresql(said)
    if answer and answer["transaction_age"] > 1_000_000_000:
        yield (f"the oldest row is {answer['transaction_age'] // 10**6} million transactions old; at 2,147 million the database takes no writes", "autovacuum does not get through", "end old transactions; sudo -u postgres vacuumdb --all --freeze")


@of_host("database-damaged", "database")
def database_damaged(_host, said):
    answer = _postgresql(said)
    if answer and answer["damaged_pages"]:
        yield (f"PostgreSQL read {answer['damaged_pages']} damaged pages from this host's disk", "the disk or the memory of this host", "hand over if it is the primary (switchover), then replace the disk: docs/operations/replace-host.md")


@of_host("database-restart-pending", "database")
def database_restart_pending(_host, said):
    answer = _postgresql(said)
    if answer and answer["pending_restart"]:
        yield (f"settings wait for a restart of PostgreSQL: {', '.join(answer['pending_restart'])}", "they were changed and take effect only at a start", "patronictl -c /etc/patroni/config.yml restart kinora THIS-HOST; the primary after a switchover")


@of_host("etcd-silent", "etcd")
def etcd_silent(_host, said):
    if not said["healthy"]:
        yield ("etcd does not agree with a majority of its members", "the other members cannot be reached, or its certificate has ended", "journalctl -u etcd -n 50; are the other backends well?")


@of_fleet("etcd-member-missing")
def etcd_member_missing(fleet):
    said = fleet.saying("etcd")
    known = {member for _, answer in said for member in answer["members"]}
    for host, _ in said:
        if known and host.name not in known:
            yield (host.name, "it is not among etcd's members", "it was removed, or replaced without having joined", "run replace-host for it: docs/operations/replace-host.md")


@of_host("etcd-alarm", "etcd")
def etcd_alarm(_host, said):
    for alarm in dict.fromkeys(said["alarms"]):
        why = {"NOSPACE": "its database has reached its quota: it takes no writes, and no standby can take over", "CORRUPT": "members hold different data"}
        yield (f"etcd has the alarm {alarm}", why.get(alarm, "see its page"), "docs/operations/doctor.md#etcd; CORRUPT: replace that member")


@of_host("etcd-large", "etcd")
def etcd_large(_host, said):
    if said["bytes"] > 1.5 * 2**30:
        yield (f"etcd's database is {size(said['bytes'])}; at 2 GB it takes no writes", "old revisions are kept, or the file was never made smaller", "one member after another: docs/operations/doctor.md#etcd")
