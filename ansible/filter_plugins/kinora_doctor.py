"""Filters of the verb doctor: what to ask of each host, and what follows from the answers. The checks are in ansible/doctor/."""

import hashlib
import ipaddress
import sys
from pathlib import Path

PLUGINS = Path(__file__).resolve().parent
for place in (PLUGINS, PLUGINS.parent):
    if str(place) not in sys.path:
        sys.path.append(str(place))

import doctor  # noqa: E402
import kinora  # noqa: E402
import kinora_status  # noqa: E402

# Flows whose listeners show this host's certificate to whoever asks.
TLS_FLOWS = ("application", "postgresql", "amqps", "redis", "redis-sentinel")
# Not of the inventory's own hosts' business, or nothing that a connection proves.
NOT_PROBED = ("https", "http-redirect", "canary", "ssh", "alertmanager-peer", "pgbackrest-repository", "pgbackrest-database")


def questions(made, host, given):
    """What the inventory says of a host, for the module kinora_doctor_facts.

    `given`: public_name, storage_path, copy_path, backup_path, outside (names known only to this host), rules (directory of nftables/).
    """
    mine = made["hosts"][host]
    groups = mine["groups"]
    shared = set(groups) & {"applications", "workers"}
    return {
        "groups": groups,
        "units": kinora_status.host_units(made, host),
        "hosts": kinora.hosts_file(made, given["outside"]).splitlines(),
        "addresses": {zone: [_canonical(address) for address in addresses.values()] for zone, addresses in mine["addresses"].items()},
        "public": [_canonical(address) for address in (made["networks"].get("public_address") or {}).values()] if "load_balancers" in groups else [],
        "public_name": given["public_name"],
        "backend_name": mine["names"].get("backend", host),
        "management_name": mine["names"]["management"],
        "rules_sha256": hashlib.sha256(kinora.firewall_rules(made, host, given["rules"]).strip().encode()).hexdigest(),
        "probes": _probes(made, host),
        "tls_ports": sorted({made["flows"][name]["port"] for name in TLS_FLOWS if host in made["flows"][name]["accepts"] and made["flows"][name]["zone"] == "backend"}),
        "storage_path": given["storage_path"] if shared else "",
        "copy_path": given["copy_path"] if "applications" in groups else "",
        "backup_path": given["backup_path"],
    }


def _canonical(address):
    """As the kernel writes it."""
    return str(ipaddress.ip_address(str(address)))


def release(bundle):
    """Version of Kinora's packages in the unpacked bundle, without their revision; nothing outside of a bundle."""
    index, name = Path(bundle, "debian", "Packages"), ""
    for line in index.read_text(encoding="utf-8").splitlines() if index.is_file() else ():
        if line.startswith("Package: "):
            name = line.removeprefix("Package: ")
        elif line.startswith("Version: ") and name == "kinora-backend":
            return line.removeprefix("Version: ").rpartition("-")[0]
    return ""


def _probes(made, host):
    """Connections that this host opens, one for each other host and port that must answer it."""
    found = []
    for flow in made["flows"].values():
        if flow["protocol"] != "tcp" or flow["name"] in NOT_PROBED or host not in flow["opens"]:
            continue
        for other in flow["accepts"]:
            for address in made["hosts"][other]["addresses"][flow["zone"]].values() if other != host else ():
                found.append({"flow": flow["name"], "host": other, "address": address, "port": flow["port"]})
    return found


def findings(made, answers, given):
    """Findings as dictionaries. `answers` is host → {facts}, or {msg} of one that did not answer; `given` as doctor.diagnose has it, without `silent`."""
    facts = {host: answer.get("facts") for host, answer in answers.items()}
    silent = {host: str(answer.get("msg", "")) for host, answer in answers.items() if not answer.get("facts")}
    clocks = {host: seen for host, seen in ((host, _clock(*seen)) for host, seen in given["clocks"].items()) if seen}
    return [finding._asdict() for finding in doctor.diagnose(made, facts, {**given, "silent": silent, "clocks": clocks})]


def _clock(before, said, after):
    """Three instants in seconds; nothing where the host said something else."""
    try:
        return (float(before), float(str(said).strip()), float(after))
    except ValueError:
        return None


def report(found, hosts):
    return doctor.report([doctor.Finding(**finding) for finding in found], hosts)


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {"kinora_doctor_questions": questions, "kinora_doctor_release": release, "kinora_doctor_findings": findings, "kinora_doctor_report": report}
