"""The way into a running lab: orders to its supervisor, shells in its namespaces, SSH as its controller."""

import json
import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path

from .fleet import Fleet
from .paths import State
from .problem import Problem

INSIDE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Lab:
    """A lab that is up."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._process = first_process(state)
        if self._process is None:
            raise Problem(f"the lab {state.name!r} is not up; `make lab` or `tests/lab/lab.py --name {state.name} up` starts it")
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def fleet(self) -> Fleet:
        return Fleet.from_json(json.loads(self.state.plan.read_text()))

    def order(self, **order: object) -> dict:
        """Sends an order to the supervisor and returns its answer."""
        with self._lock:
            answer = self._exchange(order)
        if "error" in answer:
            raise Problem(f"the lab refused: {answer['error']}; see {self.state.log}")
        return answer

    def _exchange(self, order: dict) -> dict:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.chdir(self.state.path)
                self._socket.connect("control")
            except OSError as error:
                raise Problem(f"the lab's supervisor does not answer ({error.strerror}); see {self.state.log}") from error
            finally:
                os.fchdir(here)
                os.close(here)
            self._stream = self._socket.makefile("rw", encoding="utf-8")
        self._stream.write(json.dumps(order) + "\n")
        self._stream.flush()
        line = self._stream.readline()
        if not line:
            raise Problem(f"the lab's supervisor has ended; see {self.state.log}")
        return json.loads(line)

    def inside(self, command: Iterable[str]) -> list[str]:
        """A command that runs in the supervisor's namespaces, and ends with it."""
        return ["nsenter", "-t", str(self._process), "-m", "-p", "-n", "-i", "--", *command]

    def in_network_of(self, host: str, command: Iterable[str]) -> list[str]:
        """A command of this machine that runs in a host's network."""
        return self.inside(["nsenter", f"--net=/run/netns/{host}", "--", *command])

    def on(self, host: str, command: Iterable[str]) -> list[str]:
        """A command run by root at the host's console, past its network and its firewall."""
        leader = self.order(do="status")["hosts"].get(host, {}).get("leader")
        if not leader:
            self.fleet().host(host)
            raise Problem(f"{host} is switched off; `tests/lab/lab.py --name {self.state.name} power {host} on` boots it")
        clean = [f"PATH={INSIDE_PATH}", "HOME=/root", "USER=root", "LANG=C.UTF-8", f"TERM={os.environ.get('TERM', 'dumb')}"]
        enter = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r"]
        return self.inside([*enter, "--", "env", "-i", "-C", "/", *clean, *command])

    def ssh(self, host: str, command: list[str], options: Iterable[str] = (), root: bool = True) -> list[str]:
        """An SSH session from the controller to a server, as its administrator or, by sudo, as root."""
        if self.fleet().host(host).kind != "server":
            raise Problem(f"{host} has no SSH server; use `tests/lab/lab.py --name {self.state.name} exec {host}`")
        line = command[0] if len(command) == 1 else shlex.join(command)
        if root:
            line = f"sudo -n -H -- sh -c {shlex.quote(line)}" if command else "sudo -i"
        base = ["ssh", "-F", str(self.state.keys / "ssh_config"), *options, host]
        return self.in_network_of("control", [*base, *([line] if line else [])])

    def run(self, host: str, *command: str, check: bool = True) -> subprocess.CompletedProcess:
        """Runs a command at a host's console and returns its output."""
        result = subprocess.run(self.on(host, command), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if check and result.returncode != 0:
            raise Problem(f"on {host}: {shlex.join(command)} ended with {result.returncode}: {result.stderr.strip()}")
        return result

    def push(self, host: str, source: Path, target: str) -> None:
        """Copies a file or directory into the directory `target` of a host, which is made if needed."""
        if not source.exists():
            raise Problem(f"{source} does not exist")
        pack = ["tar", "-C", str(source.resolve().parent), "-c", source.resolve().name]
        unpack = self.on(host, ["sh", "-c", 'mkdir -p "$1" && tar --no-same-owner -x -C "$1"', "push", target])
        with subprocess.Popen(pack, stdout=subprocess.PIPE) as packing:
            unpacked = subprocess.run(unpack, stdin=packing.stdout)
        if packing.returncode or unpacked.returncode:
            raise Problem(f"copying {source} to {host}:{target} failed")


def first_process(state: State) -> int | None:
    """The number, on this machine, of the first process in the lab's namespaces; nothing where it is not up."""
    holder = holding_process(state)
    if holder is None:
        return None
    # `unshare` itself stays outside; its only child is the first process.
    children = [pid for pid in _children_of(holder)]
    return children[0] if children else None


def holding_process(state: State) -> int | None:
    """The process whose death ends the lab, if it lives. A number used anew by another process does not count."""
    try:
        record = json.loads(state.record.read_text())
    except (OSError, ValueError):
        return None
    if record["boot"] != Path("/proc/sys/kernel/random/boot_id").read_text().strip():
        return None
    fields = _stat(record["process"])
    if fields is None or fields[19] != record["started"] or fields[0] == "Z":
        return None
    return record["process"]


def _children_of(parent: int) -> list[int]:
    result = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields and int(fields[1]) == parent:
                result.append(int(entry.name))
    return result


def _stat(process: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: state, parent, …, start time at 19."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
