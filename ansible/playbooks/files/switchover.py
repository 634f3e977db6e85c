"""Hands the primary's role of this host's PostgreSQL to a standby. Runs as postgres on the primary: python3 -c THIS CONFIG.

1. Sees that a standby has everything, and that commits wait for it.
2. Asks the applications to begin nothing new (NOTIFY), and waits until nothing is under way.
3. Stops PostgreSQL, which sends the standby all it has, and releases the lock in etcd: a standby takes over at once. Patroni's own
   switchover does the same, with a second's pause between its looks. Its Patroni stands still meanwhile, so that it does not take this
   for a crash, and is woken then: the sooner this one follows, the sooner the new primary's commits are on two hosts.

Prints what happened as JSON. Whatever fails before 3 leaves all as it was; what fails after it is Patroni's to mend, as after a crash.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg2
from patroni import global_config
from patroni.config import Config
from patroni.dcs import get_dcs
from patroni.request import PatroniRequest

PAUSE_MILLISECONDS = 5000
# The applications look for notifications 40 times a second.
HEARD_SECONDS = 0.06
# Longest wait for what is under way. What takes longer is cut, and told to try again.
QUIET_SECONDS = 0.6
QUIET_LOOKS = 3
STOP_SECONDS = 5.0
# Whatever becomes of this: so long after it was stopped, Patroni goes on.
STANDSTILL_SECONDS = 8
WAKE_SECONDS, FOLLOW_SECONDS = 0.1, 5.0
# A standby that is further behind would have to catch up while everybody waits.
MOST_BEHIND_BYTES = 1 << 20
STANDBYS = """
SELECT application_name FROM pg_stat_replication
WHERE state = 'streaming' AND sync_state IN ('quorum', 'sync') AND pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn) < %s
"""
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'kinora_application' AND state <> 'idle'"


def refuse(text: str) -> None:
    print(json.dumps({"refused": text}))
    sys.exit(1)


def look(connection, cluster, me: str) -> None:
    """Refuses where a switchover could cost anything."""
    settings = global_config.from_cluster(cluster)
    if settings.is_paused:
        refuse("Patroni is paused: patronictl -c /etc/patroni/config.yml resume")
    if not cluster.leader or cluster.leader.name != me:
        refuse(f"the primary is {cluster.leader.name if cluster.leader else 'nobody'}, not {me}; run it again")
    connection.cursor().execute("CHECKPOINT")
    cursor = connection.cursor()
    cursor.execute(STANDBYS, [MOST_BEHIND_BYTES])
    ready = [name for (name,) in cursor.fetchall() if cluster.sync.matches(name)]
    if not settings.is_quorum_commit_mode or not ready:
        refuse("no standby has all that was acknowledged: patronictl -c /etc/patroni/config.yml list")


def quiet(connection) -> bool:
    """Has the applications begin nothing new; waits until nothing is under way."""
    cursor = connection.cursor()
    cursor.execute(f"NOTIFY kinora_pause, '{PAUSE_MILLISECONDS}'")
    began, looks = time.monotonic(), 0
    while time.monotonic() - began < QUIET_SECONDS:
        time.sleep(0.01)
        cursor.execute(BUSY)
        looks = looks + 1 if cursor.fetchone()[0] == 0 else 0
        if looks >= QUIET_LOOKS and time.monotonic() - began > HEARD_SECONDS:
            return True
    return False


def children(parent: int) -> list[str]:
    """What the processes of a parent call themselves."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as stat, open(f"/proc/{name}/cmdline", "rb") as line:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found.append(line.read().decode(errors="replace"))
        except OSError:
            continue
    return found


def stop(postmaster: int, programs: str, data: str) -> None:
    """Returns once nothing can be written any more and standbys have what was."""
    os.kill(postmaster, signal.SIGINT)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        told = subprocess.run([f"{programs}/pg_controldata", data], capture_output=True, text=True, env={"LC_ALL": "C"}, check=False).stdout
        # The archiver may go on for a while; nobody can connect any more.
        if "shut down\n" in told and not any("walsender" in child for child in children(postmaster)):
            return
        time.sleep(0.01)


@contextmanager
def standstill():
    """Patroni on this host does nothing meanwhile."""
    patroni = int(subprocess.run(["systemctl", "show", "--property=MainPID", "--value", "patroni.service"], capture_output=True, check=True).stdout)
    if patroni < 2:
        refuse("Patroni does not run here: journalctl -u patroni")
    # Should this be killed, nobody else would let Patroni go on.
    subprocess.Popen(["sh", "-c", 'sleep "$1"; kill -CONT "$2"', "go-on", str(STANDSTILL_SECONDS), str(patroni)], start_new_session=True)
    os.kill(patroni, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(patroni, signal.SIGCONT)


def follow(request, dcs, me: str, lease) -> str:
    """Waits for the new primary, and until this host follows it; wakes Patroni meanwhile. Returns its name."""
    began, taken = time.monotonic(), None
    while time.monotonic() - began < 30:
        cluster = dcs.get_cluster()
        leader = cluster.leader
        if leader and leader.session != lease and leader.name != me:
            taken = taken or time.monotonic()
            if cluster.sync.leader == leader.name and cluster.sync.matches(me) or time.monotonic() - taken > FOLLOW_SECONDS:
                return leader.name
        mine = cluster.get_member(me, fallback_to_leader=False)
        if mine and mine.api_url:
            try:
                request(mine, "PATCH", "config", {"loop_wait": cluster.config.data["loop_wait"]}, timeout=2, retries=False)
            except Exception:
                # It is busy; it looks each second anyway.
                pass
        time.sleep(WAKE_SECONDS)
    refuse("PostgreSQL was stopped, and no standby has taken over in 30 s; Patroni goes on trying: patronictl -c /etc/patroni/config.yml list")
    return ""


def main() -> None:
    config = Config(sys.argv[1], validator=None).copy()
    config["patronictl"] = True
    dcs, me = get_dcs(config), config["name"]
    postgresql = config["postgresql"]
    connection = psycopg2.connect(host=postgresql["parameters"]["unix_socket_directories"], dbname="kinora", user="postgres")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT pg_is_in_recovery()")
    if cursor.fetchone()[0]:
        refuse(f"{me} is not the primary; run it again")
    look(connection, dcs.get_cluster(), me)
    with open(f"{postgresql['data_dir']}/postmaster.pid", encoding="ascii") as file:
        postmaster = int(file.readline())
    lease = dcs.get_cluster().leader.session
    began = time.monotonic()
    was_quiet = quiet(connection)
    paused = time.monotonic()
    with standstill():
        stop(postmaster, postgresql["bin_dir"], postgresql["data_dir"])
        stopped = time.monotonic()
        dcs._client.call_rpc("/lease/revoke", {"ID": lease})
    taken = follow(PatroniRequest(config), dcs, me, lease)
    parts = {"quiet": paused - began, "stopped": stopped - paused, "following": time.monotonic() - stopped}
    print(json.dumps({"from": me, "to": taken, "was_quiet": was_quiet, **{name: round(part, 2) for name, part in parts.items()}}))


main()
