#!/usr/bin/python3
"""Asks a host about everything the verb doctor judges. Changes nothing."""

DOCUMENTATION = r"""
---
module: kinora_doctor_facts
short_description: Ask a host about everything the verb doctor judges
description:
  - Each area is asked at the same time as the others, and each has an end.
  - Changes nothing, in check mode or not. Secrets do not leave the host; a keyed hash with a key of this run says whether two hosts have the same.
author: Kinora
options:
  wanted:
    description: What the inventory says of this host, as the filter kinora_doctor_questions makes it.
    type: dict
    required: true
  salt:
    description: The key of this run for the keyed hashes of secrets.
    type: str
    required: true
  seconds:
    description: What has not answered by then is told as such.
    type: int
    default: 22
"""

EXAMPLES = r"""
- name: Ask the host
  kinora_doctor_facts:
    wanted: "{{ kinora_fleet | kinora_doctor_questions(inventory_hostname, _given) }}"
    salt: "{{ doctor_salt }}"
"""

RETURN = r"""
facts:
  description: Area → what was found, or {error} where it could not be asked; nothing for what the host does not have.
  type: dict
  returned: always
"""

from ansible.module_utils import kinora_facts_engines, kinora_facts_host, kinora_facts_units
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kinora_facts_run import gather


def main():
    arguments = {"wanted": {"type": "dict", "required": True}, "salt": {"type": "str", "required": True, "no_log": True}, "seconds": {"type": "int", "default": 22}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    wanted = {**module.params["wanted"], "salt": module.params["salt"]}
    sections = {**kinora_facts_host.SECTIONS, **kinora_facts_units.SECTIONS, **kinora_facts_engines.SECTIONS}
    facts = gather({name: (lambda ask=ask: ask(wanted)) for name, ask in sections.items()}, module.params["seconds"])
    module.exit_json(changed=False, facts=facts)


if __name__ == "__main__":
    main()
