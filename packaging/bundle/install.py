#!/usr/bin/python3
"""Installs Kinora from this bundle onto the hosts of an inventory.

Checks the bundle as a whole first; nothing is touched before. Then installs Ansible from the bundle on this machine
(the controller), if it is not there, and runs a playbook.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The verifier must not leave files in what it verifies.
sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent
# Verbs that change nothing, and so disturb none that does.
LOOKS_ONLY = ("preflight", "status", "doctor", "support-bundle")
# Beside hosts.yml: who keeps copies of the secrets, and where.
COPIES = "copies-kept"
sys.path.insert(0, str(ROOT / "lib"))

import manifest  # noqa: E402


def say(text: str) -> None:
    print(f"install: {text}", flush=True)


def verbs() -> list[str]:
    return sorted(path.stem for path in (ROOT / "ansible" / "playbooks").glob("*.yml") if path.stem not in ("prepare", "restore-bare", "upgrade-databases"))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Installs Kinora from this bundle onto the hosts of an inventory.")
    # No default: a word that was forgotten must not change a fleet.
    parser.add_argument("verb", help=f"what to do: {', '.join(verbs())}, or verify (looks at the bundle alone)")
    parser.add_argument("--signers", type=Path, required=True, help="file of allowed signers (ssh-keygen), which came to you apart from the bundle")
    parser.add_argument("--inventory", type=Path, help="directory with hosts.yml; examples: ansible/inventories/")
    parser.add_argument("--to", help="restore: the instant, in UTC or with its zone: '2026-11-21 14:03:27'")
    parser.add_argument("--bare", action="store_true", help="restore: rebuild everything on empty hosts from the repository, to its end")
    parser.add_argument("ansible", nargs="*", help="what follows -- goes to ansible-playbook")
    return parser.parse_args()


def hold(inventory: Path) -> bool:
    """Keeps other verbs from this inventory until the playbook ends; says no where one runs already."""
    descriptor = os.open(inventory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    # ansible-playbook, which this process becomes, goes on holding it.
    os.set_inheritable(descriptor, True)
    return True


def copies_problem(inventory: Path) -> str:
    """What to do where nobody has said that the secrets are kept elsewhere, too; nothing where somebody has, or there are none yet."""
    vault, said = inventory / "group_vars" / "all" / "vault.yml", inventory / COPIES
    if not vault.is_file() or (said.is_file() and said.read_text(encoding="utf-8").strip()):
        return ""
    return (
        f"{vault} holds the master key of all media, the passphrase of the backups and the keys of the authority; its password opens it.\n"
        "  Without both nobody can read the media or a backup again. Keep a copy of each, apart from each other and from these servers:\n"
        f"  docs/operations/keys.md. Then write who keeps them, and where, into {said}. This is asked once."
    )


def install_ansible() -> None:
    """Installs the controller's packages from the bundle; the machine's own apt sources are not asked."""
    if shutil.which("ansible-playbook"):
        return
    say("installing Ansible on this machine from the bundle")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    with tempfile.TemporaryDirectory(prefix="kinora-apt-") as directory:
        scratch = Path(directory)
        scratch.chmod(0o755)
        (scratch / "lists").mkdir()
        source = scratch / "bundle.list"
        # Trusted, because the whole bundle's signature was checked a moment ago.
        source.write_text(f"deb [trusted=yes] file:{ROOT}/debian ./\n", encoding="utf-8")
        options = [
            f"-oDir::Etc::sourcelist={source}", "-oDir::Etc::sourceparts=-", f"-oDir::State::lists={scratch}/lists",
            "-oAPT::Install-Recommends=false", "-oAPT::Sandbox::User=root",
        ]
        packages = (ROOT / "closures" / "controller.packages").read_text(encoding="utf-8").split()
        subprocess.run([*sudo, "apt-get", *options, "-q", "update"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*sudo, "apt-get", *options, "-qq", "-y", "install", *packages], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def main() -> int:
    arguments = parse()
    try:
        count = manifest.verify(ROOT, arguments.signers)
    except manifest.BundleError as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    say(f"Kinora {version}: {count} files, as signed")
    if arguments.verb == "verify":
        return 0
    if arguments.verb not in verbs():
        print(f"install: there is no '{arguments.verb}'; there are {', '.join(verbs())}", file=sys.stderr)
        return 2
    if (arguments.to or arguments.bare) and arguments.verb != "restore":
        print("install: --to and --bare belong to restore", file=sys.stderr)
        return 2
    if arguments.inventory is None or not (arguments.inventory / "hosts.yml").is_file():
        print(f"install: --inventory must name a directory with hosts.yml; start from {ROOT}/ansible/inventories/", file=sys.stderr)
        return 2
    if arguments.verb not in LOOKS_ONLY and (problem := copies_problem(arguments.inventory)):
        print(f"install: {problem}", file=sys.stderr)
        return 1
    if arguments.verb not in LOOKS_ONLY and not hold(arguments.inventory):
        print(f"install: another verb is at work on {arguments.inventory}; wait for its end, `fuser -v {arguments.inventory}` says whose it is", file=sys.stderr)
        return 1
    install_ansible()
    extra = ["--extra-vars", json.dumps({"to": arguments.to})] if arguments.to else []
    command = [
        "ansible-playbook", "--inventory", str(arguments.inventory.resolve()),
        str(ROOT / "ansible" / "playbooks" / f"{arguments.verb}{'-bare' if arguments.bare else ''}.yml"), *extra, *arguments.ansible,
    ]
    # Bytecode would be a file that does not belong to the bundle.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.chdir(ROOT / "ansible")
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
