"""The host itself: memory, kernel, time, disks, journal."""

import re
from statistics import median

from doctor.finding import odd_ones, of_fleet, of_host
from kinora_status import age

DISK_PERCENT = 85
CLOCK_SECONDS = 2
DAY = 86400


@of_host("memory-short", "system")
def memory_short(_host, said):
    memory = said["memory"]
    if memory["MemTotal"] and memory["MemAvailable"] < memory["MemTotal"] * 0.05:
        left = memory["MemAvailable"] // 2**20
        yield (f"only {left} MB of memory are left", "a program takes more than it should, or the host is too small for its roles",
               "systemd-cgtop -m -n 1 -b | head; restart the unit that grows, or give the host more memory")


@of_host("memory-killed", "system")
def memory_killed(_host, said):
    if said["killed_for_memory"]:
        yield (f"the kernel ended a program for lack of memory within a day: {said['killed_for_memory'][-1][:150]}", "memory ran out; what was ended has lost its work and was started again",
               "journalctl -k --since=-24h --grep='Out of memory|oom-kill'; give the host more memory or fewer roles")


@of_host("swap-full", "system")
def swap_full(_host, said):
    memory = said["memory"]
    if memory["SwapTotal"] and memory["SwapFree"] < memory["SwapTotal"] * 0.2:
        yield ("the swap space is nearly used up", "the host has too little memory for what runs on it, and is slow for it", "systemd-cgtop -m -n 1 -b | head; give it more memory")


@of_host("reboot-needed", "system")
def reboot_needed(_host, said):
    if said["reboot_required"]:
        yield ("it waits for a reboot", "an update replaced something that only a reboot puts in force (/run/reboot-required.pkgs)", "drain, reboot, undrain, one host at a time: docs/operations/drain.md")


@of_host("kernel-old", "system")
def kernel_old(_host, said):
    # In a container the kernel is the machine's.
    if said["container"] != "none" or not said["kernels"] or said["reboot_required"]:
        return
    newest = max(said["kernels"], key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    if newest != said["kernel"]:
        yield (f"it runs the kernel {said['kernel']}, and {newest} is installed", "it was not rebooted since the kernel was updated", "drain, reboot, undrain: docs/operations/drain.md")


@of_host("routing-on", "system")
def routing_on(_host, said):
    if said["forwards"]:
        yield ("it forwards packets between its networks", "net.ipv4.ip_forward was set by hand, or by a program such as Docker", "sysctl -w net.ipv4.ip_forward=0; find who sets it: grep -r ip_forward /etc/sysctl.d")


@of_host("ssh-passwords", "system")
def ssh_passwords(_host, said):
    if said["ssh_passwords"]:
        yield ("sshd takes passwords", "another file of /etc/ssh/sshd_config.d comes before 10-kinora.conf", "sshd -T | grep passwordauthentication; remove the file, systemctl reload ssh")


@of_host("namespaces-off", "system", ("workers", "applications"))
def namespaces_off(_host, said):
    if said["user_namespaces"] < 100:
        yield ("programs cannot be given user namespaces of their own", "user.max_user_namespaces was set to (almost) 0, as some hardening guides say", "sysctl -w user.max_user_namespaces=15000; remove it from /etc/sysctl.d: sandboxes need it")


@of_fleet("time-zone")
def time_zone(fleet):
    usual, odd = odd_ones((said["zone"], host.name) for host, said in fleet.saying("system"))
    for zone, name in odd:
        yield (name, f"its time zone is {zone or 'not set'}, the others' is {usual}", "it was installed another way; timers and logs of the hosts do not fit together", f"timedatectl set-timezone {usual}")


@of_fleet("clock-differs")
def clock_differs(fleet):
    """`clocks` are host → [controller before, host, controller after]; what lies between is the way there and back."""
    offsets = {}
    for name, (before, said, after) in fleet.given["clocks"].items():
        offsets[name] = (said - after, said - before)
    if not offsets:
        return
    usual = median((low + high) / 2 for low, high in offsets.values())
    for name, (low, high) in offsets.items():
        if low > usual + CLOCK_SECONDS or high < usual - CLOCK_SECONDS:
            yield (name, f"its clock is {abs((low + high) / 2 - usual):.0f} s {'ahead of' if low > usual else 'behind'} the other hosts'", "chrony cannot reach its time servers, or was stopped",
                   "chronyc -n sources; chronyc makestep; then look why: journalctl -u chrony -n 50")
    if abs(usual) > 5 and all(low > 5 or high < -5 for low, high in offsets.values()):
        yield ("controller", f"this machine's clock is {abs(usual):.0f} s {'behind' if usual > 0 else 'ahead of'} all hosts'", "it has no time server", "set its clock: certificates and restores to an instant depend on it")


@of_host("clock-unkept", "clock")
def clock_unkept(host, said):
    if (host.of("system") or {}).get("container", "none") != "none":
        return
    if not said["answers"]:
        yield ("chrony does not answer: nobody keeps the clock", "chrony does not run", "systemctl restart chrony; journalctl -u chrony -n 50")
    elif said["leap"] == "Not synchronised" or said["stratum"] == 0:
        yield ("the clock is not kept: chrony finds no server it trusts", "the backends (their time servers) cannot be reached on UDP 123", "chronyc -n sources; kinora_time_servers in the inventory")
    elif abs(said["offset"]) > 0.5:
        yield (f"the clock is {said['offset']:.1f} s off", "it was set by hand, or the machine slept", "chronyc makestep")


def _mounts(said):
    return [entry for entry in said["mounts"] if not entry["hangs"]]


@of_host("disk-full", "disks")
def disk_full(_host, said):
    for entry in _mounts(said):
        if entry.get("percent", 0) >= DISK_PERCENT:
            yield (f"{entry['place']} is {entry['percent']} % full", "logs, backups or media grew, or something was left behind there", f"du -xh {entry['place']} | sort -h | tail -20; docs/operations/alerts.md#kinoradiskfilling")


@of_host("inodes-full", "disks")
def inodes_full(_host, said):
    for entry in _mounts(said):
        if entry.get("inodes_percent", 0) >= DISK_PERCENT:
            yield (f"{entry['place']} has {100 - entry['inodes_percent']} % of its inodes left: soon no file can be made there, however small", "very many small files",
                   f"du --inodes -x {entry['place']} | sort -n | tail -20")


@of_host("disk-read-only", "disks")
def disk_read_only(_host, said):
    for entry in _mounts(said):
        if entry["read_only"]:
            yield (f"{entry['place']} is mounted read-only", "the kernel does this when the disk fails, or somebody did it by hand", f"journalctl -k --grep='{entry['source']}|I/O error'; repair the disk, then mount -o remount,rw {entry['place']}")


@of_host("mount-hangs", "disks")
def mount_hangs(_host, said):
    for entry in said["mounts"]:
        if entry["hangs"]:
            yield (f"{entry['place']} does not answer", f"the file server behind it ({entry['source']}) cannot be reached", "is the NAS up, and its network? What waits goes on when it is back")


@of_host("journal-not-kept", "journal")
def journal_not_kept(_host, said):
    if not said["persistent"]:
        yield ("logs are not kept: they end with the next reboot", "/var/log/journal is missing or cannot be written, or another setting than 10-kinora.conf holds",
               "systemd-analyze cat-config systemd/journald.conf | grep Storage; mkdir -p /var/log/journal; systemctl restart systemd-journald")


@of_host("journal-short", "journal")
def journal_short(host, said):
    system = host.of("system") or {}
    # A container's journal is younger than the machine.
    uptime = system.get("uptime", 0) if system.get("container", "none") == "none" else 0
    if said["persistent"] and said["reaches_back"] < DAY < uptime / 2:
        yield (f"logs reach back only {age(said['reaches_back'])}", "something writes so much that the rest is pushed out", "journalctl --since=-1h -o json | grep -o '\"_SYSTEMD_UNIT\":\"[^\"]*' | sort | uniq -c | sort -n | tail")
