"""The lab as measures see it: commands on hosts that always end, files, plugs."""

import shlex
import subprocess
from pathlib import Path

from lab import control, power
from lab.fleet import Fleet, Host
from lab.paths import State
from lab.problem import Problem

from .figures import Result, finish

# What nsenter, SSH and sudo take beyond the command's own time.
MARGIN_SECONDS = 15


class Lab:
    """A lab that is up. `control` is the whole of what tests/lab/lab offers."""

    def __init__(self, name: str) -> None:
        self.control = control.Lab(State(name))
        self.name = name
        self.fleet: Fleet = self.control.fleet()

    @property
    def servers(self) -> list[Host]:
        """The studio's hosts, in the inventory's order."""
        return [host for host in self.fleet.hosts if host.kind == "server"]

    def members(self, group: str) -> list[str]:
        """Names of the hosts in a group of the inventory, in its order."""
        return [host.name for host in self.servers if group in host.groups]

    def exec(self, host: str, command: str | list[str], timeout: float = 60, stdin: str | None = None) -> Result:
        """Root at the host's console, past network and firewall. A string is given to `sh -c`."""
        return finish(self.control.on(host, _bounded(command, timeout)), timeout + MARGIN_SECONDS, stdin)

    def ssh(self, host: str, command: str | list[str], timeout: float = 60, stdin: str | None = None) -> Result:
        """Root by sudo on a server, over SSH from the controller."""
        return finish(self.control.ssh(host, [shlex.join(_bounded(command, timeout))]), timeout + MARGIN_SECONDS, stdin)

    def in_network_of(self, host: str, command: list[str], timeout: float = 60, stdin: str | None = None) -> Result:
        """A program of this machine that runs in a host's network."""
        return finish(self.control.in_network_of(host, _bounded(command, timeout)), timeout + MARGIN_SECONDS, stdin)

    def push(self, host: str, source: Path, directory: str) -> None:
        """Copies a file or directory of this machine into a directory of a host, which is made if needed."""
        self.control.push(host, source, directory)

    def pipe(self, source: tuple[str, list[str]], target: tuple[str, list[str]]) -> None:
        """From a command on one host into a command on another, past the network."""
        with subprocess.Popen(self.control.on(*source), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as giving:
            taking = subprocess.run(self.control.on(*target), stdin=giving.stdout, capture_output=True, text=True)
        if giving.returncode or taking.returncode:
            raise Problem(f"from {source[0]} to {target[0]}: {(taking.stderr or taking.stdout).strip()[-600:] or 'the first command failed'}")

    def power(self, host: str, to: str) -> float:
        """`on`, `off`, `reset` (the plug) or `reboot` (orderly); waits for the boot and returns its seconds."""
        return power.switch(self.control, host, to)

    def packets_leaving(self) -> int:
        """Packets that hosts sent towards the world outside since the lab was booted. None got further."""
        return self.control.order(do="status")["packets_leaving"]

    def typed(self, host: str, command: str) -> str:
        """How a reader types a command at a host's console. Which lab it is, KINORA_LAB_NAME says."""
        return f"tests/lab/lab.py exec {host} -- {shlex.quote(command)}"


def _bounded(command: str | list[str], seconds: float) -> list[str]:
    """The command with an end of its own: nothing is left on a host when the one who waits for it gives up."""
    argv = ["sh", "-c", command] if isinstance(command, str) else command
    return ["timeout", "--kill-after=5", str(seconds), *argv]
