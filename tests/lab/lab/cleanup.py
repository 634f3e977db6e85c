"""Ends labs and repairs what is left of one that was killed.

Processes, mounts and networks of a lab live in its own namespaces and go with its first process. What can be left
are empty control groups and the directory of its state.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import cgroups, root
from .control import first_process, holding_process
from .paths import HOME, State, all_states
from .problem import Problem
from .progress import Progress

END_SECONDS = 30


def end(state: State) -> bool:
    """Ends a lab and removes everything of it; returns whether it was up."""
    holder = holding_process(state)
    first = first_process(state)
    for process in (first, holder):
        if process:
            _kill(process)
    _wait_until_free(state)
    # A process of ours may have been moved out of the namespaces' reach only by hand; still none is left.
    for process in cgroups.processes(state.unique):
        _kill(process)
    stuck = cgroups.remove(state.unique)
    if stuck:
        raise Problem(f"processes of the lab do not end; control groups left: {', '.join(stuck)}")
    _unmount_below(state.path)
    if state.path.exists():
        shutil.rmtree(state.path)
    return holder is not None


def repair(progress: Progress, also_cache: bool) -> None:
    """Ends every lab of this checkout, whatever state it is in."""
    for state in all_states():
        was_up = end(state)
        progress.say(f"lab {state.name}: {'ended' if was_up else 'was not up; its remains are removed'}")
    if also_cache and HOME.exists():
        _unmount_below(HOME)
        shutil.rmtree(HOME)
        progress.say("cached roots removed")
    else:
        for name in root.remove_unused(set()):
            progress.say(f"root {name} removed: no recipe makes it any more")


def processes_of(state: State) -> set[int]:
    """Every process of a lab."""
    return cgroups.processes(state.unique)


def remains(state: State) -> list[str]:
    """What is left of a lab that should be gone: for tests, and for the cautious."""
    found = [f"process {process}" for process in processes_of(state)]
    found += [f"control group {base}" for base in cgroups.bases(state.unique) if base.exists()]
    found += [f"mount {mount}" for mount in _mounts_below(state.path)]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                mounts = (entry / "mountinfo").read_text()
            except OSError:
                continue
            if str(state.path) + "/" in mounts:
                found.append(f"mount namespace of process {entry.name}")
    return found


def _wait_until_free(state: State) -> None:
    """Waits until the supervisor's lock is free: then its namespaces are going."""
    try:
        lock = open(state.path / "lock", "w", encoding="utf-8")
    except FileNotFoundError:
        return
    with lock:
        until = time.monotonic() + END_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Problem(f"the lab's supervisor does not end within {END_SECONDS} s; see {state.log}") from None
                time.sleep(0.02)


def _mounts_below(path: Path) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{path}/")]


def _unmount_below(path: Path) -> None:
    for point in sorted(_mounts_below(path), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=False)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
