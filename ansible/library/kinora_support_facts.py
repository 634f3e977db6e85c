#!/usr/bin/python3
"""Gathers what one host gives into a support bundle, without secrets and personal data. Changes nothing."""

DOCUMENTATION = r"""
---
module: kinora_support_facts
short_description: Gather what one host gives into a support bundle
description:
  - Everything is left out but what is recognised, and that happens on the host.
  - Changes nothing, in check mode or not.
author: Kinora
options:
  wanted:
    description: What the inventory says of this host, as the filter kinora_doctor_questions makes it.
    type: dict
    required: true
  facts:
    description: What the module kinora_doctor_facts found on this host.
    type: dict
    required: true
  hosts:
    description: Names of the inventory's hosts, which may stay in messages.
    type: list
    elements: str
    required: true
  hours:
    description: How far back logs are gathered.
    type: int
    default: 24
  limit:
    description: Most bytes of logs.
    type: int
    default: 1000000
"""

EXAMPLES = r"""
- name: Gather
  kinora_support_facts:
    wanted: "{{ kinora_fleet | kinora_doctor_questions(inventory_hostname, _given) }}"
    facts: "{{ doctor_answer.facts }}"
    hosts: "{{ groups['all'] }}"
"""

RETURN = r"""
files:
  description: Name of a file → its text.
  type: dict
  returned: always
left_out:
  description: What was left out, in words.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.kinora_support import collect, read_all


def main():
    arguments = {
        "wanted": {"type": "dict", "required": True}, "facts": {"type": "dict", "required": True}, "hosts": {"type": "list", "elements": "str", "required": True},
        "hours": {"type": "int", "default": 24}, "limit": {"type": "int", "default": 1000000},
    }
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    asked = module.params
    files, left = collect(read_all(asked["wanted"], asked["hours"]), asked["facts"], asked["hosts"], asked["limit"])
    module.exit_json(changed=False, files=files, left_out=left)


if __name__ == "__main__":
    main()
