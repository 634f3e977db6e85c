"""Installs the fleet from the bundle, the way a studio's operator does it: nothing but the bundle, the release's
signers, the inventory and SSH reaches the hosts.

1. `make bundle` on this machine, or a bundle that was built before;
2. it goes to the controller, which has no way to the internet, is checked against the signers and unpacked;
3. its own `install` runs there.
"""

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .control import Lab
from .paths import PROJECT
from .problem import Problem
from .progress import Progress

# On the controller.
HOME = "/root/kinora"
INVENTORY = f"{HOME}/inventory"

COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# What an operator does once after the first install: without it no verb goes on. Here nobody keeps anything.
COPIES_KEPT = 'test ! -d "$1/group_vars/all" || echo "nobody: a lab" > "$1/copies-kept"'

# The signature counts only with the signers that came apart from the bundle; an unchanged one is not unpacked again.
UNPACK = r"""
set -eu
cd "$1"
ssh-keygen -q -Y verify -f allowed_signers -I release@kinora -n kinora-bundle -s "$2.sig" < "$2"
if ! [ -d "${2%.tar}" ] || ! cmp -s "$2.sig" unpacked.sig; then
    rm -rf unpacked.sig "${2%.tar}"
    tar -xf "$2"
    cp "$2.sig" unpacked.sig
fi
"""


@dataclass
class Bundle:
    """The file an operator is sent, and the signers he has from elsewhere."""

    tar: Path
    signers: Path

    @property
    def signature(self) -> Path:
        return self.tar.with_name(self.tar.name + ".sig")


def run(lab: Lab, inventory: Path, bundle: Path | None, progress: Progress) -> int:
    """Installs; returns the exit code of the step that failed, or 0."""
    began = progress.seconds()
    found = obtain(bundle, progress)
    progress.say(f"{found.tar.name}: {found.tar.stat().st_size / 1e6:.0f} MB ({progress.seconds() - began:.0f} s)")

    began = progress.seconds()
    copy_to_controller(lab, found, inventory)
    progress.say(f"bundle and inventory are on the controller, checked and unpacked ({progress.seconds() - began:.0f} s)")

    began = progress.seconds()
    code = run_verb(lab, found, "site")
    if code == 0:
        progress.say(f"installed from the controller ({progress.seconds() - began:.0f} s)")
    else:
        progress.warn("the install failed, see above; the lab stays up for a look: `make lab-shell HOST=control`")
    return code


def obtain(tar: Path | None, progress: Progress) -> Bundle:
    """The bundle that is given, that of this tree where it was built before, or one built now."""
    return existing(tar) if tar else _of_this_tree() or _build(progress)


def _of_this_tree() -> Bundle | None:
    """What is the same is called the same (packaging/version): a tree in which nothing changed has its bundle already."""
    version = subprocess.run([PROJECT / "packaging/version"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        return existing(_directory() / f"kinora-{version}.tar")
    except Problem:
        return None


def _directory() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR") or PROJECT / "target") / "bundle"


def on_controller(lab: Lab) -> Bundle:
    """The bundle that the controller has unpacked; as a file it is only there."""
    found = lab.run("control", "sh", "-c", f"ls -dt {HOME}/kinora-*/VERSION | head -n 1").stdout.strip()
    if not found:
        raise Problem("the controller has no unpacked bundle; `up --install` brings one")
    return Bundle(Path(f"{Path(found).parent}.tar"), Path(HOME) / "allowed_signers")


def verb_command(bundle: Bundle, verb: str, *arguments: str) -> list[str]:
    """What an operator types on the controller; a verb may bring options of `install` itself (`restore --bare`), arguments are Ansible's."""
    command = [f"{HOME}/{bundle.tar.stem}/install", *verb.split(), "--signers", f"{HOME}/allowed_signers", "--inventory", INVENTORY]
    return [*command, "--", *arguments] if arguments else command


def log_of(lab: Lab, verb: str) -> Path:
    """What a verb said when it ran last. Has one-time passwords in it, so it is root's, and goes with the lab."""
    return lab.state.path / f"{verb.split()[0]}.log"


def run_verb(lab: Lab, bundle: Bundle, verb: str, *arguments: str, show: Callable[[str], None] | None = None) -> int:
    """Runs a verb of the bundle on the controller. Its lines go to `show`, else to the terminal, and to its log."""
    lab.run("control", "sh", "-c", COPIES_KEPT, "kept", INVENTORY)
    colours = show is None and sys.stdout.isatty()
    command = lab.on("control", ["env", f"ANSIBLE_FORCE_COLOR={int(colours)}", *verb_command(bundle, verb, *arguments)])
    show = show or (lambda line: print(line, flush=True))
    opener = functools.partial(os.open, mode=0o600)
    with (
        open(log_of(lab, verb), "w", encoding="utf-8", opener=opener) as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process,
    ):
        try:
            for line in process.stdout:
                log.write(COLOUR.sub("", line))
                log.flush()
                show(line.rstrip("\n"))
        except BaseException:
            # Nobody waits for it any more.
            process.kill()
            raise
    return process.returncode


def _build(progress: Progress) -> Bundle:
    progress.say("make bundle")
    # Should we be killed, the build shall not go on without anyone to use it.
    build = ["setpriv", "--pdeathsig", "TERM", "make", "-C", str(PROJECT), "--no-print-directory", "bundle"]
    if subprocess.call(build) != 0:
        raise Problem("`make bundle` failed, see above")
    tars = sorted(_directory().glob("kinora-*.tar"), key=lambda path: path.stat().st_mtime)
    if not tars:
        raise Problem(f"`make bundle` left no kinora-*.tar in {_directory()}")
    return existing(tars[-1])


def existing(tar: Path) -> Bundle:
    """The bundle in a file, with what must lie beside it."""
    bundle = Bundle(tar, tar.with_name("allowed_signers"))
    for file in (bundle.tar, bundle.signature, bundle.signers):
        if not file.is_file():
            raise Problem(f"{file} is missing; a bundle lies beside its signature and the allowed_signers file")
    return bundle


def copy_to_controller(lab: Lab, bundle: Bundle, inventory: Path) -> None:
    """Bundle, signature, signers and inventory; the controller checks the signature before it unpacks."""
    # The signature is over the whole file, so the same signature means the same file.
    present = lab.run("control", "cat", f"{HOME}/{bundle.signature.name}", check=False).stdout
    if present != bundle.signature.read_text() or not _same_size(lab, bundle):
        lab.push("control", bundle.tar, HOME)
    for file in (bundle.signature, bundle.signers):
        lab.push("control", file, HOME)
    copy_inventory(lab, inventory)
    result = lab.run("control", "sh", "-c", UNPACK, "unpack", HOME, bundle.tar.name, check=False)
    if result.returncode != 0:
        raise Problem(f"the controller refuses the bundle: {result.stderr.strip() or result.stdout.strip()}")


def copy_inventory(lab: Lab, inventory: Path) -> None:
    # What the install writes beside these on the controller (secrets) stays.
    if inventory.name == "hosts.yml":
        for file in sorted(inventory.parent.iterdir()):
            lab.push("control", file, INVENTORY)
    else:
        lab.push("control", inventory, INVENTORY)
        lab.run("control", "mv", f"{INVENTORY}/{inventory.name}", f"{INVENTORY}/hosts.yml")


def _same_size(lab: Lab, bundle: Bundle) -> bool:
    seen = lab.run("control", "stat", "-c", "%s", f"{HOME}/{bundle.tar.name}", check=False)
    return seen.stdout.strip() == str(bundle.tar.stat().st_size)
