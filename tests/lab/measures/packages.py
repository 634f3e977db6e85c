"""The life of our packages on a host that has none: install, the same again, upgrade, back, remove, purge, install again.

Nothing is enabled or started by an install, an upgrade leaves what runs running, and whatever a studio has (settings,
credentials, media) is as it was after each step, also after a purge.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from lab import install
from lab.problem import Problem

from . import canary
from .figures import Figure, Options
from .hosts import Lab

SECTION = "packages"
SCRIPT = Path(__file__).with_name("package_life.sh")
DIRECTORY = "/root/package-life"
SECONDS = 300
# Package → the closure it is in.
PACKAGES = {"kinora-application": "application", "kinora-backend": "backend", "kinora-worker": "worker", "kinoractl": "operator"}
# Runs on the controller, in the unpacked bundle: all .debs of a closure as one tar.
PACK = 'cd "$1" && tar -c -C debian $(cat "closures/$2.txt")'
UNPACK = 'rm -rf "$1" && mkdir "$1" && tar -x -C "$1"'


def measure(lab: Lab, options: Options) -> Iterable[Figure]:
    host = canary.CLIENT
    unpacked = str(install.on_controller(lab.control).tar).removesuffix(".tar")
    for package, closure in PACKAGES.items():
        lab.pipe(("control", ["sh", "-c", PACK, "pack", unpacked, closure]), (host, ["sh", "-c", UNPACK, "unpack", DIRECTORY]))
        yield _life(lab, host, package)
    # The client is what canaries fly from.
    canary.prepare(lab)


def _life(lab: Lab, host: str, package: str) -> Figure:
    result = lab.exec(host, ["sh", "-s", package, DIRECTORY], SECONDS, SCRIPT.read_text(encoding="utf-8"))
    *wrong, last = (result.output or result.error).strip().splitlines() or ["it said nothing"]
    well = re.fullmatch(r"ok (\d+)", last)
    if not well:
        raise Problem("\n".join([f"the life of {package} on {host} ended with {result.code}", *wrong, last, result.error.strip()[-600:]]))
    count = int(well[1])
    what = f"{package}: install, the same again, upgrade, back, remove, purge, install again: as it should be"
    return Figure(SECTION, what, f"{count} of {count + len(wrong)}", "all", not wrong and count > 0, "make lab-test ONLY=packages", wrong)
