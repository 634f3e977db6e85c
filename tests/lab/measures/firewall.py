"""The host firewall in its own right, on one host: rules that nobody confirms are taken back, nothing is open before them at a boot, and
what they drop is counted, while the log gets a part of it.
"""

import json
import sys
import time
from collections.abc import Iterator

from .at_work import wait
from .figures import Figure, Options
from .finding import BACK_SECONDS, lacking
from .hosts import Lab

SECTION = "firewall"
AGAIN = "make lab-test ONLY=firewall"
FIREWALL = "/usr/local/sbin/kinora-firewall"
TRY_SECONDS = 5
# The rules of now without a way in: what an administrator fears.
SHUT = "cd /etc/kinora/nftables && grep -v 'comment \"ssh\"' current.nft > next.nft"
AS_BEFORE = "cd /etc/kinora/nftables && cp current.nft next.nft"
# limit of the rules that log: a burst, and so many a minute.
DATAGRAMS, BURST, EACH_MINUTE = 500, 20, 10
SEND = f"""
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for _ in range({DATAGRAMS}):
        try:
            sender.sendto(b"knock", (sys.argv[1], 9))
        except PermissionError:
            pass
"""
ELSEWHERE = "198.51.100.9"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    host = lab.members("applications")[-1]
    yield from _unconfirmed(lab, host)
    yield _dropped(lab, host, "input", lambda: lab.in_network_of("outsider-management", [sys.executable, "-c", SEND, lab.fleet.host(host).management]))
    yield _dropped(lab, host, "output", lambda: lab.exec(host, ["python3", "-c", SEND, ELSEWHERE]))
    options.say(f"{host} is rebooted")
    yield _at_boot(lab, host)


def _unconfirmed(lab: Lab, host: str) -> Iterator[Figure]:
    before = _rules(lab, host)
    try:
        lab.exec(host, SHUT)
        began = time.monotonic()
        tried = lab.exec(host, [FIREWALL, "try", str(TRY_SECONDS)])
        shut, inside = not _lets_in(lab, host), _rules(lab, host) != before
        while _rules(lab, host) != before and time.monotonic() - began < 60:
            time.sleep(0.1)
        seconds, back = time.monotonic() - began, _rules(lab, host) == before
        confirmed = lab.exec(host, [FIREWALL, "confirm"])
        stays, opened = _rules(lab, host) == before, _lets_in(lab, host)
    finally:
        lab.exec(host, AS_BEFORE)
    what = f"{host}: rules that let no SSH in, tried for {TRY_SECONDS} s and not confirmed: the previous ones in force again"
    value = f"after {seconds:.1f} s; SSH {'refused' if shut else 'NOT refused'} in between, {'admitted' if opened else 'NOT admitted'} then"
    right = tried.ok and inside and shut and back and opened
    yield Figure(SECTION, what, value, f"≤ {TRY_SECONDS + 5} s", right and seconds <= TRY_SECONDS + 5, AGAIN, [tried.error, tried.output])
    value = f"{'confirmed' if confirmed.ok else 'refused'}: {(confirmed.error or confirmed.output).strip()}"
    yield Figure(SECTION, f"{host}: `kinora-firewall confirm` after that", value, "refused, the rules stay", not confirmed.ok and stays, AGAIN)


def _dropped(lab: Lab, host: str, chain: str, send) -> Figure:
    """The last rules of a chain: what nothing above let through."""
    before, began = _counters(lab, host, chain), time.monotonic()
    send()
    dropped, logged = (now - then for now, then in zip(_counters(lab, host, chain), before, strict=True))
    most = BURST + EACH_MINUTE * (time.monotonic() - began) / 60 + 1
    what = f"{host}, {chain}: {DATAGRAMS} datagrams that nothing lets through"
    value = f"{dropped} counted at the last drop, {logged} of them logged"
    goal = f"all counted; 1 to {BURST} logged, {EACH_MINUTE} a minute more"
    return Figure(SECTION, what, value, goal, dropped >= DATAGRAMS and 1 <= logged <= most, f"{host}# nft list chain inet kinora {chain}")


def _at_boot(lab: Lab, host: str) -> Figure:
    lab.power(host, "reboot")
    loaded = _microseconds(lab, host, "kinora-firewall.service", "ActiveEnterTimestampMonotonic")
    network = _microseconds(lab, host, "systemd-networkd.service", "ExecMainStartTimestampMonotonic")
    place = lab.fleet.host(host)
    wait(lambda: not lacking(lab, place), BACK_SECONDS, f"{host} is not back in service")
    value = f"{(network - loaded) / 1e6:.2f} s before" if 0 < loaded <= network else f"NOT before: {loaded} and {network} µs after the kernel's start"
    command = f"{host}# systemctl show -p ActiveEnterTimestampMonotonic -p ExecMainStartTimestampMonotonic kinora-firewall systemd-networkd"
    return Figure(SECTION, f"{host} booted: rules in force, and the network's manager begins", value, "before", 0 < loaded <= network, command)


def _rules(lab: Lab, host: str) -> str:
    return lab.exec(host, ["nft", "--stateless", "list", "table", "inet", "kinora"]).output


def _lets_in(lab: Lab, host: str) -> bool:
    """Whether a new connection from the controller reaches sshd."""
    return lab.in_network_of("control", ["bash", "-c", f": < /dev/tcp/{lab.fleet.host(host).management}/22"], timeout=2).ok


def _counters(lab: Lab, host: str, chain: str) -> tuple[int, int]:
    """Packets at the last drop of a chain, and those that its log got."""
    listed = json.loads(lab.exec(host, ["nft", "--json", "list", "chain", "inet", "kinora", chain]).output)["nftables"]
    rules = [{key: value for part in entry["rule"]["expr"] for key, value in part.items()} for entry in listed if "rule" in entry]
    dropped = next(rule for rule in reversed(rules) if "drop" in rule)
    logged = next(rule for rule in rules if "log" in rule)
    return dropped["counter"]["packets"], logged["counter"]["packets"]


def _microseconds(lab: Lab, host: str, unit: str, which: str) -> int:
    return int(lab.exec(host, ["systemctl", "show", "--value", f"--property={which}", unit]).output.strip() or 0)
