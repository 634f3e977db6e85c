"""The file systems of bare hosts: Debian 13 as its installer leaves a server, without any of Kinora.

A base by mmdebstrap, and one layer over it for each kind of host. Both are cached by the hash of their recipe,
so a changed recipe is rebuilt and an unchanged one costs nothing. They are built in a mount and process
namespace that dies with the caller; a half-built one is never used.
"""

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from .paths import ROOTS
from .problem import Problem
from .progress import Progress

SUITE = "trixie"
ARCHIVE = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"

# What debian-installer puts on a server without desktop, beyond priority `important`, that matters here.
BASE_PACKAGES = ["systemd-sysv", "dbus", "libpam-systemd", "systemd-timesyncd", "openssh-client", "python3"]

# Kind of host → packages over the base. The controller gets nothing: its tools come in the bundle.
LAYERS = {
    "server": ["openssh-server", "sudo"],
    "controller": [],
    # Measures and attacks; stands for a browser in the office.
    "client": ["curl", "wrk", "testssl.sh", "bind9-dnsutils", "openssl", "chromium", "nodejs"],
}
# An outsider needs no more than the client's tools.
LAYER_OF_KIND = {"server": "server", "controller": "controller", "client": "client", "outsider": "client"}

# Runs in the base before it is kept. The lab gives each host its name, keys and addresses later.
FINISH_BASE = r"""
rm -f /etc/machine-id /var/lib/dbus/machine-id /etc/hostname /etc/resolv.conf /etc/ssh/ssh_host_*
rm -f /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap
printf '%s\n' 'auto lo' 'iface lo inet loopback' > /etc/network/interfaces
: > /etc/resolv.conf
systemctl enable --quiet systemd-networkd.service systemd-networkd-wait-online.service
"""

FINISH_LAYER = r"""
rm -f /etc/ssh/ssh_host_* /etc/machine-id
if [ -d /etc/sudoers.d ]; then
    useradd --create-home --shell /bin/bash --comment 'studio IT' admin
    printf '%s\n' 'admin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
    chmod 440 /etc/sudoers.d/admin
fi
"""

# The layer's packages are installed with the machine's own mirror and proxy, and nothing of that is kept.
BUILD_LAYER = r"""
set -eu
root=$1 layer=$2 sources=$3 proxy=$4 finish=$5
shift 5
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/root
mount -t overlay overlay -o "lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" /mnt/root
cd /mnt/root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/build
cp /etc/resolv.conf run/build/resolv.conf
touch etc/resolv.conf
mount --bind run/build/resolv.conf etc/resolv.conf
printf '%s' "$sources" > run/build/sources.list
{
    printf '%s\n' "$proxy"
    echo 'Dir::Etc::sourcelist "/run/build/sources.list";' 'Dir::Etc::sourceparts "-";'
    echo 'Dir::Cache "/run/build/cache";' 'Dir::State::lists "/run/build/lists";'
    echo 'Acquire::Languages "none";' 'APT::Install-Recommends "false";' 'DPkg::Options { "--force-unsafe-io"; };'
} > run/build/apt.conf
mkdir -p run/build/cache/archives/partial run/build/lists/partial
printf '#!/bin/sh\nexit 101\n' > usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
export APT_CONFIG=/run/build/apt.conf DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [ $# -gt 0 ]; then
    chroot . apt-get --quiet --quiet update
    chroot . apt-get --quiet --quiet --yes install "$@"
fi
rm usr/sbin/policy-rc.d
chroot . sh -eu -c "$finish"
# Nothing to be done at first boot: caches and catalogs are as they should be.
touch etc/.updated var/.updated
"""


def lower_directories(kind: str) -> list[Path]:
    """The cached layers of this kind of host, topmost first. They need not stand yet."""
    base = ROOTS / f"base-{_base_hash()}"
    return [ROOTS / f"{LAYER_OF_KIND[kind]}-{_layer_hash(LAYER_OF_KIND[kind])}" / "upper", base / "root"]


def ensure(kinds: set[str], progress: Progress) -> None:
    """Builds what is missing of the roots for these kinds of hosts."""
    ROOTS.mkdir(parents=True, exist_ok=True)
    with open(ROOTS / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting for another lab that is building the roots")
            fcntl.flock(lock, fcntl.LOCK_EX)
        base = ROOTS / f"base-{_base_hash()}"
        if not base.is_dir():
            progress.say(f"building the root of a bare Debian 13 host ({SUITE}, by mmdebstrap)")
            _build(base, _base_command)
            progress.say(f"root of a bare host: {_megabytes(base)} MB")
        for layer in sorted({LAYER_OF_KIND[kind] for kind in kinds}):
            path = ROOTS / f"{layer}-{_layer_hash(layer)}"
            if not path.is_dir():
                progress.say(f"building the {layer} layer ({', '.join(LAYERS[layer]) or 'nothing more'})")
                _build(path, lambda partial, layer=layer: _layer_command(layer, base / "root", partial))
                progress.say(f"{layer} layer: {_megabytes(path)} MB")


def remove_unused(used: set[Path]) -> list[str]:
    """Removes cached roots that no recipe of today and no lab refers to; returns their names."""
    if not ROOTS.is_dir():
        return []
    wanted = {directory for kind in LAYER_OF_KIND for directory in lower_directories(kind)} | used
    keep = {path.parent for path in wanted}
    removed = []
    for path in ROOTS.iterdir():
        if path.is_dir() and path not in keep:
            shutil.rmtree(path)
            removed.append(path.name)
    return removed


def _build(path: Path, command) -> None:
    partial = path.with_name(path.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    for part in ("root", "upper", "work"):
        (partial / part).mkdir(parents=True)
    log = path.with_name(path.name + ".log")
    # setpriv: should we be killed, the build must not outlive us.
    isolate = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with open(log, "w", encoding="utf-8") as output:
        result = subprocess.run(
            [*isolate, "--propagation", "private", *command(partial)], stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    if result.returncode != 0:
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        raise Problem(f"building {path.name} failed; the end of {log}:\n{last}")
    shutil.rmtree(partial / "work")
    partial.rename(path)


def _base_command(partial: Path) -> list[str]:
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=important",
        "--format=directory",
        f"--include={','.join(BASE_PACKAGES)}",
        "--dpkgopt=force-unsafe-io",
        '--aptopt=Acquire::Languages "none"',
        f"--customize-hook=chroot \"$1\" sh -eu -c {shlex.quote(FINISH_BASE)}",
        # Hosts ask Debian's own mirror, which nothing in the lab can reach: as on a server without internet.
        f"--customize-hook=printf '%s' {shlex.quote(_sources(ARCHIVE, SECURITY))} > \"$1/etc/apt/sources.list\"",
        SUITE,
        str(partial / "root"),
        *_sources(*_machine_mirrors()).splitlines(),
    ]


def _layer_command(layer: str, base: Path, partial: Path) -> list[str]:
    arguments = [str(base), str(partial), _sources(*_machine_mirrors()), _machine_proxy(), FINISH_LAYER, *LAYERS[layer]]
    return ["sh", "-c", BUILD_LAYER, "build-layer", *arguments]


def _sources(archive: str, security: str) -> str:
    lines = [f"deb {archive} {SUITE} main", f"deb {archive} {SUITE}-updates main", f"deb {security} {SUITE}-security main"]
    return "\n".join(lines) + "\n"


def _machine_mirrors() -> tuple[str, str]:
    """The mirrors this machine's apt uses, else Debian's."""
    archive, security = ARCHIVE, SECURITY
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for line in listing.splitlines():
        label, _, uri = line.partition(" ")
        if label == "Debian":
            archive = uri.rstrip("/")
        elif label == "Debian-Security":
            security = uri.rstrip("/")
    return archive, security


def _machine_proxy() -> str:
    return subprocess.run(
        ["apt-config", "dump", "Acquire::http", "Acquire::https"], capture_output=True, text=True, check=False
    ).stdout


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _base_hash() -> str:
    return _hash(SUITE, BASE_PACKAGES, FINISH_BASE, ARCHIVE, SECURITY)


def _layer_hash(layer: str) -> str:
    return _hash(_base_hash(), layer, LAYERS[layer], FINISH_LAYER, BUILD_LAYER)


def _megabytes(path: Path) -> int:
    total = 0
    for directory, _, files in os.walk(path):
        for name in files:
            total += os.lstat(os.path.join(directory, name)).st_blocks * 512
    return total // 1_000_000
