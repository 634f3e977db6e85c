"""Brings this host's PostgreSQL to an instant, with nobody connected. Runs as postgres while Patroni is stopped everywhere: python3 -c THIS ORDER

ORDER is JSON: `data`, `programs`, `sockets`; `set`, `timeline` and `target`, as restore_plan.py and the operator say; an empty target is
the archive's end.

1. pgBackRest puts the files in place of those that differ.
2. PostgreSQL reads the log up to the instant and begins a timeline of its own; it listens on no address.
3. Its history arrives in the repository, what only this recovery needed leaves the settings, and it stops, whole.

Prints what happened as JSON. Can be run again after whatever happened in between.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LOOK_SECONDS = 0.2
ARCHIVE_SECONDS = 120
STOP_SECONDS = 120


def end(text):
    print(json.dumps({"refused": text}))
    sys.exit(1)


def lives(data):
    """Whether a PostgreSQL runs there."""
    try:
        number = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(number, 0)
        return True
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return False


def ask(order, statement):
    """The answer, or nothing where nobody answers yet."""
    command = ["psql", "-XAtq", f"--host={order['sockets']}", "--dbname=postgres", "--command", statement]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == 0 else None


def wait(look, seconds, server, otherwise):
    until = time.monotonic() + seconds
    while not look():
        if server.poll() is not None:
            end(f"PostgreSQL ended with {server.returncode} before it had reached the instant; it said why above")
        if time.monotonic() > until:
            end(otherwise)
        time.sleep(LOOK_SECONDS)


def recover(order, data):
    """Starts PostgreSQL, waits until it can be written to and its new timeline is known to the repository, and stops it."""
    settings = {"listen_addresses": "", "synchronous_standby_names": "", "hot_standby": "off", "unix_socket_directories": order["sockets"], "archive_mode": "on"}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen([f"{order['programs']}/postgres", "-D", str(data), *options], stdout=sys.stderr)
    try:
        wait(lambda: ask(order, "SELECT pg_is_in_recovery()") == "f", 24 * 3600, server, "the log took longer than a day")
        if ask(order, "ALTER SYSTEM RESET ALL") is None:
            end("the settings of the recovery could not be removed")
        # A standby that is copied from here must not stop at the instant as well.
        timeline = ask(order, "CHECKPOINT; SELECT timeline_id FROM pg_control_checkpoint()").splitlines()[-1]
        history = data / f"pg_wal/archive_status/{int(timeline):08X}.history.done"
        wait(history.exists, ARCHIVE_SECONDS, server, "the repository does not take the new timeline: journalctl -u pgbackrest on both ends")
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(STOP_SECONDS)
    if server.returncode != 0:
        end(f"PostgreSQL did not stop as it should: {server.returncode}")
    return int(timeline)


def main():
    order = json.loads(sys.argv[1])
    data = Path(order["data"])
    if lives(data):
        end("a PostgreSQL runs here; Patroni must be stopped first")
    (data / "postmaster.pid").unlink(missing_ok=True)
    began = time.monotonic()
    # Without a target: everything that the archive has.
    wanted = ["--type=default", "--target-timeline=latest"]
    if order["target"]:
        wanted = ["--type=time", f"--target={order['target']}", f"--target-timeline={order['timeline']}", "--target-action=promote"]
    command = ["pgbackrest", "--stanza=kinora", f"--pg1-path={data}", f"--set={order['set']}", "--delta", "--force", *wanted, "restore"]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        end("pgBackRest could not bring the files back; it said why above")
    copied = time.monotonic()
    timeline = recover(order, data)
    print(json.dumps({"timeline": timeline, "files_seconds": round(copied - began, 1), "log_seconds": round(time.monotonic() - copied, 1)}))


main()
