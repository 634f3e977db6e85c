#!/usr/bin/python3
"""Makes several directories and files what they should be in one call."""

DOCUMENTATION = r"""
---
module: kinora_files
short_description: Make several directories and files what they should be, in one call
description:
  - A host has dozens of small files. One call for all of a service's costs as much as one file does otherwise.
  - Each file is replaced as a whole. Check mode and diff mode are supported.
author: Kinora
options:
  directories:
    description: Directories, made in this order before the files.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      mode: {description: Permissions., type: raw, default: "0755"}
      owner: {description: Owner., type: str, default: root}
      group: {description: Group., type: str, default: root}
  files:
    description: Files with their content.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Absolute path., type: path, required: true}
      content: {description: Content as text., type: str, required: true}
      mode: {description: Permissions., type: raw, default: "0644"}
      owner: {description: Owner., type: str, default: root}
      group: {description: Group., type: str, default: root}
      validate:
        description: A program and its arguments, C(%s) for a file with the new content, that must end with 0 before the file is replaced. Not asked in check mode.
        type: list
        elements: str
        default: []
  absent:
    description: Files that must not be there.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Write what sshd reads
  kinora_files:
    directories:
      - {path: /etc/ssh/sshd_config.d}
    files:
      - path: /etc/ssh/sshd_config.d/10-kinora.conf
        content: "{{ lookup('ansible.builtin.template', 'sshd.conf.j2') }}"
"""

RETURN = r"""
changed_paths:
  description: What was made, replaced or removed, or would be in check mode.
  type: list
  elements: str
  returned: always
"""

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

ATTRIBUTES = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
}


def apply_attributes(module, entry, changed):
    """Owner, group and mode of what exists."""
    if not os.path.lexists(entry["path"]):
        # Only in check mode, or below a directory that is made only outside of it.
        return changed
    arguments = module.load_file_common_arguments({**module.params, **{key: entry[key] for key in ("path", "owner", "group", "mode")}})
    return module.set_fs_attributes_if_different(arguments, changed, expand=False)


def make_directory(module, entry):
    made = not os.path.isdir(entry["path"])
    if made and not module.check_mode:
        os.makedirs(entry["path"], mode=0o700)
    return apply_attributes(module, entry, made)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def validate(module, entry, temporary):
    """Fails, with what the program says, unless it takes the new content. The temporary file goes with it."""
    if not entry["validate"]:
        return
    code, output, error = module.run_command([temporary if word == "%s" else word for word in entry["validate"]])
    if code != 0:
        os.unlink(temporary)
        said = (error or output).strip().replace(temporary, entry["path"])
        module.fail_json(msg=f"{entry['path']} was left as it was, because the new one would not work: {said}")


def write_file(module, entry, diffs):
    before = read(entry["path"])
    differs = before != entry["content"]
    if differs:
        diffs.append({"before_header": entry["path"], "after_header": entry["path"], "before": before or "", "after": entry["content"]})
    if differs and not module.check_mode:
        parent = os.path.dirname(entry["path"])
        handle, temporary = tempfile.mkstemp(prefix=".kinora-", dir=parent)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(entry["content"])
        validate(module, entry, temporary)
        # Nobody may read a secret, nor find a file that the service cannot read, not even for a moment.
        apply_attributes(module, {**entry, "path": temporary}, True)
        module.atomic_move(temporary, entry["path"])
    return apply_attributes(module, entry, differs)


def main():
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "default": [], "options": {**ATTRIBUTES, "mode": {"type": "raw", "default": "0755"}}},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {**ATTRIBUTES, "content": {"type": "str", "required": True}, "mode": {"type": "raw", "default": "0644"}, "validate": {"type": "list", "elements": "str", "default": []}},
            },
            "absent": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    changed_paths, diffs = [], []
    try:
        for entry in module.params["directories"]:
            if make_directory(module, entry):
                changed_paths.append(entry["path"])
        for entry in module.params["files"]:
            if write_file(module, entry, diffs):
                changed_paths.append(entry["path"])
        for path in module.params["absent"]:
            if os.path.lexists(path):
                changed_paths.append(path)
                if not module.check_mode:
                    os.unlink(path)
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}", changed_paths=changed_paths)
    result = {"changed": bool(changed_paths), "changed_paths": changed_paths}
    if module._diff:
        result["diff"] = diffs
    module.exit_json(**result)


if __name__ == "__main__":
    main()
