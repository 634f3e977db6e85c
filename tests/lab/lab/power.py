"""Plugs, cables and reboots: what happens to hosts, and when they are back."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import keys
from .control import Lab
from .problem import Problem

# The longest a unit of a bare host waits is 120 s (for its network to be online).
BOOT_SECONDS = 300


def switch(lab: Lab, host: str, to: str) -> float:
    """Turns a host `on` or `off` (pulls its plug), `reset` (both) or `reboot` (orderly).

    `new` puts a bare machine with another key of its sshd in its place.

    Waits until it has booted, and returns how many seconds that boot took; 0 for `off`.
    """
    if not lab.fleet().host(host).boots:
        raise Problem(f"{host} has no system of its own to switch")
    before = lab.order(do="status")["hosts"][host]["boots"]
    if to == "reboot":
        lab.run(host, "systemctl", "reboot")
    else:
        if to == "new":
            for file in (lab.state.keys / host, lab.state.keys / f"{host}.pub"):
                file.unlink(missing_ok=True)
            keys.make(lab.state.keys, lab.fleet())
            before = 0
        lab.order(do="power", host=host, to=to)
    if to == "off":
        return 0.0
    with _consoles_awake():
        return _wait_for_boot(lab, host, before if to != "on" else before - 1)


def _wait_for_boot(lab: Lab, host: str, before: int) -> float:
    """Waits until a host has booted more often than `before`."""
    until, since = time.monotonic() + BOOT_SECONDS, -1
    while True:
        status = lab.order(do="wait", since=since)
        since, report = status["changes"], status["hosts"][host]
        if report["boots"] > before and report["status"] == "running":
            return report["boot_seconds"]
        if report["status"].startswith("failed") or time.monotonic() > until:
            raise Problem(f"{host} did not come back: {report['status']}; see {lab.state.host(host)}/console.log")


@contextmanager
def _consoles_awake() -> Iterator[None]:
    """Lets consoles go on that an orderly shutdown stopped, for as long as it takes.

    systemd stops whatever is left on its host before it ends it, a program at the console as well, and nsenter stops with that.
    Nobody outside is told to go on, and a host whose processes are not waited for does not end.
    """
    ended = threading.Event()

    def wake() -> None:
        while not ended.wait(0.5):
            for process in _stopped("nsenter"):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _stopped(program: str) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text(encoding="utf-8", errors="replace").partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == program and rest.split()[0] == "T":
            yield int(stat.parent.name)
