#!/usr/bin/python3
"""Says which of a host's packages are not those of the bundle."""

DOCUMENTATION = r"""
---
module: kinora_packages
short_description: Say which of a host's installed packages are not those of the bundle
description:
  - Compares what is installed with the bundle's packages on the host, which C(/etc/apt/sources.list.d/kinora.sources) names. Changes nothing.
  - What is not installed is left alone, and so is what is installed newer than the bundle has it, unless O(back) says otherwise.
author: Kinora
options:
  names:
    description: Names of packages; C(*) and C(?) stand for any characters.
    type: list
    elements: str
    required: true
  but:
    description: Names of packages, in the same form, that are left out.
    type: list
    elements: str
    default: []
  back:
    description: Whether what is newer than in the bundle is to become older.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: See what RabbitMQ gets
  kinora_packages:
    names: [rabbitmq-server, erlang-*]
  register: pending
"""

RETURN = r"""
pending:
  description: C(NAME=VERSION) of each package that is to be changed, as apt takes it.
  type: list
  elements: str
  returned: always
installed:
  description: Name and version of each installed package that was asked for.
  type: dict
  returned: always
"""

import fnmatch
import re

from ansible.module_utils.basic import AnsibleModule

SOURCE = "/etc/apt/sources.list.d/kinora.sources"


def offered(index):
    """Name → version of the packages in an index of apt's."""
    found = {}
    for paragraph in index.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version): (.+)$", paragraph, re.MULTILINE))
        if len(fields) == 2:
            found[fields["Package"]] = fields["Version"]
    return found


def installed(output):
    """Name → version of what dpkg-query says is installed."""
    lines = [line.split(" ") for line in output.splitlines()]
    return {line[1]: line[2] for line in lines if len(line) == 3 and line[0] == "installed"}


def chosen(name, names, but):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in names) and not any(fnmatch.fnmatchcase(name, pattern) for pattern in but)


def pending(has, gets, back, compare):
    """What is to be changed: `compare` gives a number below, at or above 0, as Debian orders versions."""
    found = []
    for name, version in sorted(has.items()):
        if name in gets:
            order = compare(version, gets[name])
            if order < 0 or (back and order > 0):
                found.append(f"{name}={gets[name]}")
    return found


def main():
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "but": {"type": "list", "elements": "str", "default": []},
            "back": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    import apt_pkg

    apt_pkg.init_system()
    try:
        with open(SOURCE, encoding="utf-8") as file:
            directory = re.search(r"^URIs: file:(.+)$", file.read(), re.MULTILINE)[1]
        with open(f"{directory}/Packages", encoding="utf-8") as file:
            gets = offered(file.read())
    except (OSError, TypeError) as error:
        module.fail_json(msg=f"the bundle's packages are not on this host: {error}")
    query = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package} ${Version}\\n"]
    code, output, error = module.run_command(query, check_rc=False)
    if code != 0:
        module.fail_json(msg=f"dpkg-query: {error}")
    has = {name: version for name, version in installed(output).items() if chosen(name, module.params["names"], module.params["but"])}
    module.exit_json(changed=False, pending=pending(has, gets, module.params["back"], apt_pkg.version_compare), installed=has)


if __name__ == "__main__":
    main()
