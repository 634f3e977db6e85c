#!/usr/bin/env python3
"""What a verb costs the people who work meanwhile.

    tests/lab/effect.py [--name LAB] VERB [-- ARGUMENTS FOR ansible-playbook]
    tests/lab/effect.py [--name LAB] --command 'COMMAND OF THIS MACHINE'

Signs in from the client through the public address, then begins a read each 100 ms and a write each second, each over a
connection of its own, while the verb runs in the unpacked bundle on the controller. Says how many failed, how the slowest
went, and the longest time in which none succeeded. The lab must be installed; its administrator gets a password at the first use.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import install  # noqa: E402
from lab.problem import Problem  # noqa: E402
from measures import canary  # noqa: E402
from measures.hosts import Lab  # noqa: E402

PEOPLE = Path(__file__).resolve().parent / "effect_people.py"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/lab/effect.py", description="Counts what people notice while a verb runs.")
    parser.add_argument("--name", default="lab", help="which lab")
    parser.add_argument("--command", help="a command of this machine instead of a verb")
    parser.add_argument("verb", nargs="?")
    parser.add_argument("arguments", nargs="*", help="for ansible-playbook, after --")
    options = parser.parse_args()
    if bool(options.verb) == bool(options.command):
        parser.error("give a verb, or --command")
    try:
        lab = Lab(options.name)
        code, seconds, said = watch(lab, lambda: run(lab, options))
    except Problem as problem:
        print(f"effect: {problem}", file=sys.stderr)
        return 1
    print(f"\n{options.verb or options.command} ended with {code} after {seconds:.0f} s")
    for line in said:
        print(line)
    return code


def run(lab: Lab, options: argparse.Namespace) -> int:
    if options.command:
        return subprocess.call(options.command, shell=True)
    unpacked = lab.exec("control", f"ls -d {install.HOME}/kinora-*/ | tail -n 1").output.strip().rstrip("/")
    command = ["ansible-playbook", "--inventory", install.INVENTORY, f"{unpacked}/ansible/playbooks/{options.verb}.yml", *options.arguments]
    environment = ["env", "-C", f"{unpacked}/ansible", "PYTHONDONTWRITEBYTECODE=1", *command]
    return subprocess.call(lab.control.on("control", environment), stdin=subprocess.DEVNULL)


def watch(lab: Lab, work) -> tuple[int, float, list[str]]:
    """Runs `work` while people read and write; its outcome, its seconds, and lines about theirs."""
    password = canary.password(lab)
    order = {"authorities": canary.AUTHORITIES, "url": canary.url(lab), "login": canary.login(lab), "password": password}
    lab.push(canary.CLIENT, PEOPLE, "/root")
    people = subprocess.Popen(
        lab.control.on(canary.CLIENT, ["python3", f"/root/{PEOPLE.name}"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    people.stdin.write(json.dumps(order) + "\n")
    people.stdin.flush()
    if people.stdout.readline().strip() != "working":
        raise Problem("nobody could sign in before the verb began, see above")
    began = time.monotonic()
    try:
        code = work()
    finally:
        seconds = time.monotonic() - began
        # End of file: they finish what they began, and tell.
        people.stdin.close()
        said = people.stdout.read().splitlines()
        people.wait()
    return code, seconds, said


if __name__ == "__main__":
    sys.exit(main())
