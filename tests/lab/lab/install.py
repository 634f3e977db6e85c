"""Installs the fleet from the bundle, the way a studio's operator does it: nothing but the bundle, the inventory and
SSH reaches the hosts.

1. `make bundle` on this machine;
2. bundle and inventory go to the controller, which has no way to the internet;
3. the bundle's own install entry runs there.
"""

import shlex
import subprocess
from pathlib import Path

from .control import Lab
from .fleet import Fleet
from .paths import PROJECT
from .problem import Problem
from .progress import Progress

# Where `make bundle` leaves its result, and the command in it that installs.
BUNDLE = PROJECT / "target/bundle"
ENTRY = "install"
# On the controller.
DIRECTORY = "/root/kinora"


def run(lab: Lab, inventory: Path, fleet: Fleet, progress: Progress) -> int:
    """Installs; returns the exit code of the first step that failed, or 0."""
    for step in (build_bundle, copy_to_controller, install):
        began = progress.seconds()
        code = step(lab, inventory, progress)
        if code:
            progress.warn(f"{step.__doc__.splitlines()[0]} failed; the lab stays up for a look")
            return code
        progress.say(f"{step.__doc__.splitlines()[0]} ({progress.seconds() - began:.0f} s)")
    return 0


def build_bundle(lab: Lab, inventory: Path, progress: Progress) -> int:
    """Bundle built"""
    return subprocess.call(["make", "-C", str(PROJECT), "--no-print-directory", "bundle"])


def copy_to_controller(lab: Lab, inventory: Path, progress: Progress) -> int:
    """Bundle and inventory are on the controller"""
    for file in bundle_files():
        lab.push("control", file, f"{DIRECTORY}/bundle")
    lab.push("control", inventory.parent, f"{DIRECTORY}/inventories")
    return 0


def install(lab: Lab, inventory: Path, progress: Progress) -> int:
    """Installed from the controller by SSH"""
    path = f"{DIRECTORY}/inventories/{inventory.parent.name}/{inventory.name}"
    line = f"cd {DIRECTORY}/bundle && ./{ENTRY} --inventory {shlex.quote(path)}"
    return subprocess.call(lab.on("control", ["sh", "-c", line]))


def bundle_files() -> list[Path]:
    """What an operator would carry to the controller."""
    files = sorted(BUNDLE.glob("*")) if BUNDLE.is_dir() else []
    if not files:
        raise Problem(f"`make bundle` left nothing in {BUNDLE}")
    return files
