"""The example inventories, read without Ansible: what tests and the firewall check work on."""

import importlib.util
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
ANSIBLE = HERE.parent
RULES = ANSIBLE.parent / "nftables"
NAMES = ("single", "compact", "full")


def load(name, place):
    """A module that is in no package, from its place below ansible/."""
    specification = importlib.util.spec_from_file_location(name, ANSIBLE / place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def load_plugin(name):
    """A module of filter_plugins."""
    return load(f"filter_{name}", f"filter_plugins/{name}.py")


kinora = load_plugin("kinora")


def flows():
    """The list of ansible/flows.yml."""
    return yaml.safe_load((ANSIBLE / "flows.yml").read_text(encoding="utf-8"))["kinora_flows"]


def rule_files():
    """Name → text of the files in nftables/."""
    return kinora.read_rules(RULES)


def inventory(name):
    """The fleet of an example inventory."""
    everything = yaml.safe_load((ANSIBLE / "inventories" / name / "hosts.yml").read_text(encoding="utf-8"))["all"]
    addresses = {host: variables["kinora_addresses"] for host, variables in everything["hosts"].items()}
    groups = {group: list(content["hosts"]) for group, content in everything["children"].items()}
    variables = everything["vars"]
    networks = {
        "admin_networks": variables["kinora_admin_networks"],
        "public_address": variables["kinora_public_address"],
        "egress": variables["kinora_egress"],
        "time_servers": variables.get("kinora_time_servers", []),
    }
    return kinora.fleet(addresses, groups, flows(), networks=networks)
