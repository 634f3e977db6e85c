"""The verb `add-host`: an application and worker more, one host with a line in each of the two groups; and out of the inventory again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lab import install
from lab.fleet import Fleet
from lab.problem import Problem

from .figures import Figure, Options
from .finding import well
from .hosts import Lab
from .install import again, run
from .verb import SECTION, at_noon

NAME = "more"
ROLES = ("applications", "workers")
# The last part of its address in each zone.
NUMBER = 77
LAB = Path(__file__).resolve().parents[1] / "lab.py"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    if options.inventory is None:
        raise Problem("a host is added to an inventory")
    bundle = install.on_controller(lab.control)
    well(lab)
    larger = lab.control.state.path / "one-more.yml"
    larger.write_text(json.dumps(with_one_more(options.inventory, lab.fleet)))
    try:
        reread(lab, larger)
        lab = Lab(lab.name)
        install.copy_inventory(lab.control, larger)
        yield from at_noon(lab, options, "add-host", "-e", f"host={NAME}")
        # As docs/operations/add-host.md says it.
        run(lab, bundle, options.say, "drain", "-e", f"host={NAME}")
    finally:
        install.copy_inventory(lab.control, options.inventory)
        reread(lab, options.inventory)
    lab = Lab(lab.name)
    options.say(f"{NAME} is taken out again")
    run(lab, bundle, options.say, "site")
    well(lab)
    yield again(lab, bundle, options, f"`add-host` undone: second run of `site` without {NAME}", section=SECTION)


def with_one_more(inventory: Path, fleet: Fleet) -> dict:
    """The inventory with a host that has a line in each of ROLES, and an address in each zone that those hosts have."""
    import yaml

    everything = yaml.safe_load(inventory.read_text(encoding="utf-8"))
    likes = [next(host for host in fleet.hosts if role in host.groups) for role in ROLES]
    zones = dict.fromkeys(cable.zone for like in likes for cable in like.interfaces)
    addresses = {}
    for zone in zones:
        ipv4, ipv6 = (address.split("/")[0] for address in fleet.zone(zone).at(NUMBER))
        addresses[zone] = {"ipv4": ipv4, "ipv6": ipv6}
    everything["all"]["hosts"][NAME] = {"ansible_host": addresses["management"]["ipv4"], "kinora_addresses": addresses}
    for role in ROLES:
        everything["all"]["children"][role]["hosts"][NAME] = None
    return everything


def reread(lab: Lab, inventory: Path) -> None:
    """Hosts that came into the inventory are booted, bare; those that went out of it are thrown away."""
    command = [sys.executable, "-B", str(LAB), "--name", lab.name, "up", "--inventory", str(inventory)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Problem(f"{' '.join(command)}: {done.stdout.strip()[-600:]}")
