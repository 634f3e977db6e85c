"""What runs on which host, from the same sources that the playbooks and docs/operations/roles.md use."""

import sys
from functools import cache
from types import ModuleType

from lab.fleet import Host
from lab.paths import PROJECT

from .hosts import Lab

ANSIBLE = PROJECT / "ansible"


def started_units(host: Host) -> list[str]:
    """Units that the roles of a host start, as roles.md lists them."""
    page, kinora = _module("tests", "roles_page"), _module("filter_plugins", "kinora")
    roles = [*kinora.EVERY_HOST_ROLES, *(role for group in host.groups if group in kinora.GROUP_ROLES for role in kinora.GROUP_ROLES[group])]
    return list(dict.fromkeys(unit for role in roles for unit in page.units_of(role)))


def fleet_of(lab: Lab) -> dict:
    """As much of `kinora_fleet` as units and reports depend on."""
    kinora = _module("filter_plugins", "kinora")
    addresses = {
        host.name: {cable.zone: {"ipv4": cable.ipv4.split("/")[0], "ipv6": cable.ipv6.split("/")[0]} for cable in host.interfaces}
        for host in lab.servers
    }
    groups = {group: lab.members(group) for group in kinora.GROUPS}
    return kinora.fleet(addresses, groups, [])


def needed_units(lab: Lab, host: Host) -> list[str]:
    """Units that the verb `status` wants active on a host."""
    return _module("filter_plugins", "kinora_status").host_units(fleet_of(lab), host.name)


def backend_name(host: str) -> str:
    """A host's name in the backend zone, as certificates have it."""
    return f"{host}.backend.kinora.internal"


@cache
def _module(folder: str, name: str) -> ModuleType:
    sys.path.insert(0, str(ANSIBLE / folder))
    try:
        return __import__(name)
    finally:
        sys.path.pop(0)
