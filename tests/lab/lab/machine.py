"""Whether this machine can hold a lab, found out by trying what a lab does, in a namespace that goes with the attempt."""

import os
import shutil
import subprocess

from . import cgroups
from .paths import HOME
from .problem import Problem

TOOLS = ("mmdebstrap", "systemd-nspawn", "nft", "ip", "ssh", "ssh-keygen", "unshare", "nsenter", "setpriv")
# What a whole fleet takes at most, with its roots.
MEMORY_BYTES, DISK_BYTES = 6e9, 11e9
# Hosts share the machine's disk, and each reports one that is fuller (DISK_PERCENT of ansible/filter_plugins/kinora_status.py).
DISK_FULL = 0.85

# Each step says what it is about before it tries; the last words are what failed.
ATTEMPT = r"""
step() { said=$1; shift; "$@" > /tmp/.out 2>&1 || { echo "$said: $(tail -n 1 /tmp/.out)"; exit 1; }; }
mount -t tmpfs tmpfs /tmp 2> /dev/null || { echo 'mounts'; exit 1; }
mkdir /tmp/lower /tmp/upper /tmp/work /tmp/root
step 'overlay file systems' mount -t overlay overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,volatile /tmp/root
step 'bridges' ip link add bridge0 type bridge
step 'cables' ip link add cable0 type veth peer name cable1
step 'mounts below /run' mount -t tmpfs tmpfs /run
step 'network namespaces' ip netns add host
step 'nftables' ip netns exec host nft add table inet attempt
step 'nftables' ip netns exec host nft 'add chain inet attempt input { type filter hook input priority 0; policy drop; }'
step 'nftables' ip netns exec host nft 'add rule inet attempt input ct state established fib daddr type local counter limit rate 5/second log'
"""


def require() -> None:
    """Root and the tools."""
    if os.geteuid() != 0:
        raise Problem("the lab makes namespaces and mounts, so it needs root: run it as root or with sudo")
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        raise Problem(f"{', '.join(lacking)} missing here; packaging/bootstrap lab installs it")


def require_all() -> None:
    """All that a fleet needs of the machine."""
    require()
    _try_namespaces()
    _try_control_groups()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory < MEMORY_BYTES:
        raise Problem(f"a fleet needs {MEMORY_BYTES / 1e9:.0f} GB of memory, this machine has {memory / 1e9:.1f} GB")
    HOME.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(HOME)
    lacking = lacking_bytes(usage.used, usage.free)
    if lacking > 0:
        raise Problem(f"a fleet needs {DISK_BYTES / 1e9:.0f} GB of disk below {HOME} and less than {DISK_FULL:.0%} of it used then: free {lacking / 1e9:.1f} GB")


def lacking_bytes(used: int, free: int) -> float:
    """What must be freed before a fleet fits, below the part of the disk from which on its hosts report it."""
    # What only root may use counts in neither, as in df's percentage.
    return used + DISK_BYTES - DISK_FULL * (used + free)


def _try_namespaces() -> None:
    attempt = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "sh", "-c", ATTEMPT]
    result = subprocess.run(attempt, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        reason = (result.stdout.strip() or result.stderr.strip() or "unshare failed").splitlines()[-1]
        raise Problem(f"this machine's kernel does not let the lab make what it consists of: {reason}")


def _try_control_groups() -> None:
    name = f"kinora-lab-attempt-{os.getpid()}"
    try:
        cgroups.make(name, "host")
    except OSError as error:
        raise Problem(f"the lab cannot make control groups in {cgroups.MOUNT}: {error.strerror}") from error
    finally:
        cgroups.remove(name, 0)
