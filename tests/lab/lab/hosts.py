"""One running host: an overlay on the cached root, a network namespace, and systemd-nspawn.

Everything here happens inside the supervisor's namespaces. A restart gives the host a fresh network namespace, as
a real machine loses its addresses and firewall rules; what it wrote to its disk stays.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from . import cgroups, root
from .fleet import GATEWAY, Fleet, Host
from .network import Network, run
from .paths import State

# systemd-nspawn leaves a reboot to whoever started it, and says so with this code.
REBOOT = 133

# What a server's root may do and systemd-nspawn would withhold: configure the network, load packet filters
# (IPAddressDeny= and nftables), read the kernel's log, lock memory.
CAPABILITIES = "CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYSLOG,CAP_BPF,CAP_PERFMON,CAP_IPC_LOCK,CAP_WAKE_ALARM,CAP_SYS_NICE"


class RunningHost:
    """A host from its first boot to the lab's end. `changed` is called whenever its state does."""

    def __init__(self, host: Host, fleet: Fleet, state: State, network: Network, changed: Callable[[], None]) -> None:
        self.host = host
        self.status = "off"
        self.leader = 0
        self.boots = 0
        self.boot_seconds = 0.0
        self._fleet, self._state, self._network, self._changed = fleet, state, network, changed
        self._directory = state.host(host.name)
        self._root = Path("/run/lab") / host.name
        self._process: subprocess.Popen | None = None
        self._wanted = False
        self._lock = threading.Lock()

    def power_on(self) -> None:
        """Boots it. Does nothing where it runs."""
        with self._lock:
            if self._process is not None:
                return
            self._wanted = True
            if not self._root.is_dir():
                self._prepare()
            self._start()

    def power_off(self) -> None:
        """Pulls the plug: every process is killed at once, nothing is shut down."""
        with self._lock:
            process, self._wanted = self._process, False
            if process is None:
                return
            if self.leader:
                _kill(self.leader)
            process.kill()
        process.wait()
        while self._process is not None:
            time.sleep(0.01)

    def replace(self) -> None:
        """Pulls the plug and puts a new machine in its place: bare, with the same name, addresses and cables."""
        self.power_off()
        with self._lock:
            self.boots = 0
            self._throw_away()

    def remove(self) -> None:
        """Pulls the plug and throws the machine away with its cables; nothing is left of it."""
        self.power_off()
        with self._lock:
            self._throw_away()
            self._network.unplug(self.host)
            shutil.rmtree(self._directory, ignore_errors=True)

    def _throw_away(self) -> None:
        if self._root.is_dir():
            run("umount", str(self._root))
            self._root.rmdir()
        for part in ("upper", "work"):
            shutil.rmtree(self._directory / part, ignore_errors=True)

    def report(self) -> dict:
        return {
            "status": self.status,
            "leader": self.leader,
            "boots": self.boots,
            "boot_seconds": round(self.boot_seconds, 1),
        }

    def _set(self, status: str) -> None:
        self.status = status
        self._changed()

    def _start(self) -> None:
        self._network.plug_in(self.host)
        if not self.host.boots:
            self._network.configure(self.host)
        self.boots += 1
        self.leader = 0
        self._set("booting")
        notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = f"/run/lab/{self.host.name}.notify"
        Path(address).unlink(missing_ok=True)
        notifications.bind(address)
        groups = cgroups.make(self._state.unique, self.host.name)
        join = " ".join(f"echo $$ > {group}/cgroup.procs;" for group in groups)
        environment = {
            "PATH": os.environ["PATH"],
            "NOTIFY_SOCKET": address,
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            # A server may set its network's kernel settings; the rest of /proc/sys is this machine's.
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
        }
        began = time.monotonic()
        with open(self._directory / "console.log", "ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", f'{join} exec "$@"', "host", *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=environment,
            )
        threading.Thread(target=self._listen, args=(notifications, began), daemon=True).start()
        threading.Thread(target=self._watch, args=(self._process, notifications), daemon=True).start()

    def _command(self) -> list[str]:
        command = [
            "systemd-nspawn",
            "--quiet",
            "--register=no",
            "--keep-unit",
            "--settings=no",
            "--link-journal=no",
            "--resolv-conf=off",
            "--timezone=off",
            "--console=read-only",
            f"--machine={self.host.name}",
            f"--directory={self._root}",
            f"--network-namespace-path=/run/netns/{self.host.name}",
            f"--capability={CAPABILITIES}",
            "--system-call-filter=bpf @keyring",
            *(f"--bind={self._state.path / source}:{target}" for source, target in self.host.binds.items()),
        ]
        if self.host.boots:
            return [*command, "--notify-ready=yes", "--kill-signal=SIGRTMIN+3", "--boot"]
        return [*command, "--as-pid2", "/bin/sleep", "infinity"]

    def _listen(self, notifications: socket.socket, began: float) -> None:
        while True:
            try:
                message = notifications.recv(4096).decode(errors="replace")
            except OSError:
                return
            fields = dict(line.split("=", 1) for line in message.splitlines() if "=" in line)
            if "X_NSPAWN_LEADER_PID" in fields:
                self.leader = int(fields["X_NSPAWN_LEADER_PID"])
            if "READY" in fields:
                self.boot_seconds = time.monotonic() - began
                self._set("running")
            if "END" in fields:
                notifications.close()
                return

    def _watch(self, process: subprocess.Popen, notifications: socket.socket) -> None:
        code = process.wait()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"END=1", notifications.getsockname())
        with self._lock:
            if self.leader:
                _kill(self.leader)
            self.leader = 0
            self._network.unplug(self.host)
            if code == REBOOT and self._wanted:
                self._start()
                return
            self._process = None
            # An orderly poweroff ends with 0; anything else that nobody asked for is a failure to show.
            self._set("off" if code == 0 or not self._wanted else f"failed ({code})")

    def _prepare(self) -> None:
        for part in ("upper", "work"):
            (self._directory / part).mkdir(parents=True, exist_ok=True)
        self._root.mkdir(parents=True)
        lower = ":".join(str(directory) for directory in root.lower_directories(self.host.kind))
        # volatile: what hosts write lasts as long as the lab; nobody waits for the machine's disk.
        options = f"lowerdir={lower},upperdir={self._directory}/upper,workdir={self._directory}/work,volatile"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self._root))
        for source in self.host.binds:
            (self._state.path / source).mkdir(parents=True, exist_ok=True)
        configure(self._root, self.host, self._fleet, self._state.keys)


def configure(directory: Path, host: Host, fleet: Fleet, keys: Path) -> None:
    """Writes what studio IT would have set on a fresh server: name, addresses, keys."""
    etc = directory / "etc"
    (etc / "hostname").write_text(f"{host.name}\n")
    (etc / "machine-id").write_text(f"{secrets.token_hex(16)}\n")
    (etc / "default/locale").write_text("LANG=C.UTF-8\n")
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    if host.kind == "server":
        lines += [f"127.0.1.1 {host.name}"]
    else:
        lines += [f"{other.management} {other.name}" for other in fleet.hosts if other.management and other.kind == "server"]
        lines += [f"{address} {fleet.public_name}" for address in fleet.public_address.values()]
    (etc / "hosts").write_text("\n".join(lines) + "\n")
    gateway = fleet.zone(host.route_zone).at(GATEWAY)
    for interface in host.interfaces:
        text = f"[Match]\nName={interface.name}\n\n[Network]\nIPv6AcceptRA=no\nLinkLocalAddressing=ipv6\n"
        text += f"Address={interface.ipv4}\nAddress={interface.ipv6}\n"
        if interface.zone == host.route_zone:
            text += "".join(f"Gateway={address.split('/')[0]}\n" for address in gateway)
        (etc / "systemd/network" / f"10-{interface.name}.network").write_text(text)
    if host.kind == "server":
        _install_keys(directory, host, keys)
    if host.kind == "controller":
        _install_controller_keys(directory / "root/.ssh", keys)


def _install_keys(directory: Path, host: Host, keys: Path) -> None:
    for suffix, mode in (("", 0o600), (".pub", 0o644)):
        target = directory / f"etc/ssh/ssh_host_ed25519_key{suffix}"
        shutil.copyfile(keys / f"{host.name}{suffix}", target)
        target.chmod(mode)
    home = directory / "home/admin"
    owner = home.stat()
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    authorized = home / ".ssh/authorized_keys"
    shutil.copyfile(keys / "controller.pub", authorized)
    for path in (home / ".ssh", authorized):
        os.chown(path, owner.st_uid, owner.st_gid)


def _install_controller_keys(directory: Path, keys: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    for source, target, mode in (
        ("controller", "id_ed25519", 0o600),
        ("controller.pub", "id_ed25519.pub", 0o644),
        ("known_hosts", "known_hosts", 0o644),
    ):
        shutil.copyfile(keys / source, directory / target)
        (directory / target).chmod(mode)
    (directory / "config").write_text("Host *\n    User admin\n")


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
