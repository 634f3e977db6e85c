#!/usr/bin/python3
"""Writes the support bundle on the controller."""

DOCUMENTATION = r"""
---
module: kinora_support_archive
short_description: Write the support bundle
description:
  - One tar archive, compressed with Zstandard, of mode 0600, with a manifest that says what was left out.
  - In check mode nothing is written.
author: Kinora
options:
  path:
    description: The new file. One that is there is not replaced.
    type: path
    required: true
  hosts:
    description: Host → {files, left_out} of the module kinora_support_facts; something else for a host that did not answer.
    type: dict
    required: true
  findings:
    description: What the verb doctor found.
    type: list
    elements: dict
    required: true
  version:
    description: The bundle's version.
    type: str
    required: true
  hours:
    description: How far back logs were gathered.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Write it
  delegate_to: localhost
  kinora_support_archive:
    path: /root/kinora-support.tar.zst
    hosts: "{{ _gathered }}"
    findings: "{{ doctor_found }}"
    version: "0.1.0"
    hours: 24
"""

RETURN = r"""
path:
  description: Where it is; nothing in check mode.
  type: str
  returned: always
files:
  description: How many files are in it.
  type: int
  returned: always
bytes:
  description: Its size.
  type: int
  returned: always
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kinora_archive import pack, write
from ansible.module_utils.kinora_support import findings

EXPLAINS = """Support bundle of a Kinora installation, release {version}, {at}, logs of the last {hours} hours.

Everything that is not recognised was left out, on each host: of log messages all but known words and counts (… stands for what is not there), of settings all but
known keys with numbers and choices. Not in it at all: secrets, certificates, keys, environment, unit files, /etc/hosts, addresses, names of people, logins, e-mail addresses,
file names, titles, and the ids of people, productions and organisations. Hosts have the names of the inventory.

Left out, by host:
"""


def manifest(params, at):
    lines = [EXPLAINS.format(version=params["version"] or "unknown", at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at)), hours=params["hours"])]
    for host, gathered in sorted(params["hosts"].items()):
        lines.append(f"{host}" if "files" in gathered else f"{host}: did not answer, nothing of it is in here")
        lines += [f"  {line}" for line in gathered.get("left_out", [])]
    return "\n".join(lines)


def contents(params, at):
    """{path: text} of the archive."""
    files = {"MANIFEST.txt": manifest(params, at), "doctor.txt": "\n".join(findings(params["findings"], [*params["hosts"], "fleet", "controller"])) or "nothing found"}
    for host, gathered in params["hosts"].items():
        files.update({f"{host}/{name}": text for name, text in gathered.get("files", {}).items()})
    return files


def main():
    arguments = {
        "path": {"type": "path", "required": True}, "hosts": {"type": "dict", "required": True}, "findings": {"type": "list", "elements": "dict", "required": True},
        "version": {"type": "str", "required": True}, "hours": {"type": "int", "required": True},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    at = time.time()
    files = contents(module.params, at)
    data = pack(files, os.path.basename(module.params["path"]).removesuffix(".tar.zst"), at)
    if not module.check_mode:
        try:
            write(module.params["path"], data)
        except OSError as error:
            module.fail_json(msg=f"{module.params['path']} could not be written: {error.strerror}. Another place: -- -e to=PATH")
    module.exit_json(changed=not module.check_mode, path="" if module.check_mode else module.params["path"], files=len(files), bytes=len(data))


if __name__ == "__main__":
    main()
