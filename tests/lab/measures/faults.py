"""What takes a part of the fleet away, and gives it back: each is a context, in which it is away.

Whatever ends the context gives it back: an exception, Ctrl-C, being told to end. Measures that break one thing on purpose and the one that
draws them at random (chaos.py) use the same.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.fleet import STORAGE_PATH
from lab.problem import Problem

from .at_work import PLACE
from .hosts import Lab

KILL_POSTGRESQL = """
import os, signal, time
number = int(open("/var/lib/postgresql/17/kinora/postmaster.pid").readline())
print(time.monotonic(), flush=True)
os.kill(number, signal.SIGKILL)
"""
# To every process of the host but its first. Those that came in from outside, as the witness and this, are not the host's.
SIGNAL_ALL = """
import os, signal, sys

def parent(process):
    try:
        return int(open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0

def is_the_hosts(process):
    while process > 1:
        process = parent(process)
    return process == 1

for name in filter(str.isdigit, os.listdir("/proc")):
    if int(name) > 1 and is_the_hosts(int(name)):
        try:
            os.kill(int(name), getattr(signal, sys.argv[1]))
        except ProcessLookupError:
            pass
"""
# Gives each process of PostgreSQL's account a largest size of files, or none again. PostgreSQL takes one that is exceeded for a full disk:
# it leaves SIGXFSZ alone for that. Looks again until no process was born meanwhile with what its parent had.
LIMIT_FILES = """
import os, resource, sys
account, wanted = os.getuid(), int(sys.argv[1])
changed = True
while changed:
    changed = False
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == account:
                soft, hard = resource.prlimit(int(name), resource.RLIMIT_FSIZE)
                if soft != wanted:
                    resource.prlimit(int(name), resource.RLIMIT_FSIZE, (wanted, hard))
                    changed = True
        except (FileNotFoundError, ProcessLookupError):
            pass
"""
NO_LIMIT = -1
# A layer over the storage on a file system that is full: what is there can be read, and nothing can be added, changed or removed.
FILL = """
set -e
mkdir -p /run/kinora-fault && mount -t tmpfs -o size=64k,nr_inodes=24 kinora-fault /run/kinora-fault && cd /run/kinora-fault
mkdir upper work && chmod --reference="$1" upper && chown --reference="$1" upper
mount -t overlay -o lowerdir="$1",upperdir=upper,workdir=work kinora-fault "$1"
set +e
dd if=/dev/zero of=full bs=4k 2> /dev/null
number=0; while touch "$number" 2> /dev/null; do number=$((number + 1)); done
exit 0
"""
COVER = 'mount -t tmpfs -o ro,size=4k,mode=0755 kinora-fault "$1"'
# As often as it was done, which may be not at all. Lazily: whoever is in it stays there, as at a storage that has gone.
UNCOVER = """
for place in "$1" /run/kinora-fault; do
    while awk -v place="$place" '$1 == "kinora-fault" && $2 == place { found = 1 } END { exit !found }' /proc/mounts; do umount -l "$place" || exit 1; done
done
"""
# The broker takes a disk with less free than its limit for full: it blocks whoever publishes, on all nodes.
FILL_BROKER = "rabbitmqctl --quiet set_disk_free_limit 900TB"
EMPTY_BROKER = "rabbitmqctl --quiet set_disk_free_limit $(sed -n 's/^disk_free_limit.absolute = //p' /etc/rabbitmq/rabbitmq.conf)"
# Where the system has it that the lab runs on.
OTHER_CLOCK = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
PRELOADED = f"{PLACE}/{OTHER_CLOCK.name}"
SERVICES = "kinora-application kinora-backend kinora-worker"
# All of Kinora's own services on a host, with a clock of their own: the host's is this machine's, and everybody's.
TURN_CLOCK = f"""
set -e
for unit in {SERVICES}; do
    systemctl -q is-active "$unit" || continue
    mkdir -p "/run/systemd/system/$unit.service.d"
    printf '[Service]\\nEnvironment=LD_PRELOAD={PRELOADED} FAKETIME=%s FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1\\n' "$1" > "/run/systemd/system/$unit.service.d/90-kinora-fault.conf"
    found="$found $unit"
done
systemctl daemon-reload
systemctl restart $found
"""
TURN_CLOCK_BACK = f"""
for unit in {SERVICES}; do
    rm "/run/systemd/system/$unit.service.d/90-kinora-fault.conf" 2> /dev/null || continue
    rmdir "/run/systemd/system/$unit.service.d" 2> /dev/null
    found="$found $unit"
done
[ -z "$found" ] || {{ systemctl daemon-reload && systemctl restart $found; }}
"""


@contextmanager
def away(begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
    """Between `begin` and `end`. What `begin` did before it failed is ended, too."""
    try:
        begin()
        yield
    finally:
        with undisturbed():
            end()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C, and being told to end, wait for the end of the context: what was broken is mended first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in came[:1]:
        signal.raise_signal(number)


def kill_postgresql(lab: Lab, host: str) -> float:
    """kill -9. Returns the instant."""
    answer = lab.exec(host, ["python3", "-c", KILL_POSTGRESQL])
    if not answer.ok:
        raise Problem(f"PostgreSQL of {host} could not be killed: {answer.error.strip()[-300:]}")
    return float(answer.output)


def kill_unit(lab: Lab, host: str, unit: str) -> None:
    """kill -9 of every process of a unit."""
    do(lab, host, ["systemctl", "kill", "--signal=KILL", unit])


def without_power(lab: Lab, host: str):
    """The plug is pulled; then it is plugged in, and the host boots."""
    return away(lambda: lab.power(host, "off"), lambda: lab.power(host, "on"))


def frozen(lab: Lab, host: str):
    """Every process of the host is stopped, and goes on where it was. Its kernel goes on meanwhile."""
    return away(lambda: signal_all(lab, host, "SIGSTOP"), lambda: signal_all(lab, host, "SIGCONT"))


def signal_all(lab: Lab, host: str, name: str) -> None:
    answer = lab.exec(host, ["python3", "-c", SIGNAL_ALL, name])
    if not answer.ok:
        raise Problem(f"{name} to {host}: {answer.error.strip()[-300:]}")


def cut(lab: Lab, host: str, zone: str):
    """The host's cable is out of the zone's switch."""

    def cable(to: str) -> None:
        lab.control.order(do="cable", host=host, zone=zone, to=to)

    return away(lambda: cable("pulled"), lambda: cable("plugged"))


def storage_hosts(lab: Lab) -> list[str]:
    return [host.name for host in lab.servers if STORAGE_PATH in host.binds.values()]


def storage_gone(lab: Lab):
    """The path of the storage is empty on all hosts that have it, as where nothing is mounted."""
    return _at_storage(lab, COVER)


def storage_full(lab: Lab):
    """Nothing more goes onto the storage; what is there can be read."""
    return _at_storage(lab, FILL)


def _at_storage(lab: Lab, script: str):
    def everywhere(script: str) -> None:
        wrong = []
        for host in storage_hosts(lab):
            try:
                do(lab, host, ["sh", "-c", script, "storage", STORAGE_PATH])
            except Problem as problem:
                # The others all the same: this undoes it, too.
                wrong.append(str(problem))
        if wrong:
            raise Problem("\n".join(wrong))

    return away(lambda: everywhere(script), lambda: everywhere(UNCOVER))


def database_full(lab: Lab, host: str):
    """What PostgreSQL and Patroni write there fails, for want of room."""

    def limit(size: int) -> None:
        # As this account: not every machine lets root of a host change limits of others.
        do(lab, host, ["runuser", "-u", "postgres", "--", "python3", "-c", LIMIT_FILES, str(size)])

    return away(lambda: limit(0), lambda: limit(NO_LIMIT))


def broker_full(lab: Lab, host: str):
    """The node has less room than it wants."""
    return away(lambda: do(lab, host, FILL_BROKER), lambda: do(lab, host, EMPTY_BROKER))


def clock_off(lab: Lab, host: str, by: str):
    """Kinora's own services on the host begin anew with a clock that is off (`+300`, seconds), and then with the right one."""

    def turn() -> None:
        lab.push(host, OTHER_CLOCK, PLACE)
        do(lab, host, ["sh", "-c", TURN_CLOCK, "clock", by])

    return away(turn, lambda: do(lab, host, ["sh", "-c", TURN_CLOCK_BACK]))


def do(lab: Lab, host: str, command: str | list[str]) -> None:
    answer = lab.exec(host, command, timeout=240)
    if not answer.ok:
        raise Problem(f"on {host}: {(answer.error or answer.output).strip()[-300:] or f'ended with {answer.code}'}")
