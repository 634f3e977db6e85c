"""The keys of a lab: one host key for each server, one key of the controller, all made anew for each lab."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .fleet import Fleet


def make(directory: Path, fleet: Fleet) -> None:
    """Makes the keys that are missing, and the files by which SSH knows the servers."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    servers = [host for host in fleet.hosts if host.kind == "server"]
    names = ["controller", *(host.name for host in servers)]

    def generate(name: str) -> None:
        if not (directory / name).exists():
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(directory / name)]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(generate, names))
    known, config = [], []
    for host in servers:
        key = " ".join((directory / f"{host.name}.pub").read_text().split()[:2])
        known.append(f"{host.name},{host.management},{host.address('management', 'ipv6')} {key}\n")
        config.append(f"Host {host.name}\n    HostName {host.management}\n    HostKeyAlias {host.name}\n")
    (directory / "known_hosts").write_text("".join(known))
    (directory / "ssh_config").write_text(
        "".join(config)
        + "Host *\n    User admin\n    BatchMode yes\n    ConnectTimeout 10\n    LogLevel ERROR\n    StrictHostKeyChecking yes\n"
        + f"    IdentitiesOnly yes\n    IdentityFile {directory}/controller\n    UserKnownHostsFile {directory}/known_hosts\n"
    )
