#!/usr/bin/python3
"""Says with which addresses units may speak, and lets running ones do so at once."""

DOCUMENTATION = r"""
---
module: kinora_unit_peers
short_description: Say with which addresses units may speak
description:
  - Writes IPAddressAllow= of each unit into a drop-in of its own, over the sandbox that denies all addresses.
  - A unit that runs takes a change up at once. It is not restarted, so that a new host among its peers costs nobody anything.
author: Kinora
options:
  units:
    description: Unit to the addresses it may speak with.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Let etcd speak with its peers
  kinora_unit_peers:
    units:
      etcd.service: "{{ kinora_fleet | kinora_unit_addresses(accepts=['etcd-client', 'etcd-peer'], opens=['etcd-peer']) }}"
"""

RETURN = r"""
changed_units:
  description: Units whose peers were changed, or would be in check mode.
  type: list
  elements: str
  returned: always
"""

import os

from ansible.module_utils.basic import AnsibleModule

UNITS = "/etc/systemd/system"
TEXT = "# Kept by Ansible: with whom this unit may speak.\n[Service]\nIPAddressAllow={addresses}\n"


def write(module, unit, addresses):
    """Whether the unit's drop-in is another one now."""
    directory = f"{UNITS}/{unit}.d"
    path = f"{directory}/30-kinora-peers.conf"
    text = TEXT.format(addresses=" ".join(addresses))
    try:
        with open(path, encoding="utf-8") as file:
            before = file.read()
    except FileNotFoundError:
        before = ""
    if before == text:
        return None
    if not module.check_mode:
        os.makedirs(directory, mode=0o755, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{path}.new", 0o644)
        os.replace(f"{path}.new", path)
    return {"before_header": path, "after_header": path, "before": before, "after": text}


def take_up(module, units):
    module.run_command(["systemctl", "daemon-reload"], check_rc=True)
    for unit in units:
        active, _, _ = module.run_command(["systemctl", "--quiet", "is-active", unit])
        if active == 0:
            # Reloading alone leaves the filter of a running unit as it was; setting what is set already makes it anew.
            module.run_command(["systemctl", "set-property", "--runtime", unit, "IPAddressDeny=any"], check_rc=True)


def main():
    module = AnsibleModule(argument_spec={"units": {"type": "dict", "required": True}}, supports_check_mode=True)
    diffs = {}
    try:
        for unit, addresses in module.params["units"].items():
            diff = write(module, unit, addresses)
            if diff:
                diffs[unit] = diff
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")
    if diffs and not module.check_mode:
        take_up(module, diffs)
    result = {"changed": bool(diffs), "changed_units": list(diffs)}
    if module._diff:
        result["diff"] = list(diffs.values())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
