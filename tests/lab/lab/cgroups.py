"""Control groups of a lab: one for each host, in every hierarchy systemd-nspawn uses on this machine.

Without its own group, two hosts' systems would believe they own the same one and end each other's services.
Groups outlive the processes in them, so they are removed when a lab ends.
"""

import os
import time
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")


def is_unified() -> bool:
    """Whether this machine has only cgroup v2, as a Debian booted by systemd does."""
    return (MOUNT / "cgroup.controllers").exists()


def bases(unique: str) -> list[Path]:
    """The lab's group in each hierarchy."""
    if is_unified():
        # Made by `systemd-run --scope` with delegation where systemd runs the machine.
        scope = MOUNT / "system.slice" / f"{unique}.scope"
        return [scope if scope.exists() else MOUNT / unique]
    return [MOUNT / hierarchy / unique for hierarchy in ("unified", "systemd", "memory") if (MOUNT / hierarchy).is_dir()]


def make(unique: str, host: str) -> list[Path]:
    """Makes a host's groups; a process joins by writing its number to their `cgroup.procs`."""
    result = []
    for base in bases(unique):
        path = base / host
        path.mkdir(parents=True, exist_ok=True)
        result.append(path)
    return result


def processes(unique: str) -> set[int]:
    """All processes in the lab's groups, as this process numbers them."""
    found: set[int] = set()
    for base in bases(unique):
        for directory, _, _ in os.walk(base):
            try:
                found.update(int(line) for line in (Path(directory) / "cgroup.procs").read_text().split())
            except OSError:
                continue
    found.discard(0)
    return found


def remove(unique: str, deadline_seconds: float = 20) -> list[str]:
    """Removes the lab's groups; returns those that would not go because something still runs in them."""
    until = time.monotonic() + deadline_seconds
    while True:
        stuck = []
        for base in bases(unique):
            for directory, _, _ in os.walk(base, topdown=False):
                try:
                    os.rmdir(directory)
                except FileNotFoundError:
                    pass
                except OSError:
                    stuck.append(directory)
        if not stuck or time.monotonic() > until:
            return stuck
        time.sleep(0.05)


def memory_bytes(unique: str) -> int | None:
    """Memory that belongs to the lab's processes, without the page cache; nothing where it is not counted."""
    if is_unified():
        files, fields = [base / "memory.stat" for base in bases(unique)], ("anon", "shmem", "kernel")
    else:
        files, fields = [MOUNT / "memory" / unique / "memory.stat"], ("total_rss", "total_shmem")
    total = 0
    for file in files:
        try:
            statistics = dict(line.split() for line in file.read_text().splitlines())
        except OSError:
            return None
        total += sum(int(statistics.get(field, 0)) for field in fields)
    return total
