"""What a host says of itself below its services: system, time, disks, names, network, packages, firewall."""

import glob
import hashlib
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.kinora_facts_run import read, run

# Not places that can run full, or that are read-only because something is wrong.
PSEUDO = {"proc", "sysfs", "cgroup2", "devpts", "mqueue", "devtmpfs", "ramfs", "securityfs", "debugfs", "tracefs", "bpf", "pstore", "configfs", "fusectl", "hugetlbfs", "autofs",
          "binfmt_misc", "efivarfs", "squashfs", "iso9660", "nsfs", "rpc_pipefs"}
NOT_OURS = ("/proc", "/sys", "/dev", "/run/credentials", "/run/host", "/run/systemd", "/run/user")
OTHER_FIREWALLS = ("nftables", "ufw", "firewalld", "shorewall", "netfilter-persistent")
ENGINES = ("postgresql-17", "patroni", "etcd-server", "rabbitmq-server", "redis-server", "haproxy", "keepalived", "pgbackrest", "prometheus", "ffmpeg")
PROBE_SECONDS = 3


def system(_wanted):
    memory = {}
    for line in (read("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        memory[name] = int(value.split()[0]) * 1024
    names = [os.path.basename(path) for path in glob.glob("/lib/modules/*")]
    zone = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    container = run("systemd-detect-virt", "--container").out.strip()
    # In a container the kernel's messages are another machine's.
    killed = run("journalctl", "--quiet", "--dmesg", "--since=-24h", "--grep=Out of memory|oom-kill", "--output=cat", "--lines=20").out if container == "none" else ""
    return {
        "at": time.time(), "uptime": float((read("/proc/uptime") or "0").split()[0]), "container": container, "zone": zone,
        "reboot_required": os.path.exists("/run/reboot-required"), "kernel": os.uname().release, "kernels": sorted(names),
        "memory": {key: memory.get(key, 0) for key in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")},
        "killed_for_memory": killed.splitlines()[:5],
        "user_namespaces": int(read("/proc/sys/user/max_user_namespaces") or 0),
        "forwards": (read("/proc/sys/net/ipv4/ip_forward") or "").strip() == "1",
        "ssh_passwords": "passwordauthentication yes" in run("sshd", "-T").out,
    }


def clock(_wanted):
    """The time, and what chrony says of it: `chronyc -c tracking`, https://chrony-project.org/doc/4.6/chronyc.html."""
    done = run("chronyc", "-c", "-n", "tracking", seconds=3)
    parts = done.out.strip().split(",")
    if done.code or len(parts) < 14:
        return {"answers": False}
    return {"answers": True, "stratum": int(parts[2]), "offset": float(parts[4]), "leap": parts[-1]}


def disks(_wanted):
    found = []
    fixed = {line.split()[1] for line in (read("/etc/fstab") or "").splitlines() if len(line.split()) > 3 and "ro" in line.split()[3].split(",")}
    for line in (read("/proc/self/mounts") or "").splitlines():
        source, place, kind, options = line.split()[:4]
        place = place.replace("\\040", " ")
        if kind in PSEUDO or place.startswith(NOT_OURS):
            continue
        # A server that is away would hold us for ever.
        done = run("stat", "--file-system", "--format=%S %b %f %a %c %d", place, seconds=4)
        entry = {"place": place, "kind": kind, "read_only": "ro" in options.split(",") and place not in fixed, "hangs": done.code == 124}
        entry["source"] = source
        if done.code == 0:
            size, blocks, free, available, inodes, inodes_free = map(int, done.out.split())
            entry.update(bytes=size * blocks, percent=_percent(blocks - free, blocks - free + available), inodes_percent=_percent(inodes - inodes_free, inodes))
        found.append(entry)
    return {"mounts": found}


def _percent(used, of):
    return round(100 * used / of) if of > 0 else 0


def journal(_wanted):
    first = run("sh", "-c", "journalctl --quiet --output=short-unix --no-pager 2> /dev/null | head -n 1").out.split(" ")[0]
    return {"persistent": bool(glob.glob("/var/log/journal/*/*.journal")), "reaches_back": time.time() - float(first) if first else 0}


def names(wanted):
    """Lines of /etc/hosts that are missing, and names that are also given another address."""
    lines = [line.split("#")[0].split() for line in (read("/etc/hosts") or "").splitlines()]
    lines = [(words[0], words[1:]) for words in lines if len(words) > 1]
    expected = [line.split() for line in wanted["hosts"]]
    there = {(address, name) for address, given in lines for name in given}
    ours = {}
    for address, name in expected:
        ours.setdefault(name, set()).add(address)
    return {
        "missing": sorted({name for address, name in expected if (address, name) not in there}),
        "other": sorted({f"{name} {address}" for address, name in there if name in ours and address not in ours[name]}),
        "host": socket.gethostname().split(".")[0],
    }


def network(wanted):
    links = {}
    for link in json.loads(run("ip", "-json", "address").out or "[]"):
        for address in link.get("addr_info", []):
            links[address.get("local")] = {"name": link["ifname"], "mtu": link["mtu"], "up": "LOWER_UP" in link["flags"]}
    zones = {}
    for zone, addresses in wanted["addresses"].items():
        for address in addresses:
            zones.setdefault(zone, {})[address] = links.get(address)
    listens = set()
    for line in run("ss", "-Hlnt").out.splitlines():
        listens.add(int(line.split()[3].rpartition(":")[2]))
    with ThreadPoolExecutor(max_workers=24) as pool:
        probes = list(pool.map(_probe, wanted["probes"]))
    return {"zones": zones, "public": [address for address in wanted["public"] if address in links], "listens": sorted(listens), "probes": probes}


def _probe(asked):
    """Whether a connection to {flow, host, address, port} can be made: `ok`, else why not."""
    try:
        with socket.create_connection((asked["address"], asked["port"]), timeout=PROBE_SECONDS):
            return {**asked, "answer": "ok"}
    except socket.timeout:
        return {**asked, "answer": "no answer"}
    except ConnectionRefusedError:
        return {**asked, "answer": "refused"}
    except OSError as error:
        return {**asked, "answer": error.strerror or str(error)}


def packages(_wanted):
    versions = {}
    for line in run("dpkg-query", "-W", "-f=${Package} ${db:Status-Abbrev} ${Version}\n", "kinora*", *ENGINES).out.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].startswith("i"):
            versions[words[0]] = words[2]
    broken = [line.split()[0] for line in run("dpkg", "--audit").out.splitlines() if line.startswith(" ") and line.split()]
    return {"versions": versions, "broken": broken}


def firewall(wanted):
    """What is loaded, compared with the files and with what the inventory asks for. The file's rules are made in an empty network of their own."""
    folder = "/etc/kinora/nftables"
    kernel = _rules(run("nft", "--json", "--stateless", "list", "table", "inet", "kinora"))
    meant = _rules(run("unshare", "--net", "sh", "-c", f"nft -f {folder}/current.nft && nft --json --stateless list table inet kinora"))
    current, following = (read(f"{folder}/{name}.nft") for name in ("current", "next"))
    return {
        "loaded": kernel is not None,
        "drops": kernel is not None and bool(_policies(kernel)) and set(_policies(kernel)) == {"drop"},
        "as_file": kernel == meant if kernel is not None and meant is not None else None,
        "file_as_inventory": hashlib.sha256((current or "").strip().encode()).hexdigest() == wanted["rules_sha256"],
        "pending": run("systemctl", "is-active", "kinora-firewall-restore.timer").out.strip() == "active",
        "unconfirmed": following is not None and following != current,
        "others": [unit for unit in OTHER_FIREWALLS if run("systemctl", "is-active", unit).out.strip() == "active"],
    }


def _rules(done):
    """A ruleset without what changes by itself; nothing where there is none."""
    if done.code:
        return None
    kept = []
    for entry in json.loads(done.out)["nftables"]:
        (kind, content), = entry.items()
        if kind == "metainfo":
            continue
        content = {key: value for key, value in content.items() if key != "handle"}
        if "dynamic" in content.get("flags", []) or "timeout" in content.get("flags", []):
            content.pop("elem", None)
        kept.append((kind, _uncounted(content)))
    return sorted(json.dumps(each, sort_keys=True) for each in kept)


def _uncounted(part):
    """Without what counters have counted."""
    if isinstance(part, dict):
        return {key: None if key == "counter" else _uncounted(value) for key, value in part.items()}
    return [_uncounted(each) for each in part] if isinstance(part, list) else part


def _policies(rules):
    return [content["policy"] for kind, content in map(json.loads, rules) if kind == "chain" and "policy" in content]


SECTIONS = {"system": system, "clock": clock, "disks": disks, "journal": journal, "names": names, "network": network, "packages": packages, "firewall": firewall}
