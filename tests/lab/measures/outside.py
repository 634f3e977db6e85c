"""The services outside the installation that it hands something to: the studio's mail relay and its log collector.

Both run on the client, with certificates of an authority of their own; the inventory on the controller names them, `site` does the
rest. Then they go away, and the sender is killed: what was handed over in between has to arrive when they are back. In the end the
inventory is as it was, and so are the hosts.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import install
from lab.paths import PROJECT
from lab.problem import Problem

from . import canary, exposure
from .figures import Figure, Options
from .hosts import Lab
from .install import again, run

HERE = Path(__file__).resolve().parent
SECTION = "outside"
CLIENT = canary.CLIENT
DIRECTORY = "/root/outside"
NAMES = {"relay": "mail.studio.example", "collector": "logs.studio.example"}
PORTS = {"relay": 587, "collector": 6514}
AGAIN = "make lab-test ONLY=outside"
VARIABLES = f"{install.INVENTORY}/group_vars/all/outside.yml"
# Until what was written has arrived: rows are handed on every 2 s, and a collector that was away is tried again within a minute.
SECONDS = 150
AWAY_SECONDS = 30
UNIT = "kinora-audit-target.service"

START = r"""
set -eu
cd "$1"
mkdir -p mails
setsid env PYTHONPATH=/root/outside/site-packages python3 -B server.py --host 0.0.0.0 --port 587 --tls starttls \
    --certificate relay.pem --key relay.key --directory mails > relay.log 2>&1 < /dev/null &
setsid python3 -B collector.py --port 6514 --certificate collector.pem --key collector.key --directory "$1" > collector.log 2>&1 < /dev/null &
for attempt in $(seq 100); do
    grep -qs ready relay.log && grep -qs ready collector.log && exit 0
    sleep 0.1
done
cat relay.log collector.log
exit 1
"""
# The brackets keep the shell that says it from being one of those it ends.
STOP = "pkill -f -- '[-]-directory mails'; pkill -f -- '[-]-port 6514'; rm -f /root/outside/*.log; true"
# Numbers of the trail's rows that are to be handed on, oldest first.
ROWS = "SELECT coalesce(json_agg(sequence ORDER BY sequence), '[]') FROM audit_rows"
MAILS = "SELECT json_build_object('sent', count(*) FILTER (WHERE state = 'sent'), 'waiting', count(*) FILTER (WHERE state <> 'sent')) FROM mail_messages"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    bundle = install.on_controller(lab.control)
    canary.prepare(lab)
    address = next(cable.ipv4.split("/")[0] for cable in lab.fleet.host(CLIENT).interfaces)
    before = newest(lab)
    with services(lab) as authorities, named(lab, address, authorities):
        options.say("relay and collector run on the client; site")
        run(lab, bundle, options.say, "site")
        yield from exposure.of_units(lab, {UNIT: "backends"})
        yield from _arrives(lab, before)
        options.say(f"both are away for {AWAY_SECONDS} s, and the sender is killed")
        yield from _away(lab, before)
        yield again(lab, bundle, options, "second run of `site` with both", section=SECTION)
    options.say("site without them")
    run(lab, bundle, options.say, "site")
    left = [host for host in lab.members("backends") if lab.exec(host, ["systemctl", "cat", UNIT]).ok]
    yield Figure(SECTION, "log collector taken out of the inventory: backends where its unit is left", f"{len(left)}", "0", not left, AGAIN, left)


def _arrives(lab: Lab, before: int) -> Iterator[Figure]:
    flight = canary.fly(lab)
    if not flight.ok:
        raise Problem(f"the canary failed: {'; '.join(flight.stages)}")
    began = time.monotonic()
    missing, problems = wait_for_rows(lab, before)
    value = f"{len(missing)} missing after {time.monotonic() - began:.0f} s"
    yield Figure(SECTION, "rows of the audit trail at the log collector, after a canary", value, "0 missing", not missing, AGAIN, [*map(str, missing[:20]), *problems])
    yield Figure(SECTION, "messages that are not RFC 5424 with JSON", f"{len(problems)}", "0", not problems, AGAIN, problems[:20])


def _away(lab: Lab, before: int) -> Iterator[Figure]:
    lab.exec(CLIENT, STOP)
    flight = canary.fly(lab)
    if not flight.ok:
        raise Problem(f"the canary failed while relay and collector were away: {'; '.join(flight.stages)}")
    for host in lab.members("backends"):
        lab.exec(host, ["systemctl", "kill", "--signal=SIGKILL", UNIT])
    time.sleep(AWAY_SECONDS)
    start(lab)
    began = time.monotonic()
    missing, _ = wait_for_rows(lab, before)
    value = f"{len(missing)} missing {time.monotonic() - began:.0f} s after it was back"
    what = f"rows written while the collector was away for {AWAY_SECONDS} s and the sender was killed"
    yield Figure(SECTION, what, value, "0 missing", not missing, AGAIN, list(map(str, missing[:20])))
    seconds, mails = wait(lambda: ask(lab, MAILS), lambda mails: mails["waiting"] == 0)
    taken = int(lab.exec(CLIENT, f"ls {DIRECTORY}/mails/*.json 2> /dev/null | wc -l").output)
    value = f"{mails['waiting']} wait, {taken} of {mails['sent']} taken, {seconds:.0f} s after it was back"
    yield Figure(SECTION, "mails at the relay", value, "0 wait, all taken", mails["waiting"] == 0 < mails["sent"] <= taken, AGAIN)


def wait(look: Callable, done: Callable) -> tuple[float, object]:
    """Seconds until `done` of what was looked at, and that; after SECONDS as it is."""
    began = time.monotonic()
    while True:
        seen, seconds = look(), time.monotonic() - began
        if done(seen) or seconds > SECONDS:
            return seconds, seen
        time.sleep(1)


def wait_for_rows(lab: Lab, before: int) -> tuple[list[int], list[str]]:
    """Rows after `before` that have not arrived, and messages that could not be read."""
    wanted = [row for row in ask(lab, ROWS) if row > before]
    if not wanted:
        raise Problem("a canary left no row in the audit trail")

    def look() -> tuple[list[int], list[str]]:
        lines = lab.exec(CLIENT, ["cat", f"{DIRECTORY}/messages"]).output.splitlines()
        arrived = [json.loads(line) for line in lines]
        numbers = {int(message["sequence"]) for message in arrived if message.get("sequence")}
        return [row for row in wanted if row not in numbers], [message["problem"] for message in arrived if "problem" in message]

    _, seen = wait(look, lambda seen: not seen[0])
    return seen


def newest(lab: Lab) -> int:
    return max(ask(lab, ROWS), default=0)


def ask(lab: Lab, query: str):
    """The primary's answer to a query that gives JSON."""
    for host in lab.members("databases"):
        command = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", "kinora", "-c"]
        if lab.exec(host, [*command, "SELECT pg_is_in_recovery()"]).output.strip() == "f":
            return json.loads(lab.exec(host, [*command, query]).output)
    raise Problem("no database accepts writes")


@contextmanager
def services(lab: Lab) -> Iterator[str]:
    """Relay and collector, on the client; gives the authority of their certificates."""
    tools = sorted((Path.home() / ".cache/kinora/tools").glob("aiosmtpd-*/lib/python3*/site-packages"))
    if not tools:
        raise Problem("aiosmtpd is missing: packaging/bootstrap test")
    lab.exec(CLIENT, f"{STOP}; rm -rf {DIRECTORY}; mkdir -m 700 {DIRECTORY}")
    with tempfile.TemporaryDirectory() as directory:
        authority = certificates(Path(directory))
        for name in ("relay", "collector"):
            for suffix in ("pem", "key"):
                lab.push(CLIENT, Path(directory, f"{name}.{suffix}"), DIRECTORY)
    lab.push(CLIENT, HERE / "collector.py", DIRECTORY)
    lab.push(CLIENT, PROJECT / "tests/smtp/server.py", DIRECTORY)
    lab.push(CLIENT, tools[-1], DIRECTORY)
    start(lab)
    try:
        yield authority
    finally:
        lab.exec(CLIENT, f"{STOP}; rm -rf {DIRECTORY}")


def start(lab: Lab) -> None:
    started = lab.exec(CLIENT, ["sh", "-c", START, "start", DIRECTORY])
    if not started.ok:
        raise Problem(f"relay and collector do not start: {started.output.strip()[-600:]}")


def certificates(directory: Path) -> str:
    """An authority, and a certificate for each of NAMES, as files in the directory."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"]

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", "req", "-x509", *key, *arguments], cwd=directory, check=True, capture_output=True)

    openssl("-subj", "/CN=Lab Authority", "-keyout", "authority.key", "-out", "authority.pem")
    for name, dns in NAMES.items():
        issuer = ["-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "basicConstraints=critical,CA:FALSE"]
        openssl(*issuer, "-subj", f"/CN={dns}", "-addext", f"subjectAltName=DNS:{dns}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return (directory / "authority.pem").read_text()


@contextmanager
def named(lab: Lab, address: str, authorities: str) -> Iterator[None]:
    """The inventory on the controller names both; afterwards no longer."""
    variables = {
        "kinora_mail": {"relay": NAMES["relay"], "address": address, "from": "Kinora <kinora@studio.example>", "authorities": authorities},
        "kinora_audit_target": {"name": NAMES["collector"], "address": address, "authorities": authorities},
    }
    written = lab.exec("control", ["sh", "-c", 'mkdir -p "${1%/*}" && cat > "$1"', "write", VARIABLES], stdin=json.dumps(variables))
    if not written.ok:
        raise Problem(f"{VARIABLES}: {written.error.strip()}")
    try:
        yield
    finally:
        lab.exec("control", ["rm", "-f", VARIABLES])
