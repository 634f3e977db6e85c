"""The modules of module_utils, as Ansible's modules import them."""

import importlib

import ansible.module_utils
from inventories import ANSIBLE

if str(ANSIBLE / "module_utils") not in ansible.module_utils.__path__:
    ansible.module_utils.__path__.append(str(ANSIBLE / "module_utils"))


def load_unit(name):
    return importlib.import_module(f"ansible.module_utils.{name}")
