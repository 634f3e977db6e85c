"""Runs probes in hosts' networks, with witnesses at their targets; what several measures share."""

import json
import os
import secrets
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab.problem import Problem

from .hosts import Lab

HERE = Path(__file__).resolve().parent
PROBE, WITNESS = HERE / "probe.py", HERE / "witness.py"
SECONDS = 1800
READY_SECONDS = 20


@dataclass
class Seen:
    """What a probe found out about one pair of addresses."""

    open: set[int] = field(default_factory=set)
    refused: list[list[int]] = field(default_factory=list)
    # Packets that went out, that the host's own rules stopped, and errors of others by name.
    sent: int = 0
    stopped: int = 0
    sweeps: int = 0
    trouble: dict[str, int] = field(default_factory=dict)

    def answered(self) -> set[int]:
        """Ports from which the target's own stack answered, whether or not anybody listens there."""
        return self.open | {port for first, last in self.refused for port in range(first, last + 1)}


class Run:
    """One round of probing: a word and numbers that tell its packets from all others."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.word = f"kinora-probe-{secrets.token_hex(8)}"
        self.token = secrets.randbelow(0x10000)
        self.source_port = 20000 + secrets.randbelow(2000)
        self.stopped: dict[str, set[tuple[str, int]]] = {}

    def probe(self, tasks: dict[str, list[dict]], say=lambda line: None) -> dict[str, Seen]:
        """Source host → its tasks. Several hosts at a time: each is busy with one processor."""
        found: dict[str, Seen] = {}

        def one(host: str) -> None:
            order = {"token": self.token, "source_port": self.source_port, "word": self.word, "tasks": tasks[host]}
            began = time.monotonic()
            result = self.lab.in_network_of(host, [sys.executable, "-B", str(PROBE)], SECONDS, json.dumps(order))
            if not result.ok:
                raise Problem(f"probing from {host} ended with {result.code}: {result.error.strip()[-800:]}")
            report = json.loads(result.output)
            for task, seen in report["tcp"].items():
                found[task] = Seen(**{**seen, "open": set(seen["open"])})
            for task, kinds in report["stopped"].items():
                self.stopped[task] = {(kind, number) for kind, number, _ in kinds}
            say(f"  from {host}: {len(tasks[host])} aims in {time.monotonic() - began:.0f} s")

        with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
            list(pool.map(one, [host for host in tasks if tasks[host]]))
        return found


class Witnesses:
    """A witness in the network of each of some hosts, from `with` to its end."""

    def __init__(self, run: Run, hosts: list[str], listen: dict[str, int] | None = None) -> None:
        self._run, self._hosts, self._listen = run, hosts, listen or {}
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Witnesses":
        for host in self._hosts:
            command = self._run.lab.control.in_network_of(host, [sys.executable, "-B", str(WITNESS)])
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            process.stdin.write(json.dumps({"word": self._run.word, "listen": self._listen.get(host)}) + "\n")
            process.stdin.flush()
            self._processes[host] = process
        for host, process in self._processes.items():
            ready, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
            if not ready or process.stdout.readline().strip() != "ready":
                self.__exit__()
                raise Problem(f"the witness on {host} did not start")
        return self

    def __exit__(self, *_) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    def testimony(self) -> set[tuple[str, str, int, str, str]]:
        """Ends the witnesses: (host, kind, number, source, target) of everything that came past a firewall."""
        seen = set()
        for host, process in self._processes.items():
            output, _ = process.communicate("", timeout=60)
            if process.returncode != 0:
                raise Problem(f"the witness on {host} ended with {process.returncode}")
            seen.update((host, kind, number, source, target) for kind, number, source, target in json.loads(output))
        self._processes.clear()
        return seen
