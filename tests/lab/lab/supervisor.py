"""Holds everything of one lab. It runs in mount, process, network and IPC namespaces of its own, so that when it ends,
however it ends, the kernel ends every host and takes every mount and network away with it.

Whoever starts it keeps a pipe open on its standard input: end of file before the word `stay` means that the
start was given up, and the lab ends. Orders come as one JSON object a line over the socket `control`.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import cgroups
from .fleet import Fleet
from .hosts import RunningHost
from .network import Network, run
from .paths import State


class Supervisor:
    def __init__(self, state: State) -> None:
        self._state = state
        self._fleet = Fleet.from_json(json.loads(state.plan.read_text()))
        self._network = Network(self._fleet)
        self._hosts: dict[str, RunningHost] = {}
        self._changed = threading.Condition()
        self._changes = 0

    def run(self) -> None:
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
        Path("/run/lab").mkdir()
        Path("/run/netns").mkdir()
        self._network.make()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket's path may have 107 bytes only; the state's may have more.
        os.chdir(self._state.path)
        Path("control").unlink(missing_ok=True)
        listener.bind("control")
        os.chmod("control", 0o600)
        listener.listen(16)
        threading.Thread(target=self._follow_starter, daemon=True).start()
        self._boot(self._fleet)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _follow_starter(self) -> None:
        if sys.stdin.readline().strip() != "stay":
            print("the start was given up; ending", flush=True)
            os._exit(1)

    def _boot(self, fleet: Fleet) -> list[str]:
        """Boots the hosts of a fleet that are not there yet; returns their names."""
        fresh = [host for host in fleet.hosts if host.name not in self._hosts]
        for host in fresh:
            self._hosts[host.name] = RunningHost(host, fleet, self._state, self._network, self._note)
        known = {host.name for host in self._fleet.hosts}
        self._fleet.hosts.extend(host for host in fresh if host.name not in known)

        def boot(name: str) -> None:
            try:
                self._hosts[name].power_on()
            except Exception as error:
                traceback.print_exc()
                self._hosts[name].status = f"failed ({error})"
                self._note()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(boot, [host.name for host in fresh]))
        return [host.name for host in fresh]

    def _note(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rw", encoding="utf-8") as stream:
            for line in stream:
                try:
                    answer = self._obey(json.loads(line))
                except Exception as error:
                    traceback.print_exc()
                    answer = {"error": f"{type(error).__name__}: {error}"}
                try:
                    stream.write(json.dumps(answer) + "\n")
                    stream.flush()
                except BrokenPipeError:
                    return

    def _obey(self, order: dict) -> dict:
        match order["do"]:
            case "status":
                return self._status()
            case "wait":
                # Until something changed since the caller looked last, at most a second.
                with self._changed:
                    self._changed.wait_for(lambda: self._changes != order["since"], timeout=1)
                return self._status()
            case "boot":
                return {"booting": self._boot(Fleet.from_json(order["fleet"]))}
            case "remove":
                host = self._hosts.pop(order["host"])
                self._fleet.hosts = [each for each in self._fleet.hosts if each.name != order["host"]]
                host.remove()
                self._note()
                return {}
            case "power":
                host = self._hosts[order["host"]]
                if order["to"] in ("off", "reset"):
                    host.power_off()
                if order["to"] == "new":
                    host.replace()
                if order["to"] in ("on", "reset", "new"):
                    host.power_on()
                return self._status()
            case "cable":
                self._network.set_cable(order["host"], order["zone"], order["to"] == "plugged")
                return {}
            case unknown:
                return {"error": f"unknown order {unknown}"}

    def _status(self) -> dict:
        return {
            "changes": self._changes,
            "hosts": {name: host.report() for name, host in self._hosts.items()},
            "packets_leaving": self._network.packets_leaving(),
            "memory_bytes": cgroups.memory_bytes(self._state.unique),
        }


def start(state: State) -> subprocess.Popen:
    """Starts the supervisor of a lab whose plan is written. Its standard input is the pipe described above."""
    entry = Path(__file__).resolve().parents[1] / "lab.py"
    command = [
        *("unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"),
        *("--propagation", "private", sys.executable, str(entry), "--name", state.name, "supervise"),
    ]
    if cgroups.is_unified() and Path("/run/systemd/system").is_dir():
        scope = ["systemd-run", "--quiet", "--scope", "--collect", "--property=Delegate=yes", f"--unit={state.unique}"]
        command = [*scope, *command]
    with open(state.log, "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    state.record.write_text(json.dumps({"process": process.pid, "started": fields[19], "boot": boot}))
    return process


def supervise(state: State) -> None:
    """The supervisor's main. The first process of the namespace only collects orphans: its end ends all."""
    child = os.fork()
    if child:
        while True:
            process, code = os.wait()
            if process == child:
                os._exit(os.waitstatus_to_exitcode(code) & 255)
    lock = open(state.path / "lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print(f"--- {time.strftime('%F %T')} supervisor of {state.unique}", flush=True)
    try:
        Supervisor(state).run()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
