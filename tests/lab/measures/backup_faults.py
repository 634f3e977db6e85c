"""Row 9: a byte of a backup is flipped, a part of the log is missing, the drill has not run for days: the drill or `status` says so, each time.

And a primary that never returns keeps nothing from the archive that it had not sent.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab import install
from lab.problem import Problem

from . import faults
from .at_work import PSQL, wait_for_other, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab

SECTION = "restore"
RUNS = 5
DRILL_SECONDS = 300
KEPT = "/var/lib/kinora-kept"
RESULT = "/var/lib/kinora-drill/result.json"
AWAY_SECONDS, SENT_SECONDS = 60, 180
# The newest timeline that the archive has, and which parts of the log it lacks.
LACKS = """
import json, sys
sys.path.insert(0, "/usr/local/lib/kinora")
import restore_plan as plan
archive = "archive/kinora/" + json.loads(plan.ask("info", "--output=json"))[0]["archive"][-1]["id"]
print(json.dumps([max(plan.read_histories(archive), default=1), plan.missing_in_archive()]))
"""
# Flips the lowest bit of a byte in the middle of a random file of a backup, or of the newest one; prints which, and can be run again to undo it.
FLIP = """
import os, random, sys
path, at = sys.argv[1], int(sys.argv[2])
times = os.stat(path)
with open(path, "r+b") as file:
    file.seek(at)
    byte = file.read(1)[0]
    file.seek(at)
    file.write(bytes([byte ^ 1]))
os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
"""
FILES = """
import json, os, re, sys
root, found = sys.argv[1], {"backup": [], "log": []}
for place, _, names in os.walk(root):
    for name in names:
        path = os.path.join(place, name)
        # What describes a backup exists twice; what a standby sent once.
        if re.search("/backup/kinora/[0-9]{8}-[0-9]{6}F[^/]*/(pg_data|bundle)", path) and not os.path.islink(path) and os.path.getsize(path):
            found["backup"].append([path, os.path.getsize(path)])
        if re.fullmatch("[0-9A-F]{24}-[0-9a-f]{40}([.][a-z]+)?", name):
            found["log"].append([path, os.path.getsize(path)])
print(json.dumps(found))
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=backup_faults"
    host, runs = lab.members("backup_repository")[0], options.runs or RUNS
    chosen = random.Random(seed := random.randrange(10**6))
    options.say(f"seed {seed}")
    wrong, seconds = drill(lab, host)
    yield Figure(SECTION, "drill of sound backups", f"failed: {wrong}" if wrong else f"ok, {seconds:.0f} s", "ok", not wrong, f"{host}# systemctl start kinora-drill", [wrong])
    yield _found(SECTION, "flipped byte of a backup, found by the drill and told by `status`", flips(lab, host, runs, chosen, options.say), runs, command)
    yield _found(SECTION, "part of the log missing, found by the drill and told by `status`", gaps(lab, host, runs, chosen, options.say), runs, command)
    left = emptied(lab, host)
    yield Figure(SECTION, "repository emptied with a database host's key, files back from the copies", left or "all", "all", not left, command, [left])
    if len(lab.members("databases")) > 1:
        missing = unsent(lab, host, options.say)
        yield Figure(SECTION, "archive away for a minute, then the primary for good: parts of the log that are missing", missing or "none", "none", not missing, command, [missing])
    yield _found(SECTION, "drill that has not run for 26 hours, told by `status`", [stale(lab, host)], 1, command)
    wrong, _ = drill(lab, host)
    yield Figure(SECTION, "drill afterwards", f"failed: {wrong}" if wrong else "ok", "ok", not wrong, f"{host}# systemctl start kinora-drill", [wrong])


def _found(section: str, what: str, missed: list[str], runs: int, command: str) -> Figure:
    missed = [line for line in missed if line]
    return Figure(section, what, f"{runs - len(missed)} of {runs}", "all", not missed, command, missed)


def drill(lab: Lab, host: str) -> tuple[str, float]:
    """What a drill says is wrong, and its seconds."""
    ended = lab.exec(host, ["systemctl", "start", "kinora-drill.service"], timeout=DRILL_SECONDS)
    result = json.loads(lab.exec(host, ["cat", RESULT]).output)
    if result["ok"] != ended.ok:
        raise Problem(f"the drill says {result}, and its unit ended with {ended.code}")
    return result.get("problem", ""), result["seconds"]


def told(lab: Lab, wanted: str) -> bool:
    """Whether `status` says it."""
    install.run_verb(lab.control, install.on_controller(lab.control), "status", show=lambda _: None)
    return wanted in install.log_of(lab.control, "status").read_text()


def flips(lab: Lab, host: str, runs: int, chosen: random.Random, say: Callable[[str], None]) -> list[str]:
    missed = []
    for number in range(runs):
        path, size = chosen.choice(files(lab, host)["backup"])
        at = chosen.randrange(size)
        with undone(lab, host, ["python3", "-c", FLIP, path, str(at)], ["python3", "-c", FLIP, path, str(at)]):
            missed.append(_judge(lab, host, f"byte {at} of {path}"))
        say(f"flip {number + 1} of {runs}, byte {at} of {path}: {missed[-1] or 'found'}")
    return missed


def gaps(lab: Lab, host: str, runs: int, chosen: random.Random, say: Callable[[str], None]) -> list[str]:
    missed = []
    for number in range(runs):
        # Not the newest one of a timeline: nobody can know that there should be one more, nor what a timeline that was left behind had at its end.
        log = sorted(path for path, _ in files(lab, host)["log"])
        ends = {max(path for path in log if _timeline(path) == timeline) for timeline in {_timeline(path) for path in log}}
        path = chosen.choice([path for path in log[1:] if path not in ends])
        with undone(lab, host, ["mv", path, "/root/taken-away"], ["mv", "/root/taken-away", path]):
            missed.append(_judge(lab, host, path))
        say(f"gap {number + 1} of {runs}, {path}: {missed[-1] or 'found'}")
    return missed


def _timeline(path: str) -> str:
    return path.rsplit("/", 1)[1][:8]


def _judge(lab: Lab, host: str, what: str) -> str:
    """What went wrong with finding it; nothing where it was found and told."""
    wrong, _ = drill(lab, host)
    if not wrong:
        return f"{what}: the drill went well"
    return "" if told(lab, "the drill of the backups failed") else f"{what}: status does not tell that the drill failed"


def emptied(lab: Lab, host: str) -> str:
    """A database host's root removes everything; what is lacking after the copies were put back, or why it could not be tried."""
    primary = wait_until_redundant(lab)
    lab.exec(host, ["systemctl", "start", "kinora-backup-keep.service"], timeout=120)
    before = listing(lab, host)
    attack = "cd /; as='runuser -u postgres -- pgbackrest --stanza=kinora'; $as stop && $as --force stanza-delete; code=$?; $as start; exit $code"
    if not (done := lab.exec(primary, attack, timeout=120)).ok:
        raise Problem(f"the repository could not be emptied from {primary}: {(done.output + done.error).strip()[-300:]}")
    if listing(lab, host):
        raise Problem(f"the repository was not emptied from {primary}")
    returned = lab.exec(host, ["/usr/local/lib/kinora/backup-return", repository(lab, host), KEPT], timeout=120)
    if not returned.ok:
        return f"backup-return: {returned.error.strip()[-300:]}"
    lacking = before - listing(lab, host)
    wrong, _ = drill(lab, host)
    return f"{len(lacking)} of {len(before)} files are lacking: {sorted(lacking)[:3]}" if lacking else wrong


def unsent(lab: Lab, host: str, say: Callable[[str], None]) -> str:
    """What the archive lacks of what a primary had not sent when it died; that host stays off until it was looked at."""
    primary = wait_until_redundant(lab)
    before, _ = lacks(lab, host)
    with undone(lab, host, ["systemctl", "stop", "pgbackrest.service"], ["systemctl", "start", "pgbackrest.service"]):
        until = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < until:
            lab.exec(primary, [*PSQL, "--command", "SELECT pg_logical_emit_message(true, 'lab', repeat('x', 1000))", "--command", "SELECT pg_switch_wal()"])
            time.sleep(3)
        with faults.without_power(lab, primary):
            after = wait_for_other(lab, primary)
            began = time.monotonic()
            lab.exec(host, ["systemctl", "start", "pgbackrest.service"])
            timeline, missing = lacks(lab, host)
            while (timeline == before or missing) and time.monotonic() - began < SENT_SECONDS:
                time.sleep(3)
                timeline, missing = lacks(lab, host)
            say(f"{primary} off, {after} has sent what it had not after {time.monotonic() - began:.0f} s: {len(missing)} parts are missing")
    wait_until_redundant(lab)
    return "the new timeline" if timeline == before else ", ".join(missing[:5])


def lacks(lab: Lab, host: str) -> tuple[int, list[str]]:
    told = lab.exec(host, ["runuser", "-u", "postgres", "--", "python3", "-c", LACKS], timeout=60)
    if not told.ok:
        raise Problem(f"the archive cannot be looked at: {told.error.strip()[-300:]}")
    timeline, missing = json.loads(told.output)
    return timeline, missing


def listing(lab: Lab, host: str) -> set[str]:
    """Backups and parts of the log in the repository."""
    found = lab.exec(host, ["find", repository(lab, host), "-type", "f", "-path", "*/kinora/*", "-not", "-name", "*.info*", "-not", "-path", "*/backup.history/*"])
    return set(found.output.split())


def stale(lab: Lab, host: str) -> str:
    age = 'import json, time; p = "%s"; r = json.load(open(p)); r["ok"] = True; r["at"] = int(time.time()) - %d; json.dump(r, open(p, "w"))'
    for hours, wanted in ((25, False), (27, True)):
        lab.exec(host, ["python3", "-c", age % (RESULT, hours * 3600)])
        if told(lab, "the backups were last tried") != wanted:
            return f"{hours} hours: {'not told' if wanted else 'told'}"
    return ""


def files(lab: Lab, host: str) -> dict[str, list[tuple[str, int]]]:
    return json.loads(lab.exec(host, ["python3", "-c", FILES, repository(lab, host)]).output)


def repository(lab: Lab, host: str) -> str:
    return lab.exec(host, ["sh", "-c", "sed -n 's/^repo1-path=//p' /etc/pgbackrest/pgbackrest.conf"]).output.strip()


@contextmanager
def undone(lab: Lab, host: str, do: list[str], undo: list[str]) -> Iterator[None]:
    if not (done := lab.exec(host, do)).ok:
        raise Problem(f"{do[0]}: {done.error.strip()[-300:]}")
    try:
        yield
    finally:
        lab.exec(host, undo)
