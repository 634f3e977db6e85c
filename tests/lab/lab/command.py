"""The command line of the lab."""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import cleanup, fleet, forward, install, keys, machine, power, root, supervisor
from .control import Lab, holding_process
from .fleet import Fleet
from .paths import PROJECT, State
from .power import BOOT_SECONDS
from .problem import Problem
from .progress import Progress

# All hosts' systems are one user to the kernel, and each takes seven or more of its file watchers.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_LEAST = 4096


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.verb != "supervise":
            machine.require()
        return options.run(options) or 0
    except Problem as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our lines has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tests/lab/lab.py", description="A fleet of Debian 13 hosts on this machine.")
    parser.add_argument("--name", default=os.environ.get("KINORA_LAB_NAME", "lab"), help="which lab; several can be up (default: lab)")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, run, help: str) -> argparse.ArgumentParser:
        result = verbs.add_parser(name, help=help, description=help)
        result.set_defaults(run=run)
        return result

    up = verb("up", _up, "boot a fleet; one that is up is kept, gets the hosts it lacks and loses those that left the inventory")
    up.add_argument("--layout", default="full", help="full, compact or single: the inventory of ansible/inventories")
    up.add_argument("--inventory", type=Path, help="another inventory")
    up.add_argument("--hosts", help="boot only these, and the controller: db1,db2,be1 (also client, outsider-edge, …)")
    up.add_argument("--install", action="store_true", help="install Kinora from its bundle, as an operator would")
    up.add_argument("--bundle", type=Path, help="install this bundle instead of building one")
    verb("down", _down, "end the lab; nothing of it stays")
    clean = verb("clean", _clean, "end every lab of this checkout and repair what a crash left")
    clean.add_argument("--cache", action="store_true", help="also remove the cached roots")
    verb("able", _able, "say whether this machine can hold a fleet, and if not, why")
    verb("status", _status, "hosts, roles, zones, addresses, state")
    for name, run, help in (
        ("ssh", _ssh, "run a command on a server as root, by SSH from the controller; without one, open a shell"),
        ("exec", _exec, "run a command on any host at its console, past its firewall; without one, open a shell"),
    ):
        shell = verb(name, run, help)
        shell.add_argument("host")
        shell.add_argument("command", nargs=argparse.REMAINDER)
    push = verb("push", _push, "copy a file or directory into a directory of a host")
    push.add_argument("host")
    push.add_argument("source", type=Path)
    push.add_argument("target")
    switch = verb("power", _power, "pull a host's plug, boot it, both, reboot it orderly, or put a bare machine in its place; waits until it has booted")
    switch.add_argument("host")
    switch.add_argument("to", choices=["on", "off", "reset", "reboot", "new"])
    cable = verb("cable", _cable, "pull a host's cable out of a zone's switch, or put it back")
    cable.add_argument("host")
    cable.add_argument("zone")
    cable.add_argument("to", choices=["pulled", "plugged"])
    opening = verb("open", _open, "serve the lab's public address at a port of this machine until Ctrl-C")
    opening.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    verb("supervise", _supervise, "hold a lab (started by `up`)")
    return parser


def _able(options: argparse.Namespace) -> None:
    machine.require_all()
    print("lab: this machine can hold a fleet")


def _up(options: argparse.Namespace) -> int:
    progress = Progress()
    state = State(options.name)
    state.path.mkdir(parents=True, exist_ok=True)
    with _only_one(state):
        inventory = options.inventory or PROJECT / "ansible/inventories" / options.layout / "hosts.yml"
        wanted = fleet.load(inventory, options.inventory.stem if options.inventory else options.layout)
        if options.hosts:
            wanted = _only(wanted, options.hosts.split(","))
        started = None
        if holding_process(state) is None:
            started = _start(state, wanted, progress)
        else:
            _extend(state, wanted, progress)
            if not options.hosts:
                _shrink(state, wanted, progress)
        try:
            lab = Lab(state)
            _wait_for_boot(lab, progress, silent=not started)
            _check_hosts(lab, progress)
            if started:
                progress.say(f"{_memory(lab)}; booted {progress.seconds():.0f} s after the start")
            installed = 0
            if options.install or options.bundle:
                installed = install.run(lab, inventory, options.bundle, progress)
            if started:
                started.stdin.write(b"stay\n")
                started.stdin.flush()
        except BaseException:
            # Closing the pipe without a word ends a lab that this call has started.
            if started:
                started.stdin.close()
                started.wait()
                progress.warn(f"ending the lab; what happened inside: {state.log}")
            raise
    print()
    _print_status(lab)
    return installed


def _start(state: State, wanted: Fleet, progress: Progress) -> subprocess.Popen:
    machine.require_all()
    # Remains of a lab that was killed; its lock and this call's own stay.
    if (state.path / "hosts").exists() or state.record.exists():
        progress.say("removing what a killed lab left")
        with contextlib.suppress(FileNotFoundError):
            state.record.unlink()
        for part in ("hosts", "nas", "keys"):
            shutil.rmtree(state.path / part, ignore_errors=True)
    if int(INOTIFY.read_text()) < INOTIFY_LEAST:
        progress.say(f"raising fs.inotify.max_user_instances to {INOTIFY_LEAST} on this machine, until it reboots")
        INOTIFY.write_text(f"{INOTIFY_LEAST}\n")
    root.ensure({host.kind for host in wanted.hosts}, progress)
    keys.make(state.keys, wanted)
    state.plan.write_text(json.dumps(wanted.to_json()))
    (state.path / "hosts").mkdir()
    progress.say(f"booting {len(wanted.hosts)} hosts in {len(wanted.zones)} zones")
    process = supervisor.start(state)
    _wait_for_socket(state, process)
    return process


def _wait_for_socket(state: State, process: subprocess.Popen) -> None:
    while True:
        if process.poll() is not None:
            last = "\n".join(state.log.read_text(errors="replace").splitlines()[-8:])
            raise Problem(f"the lab's supervisor ended at once; the end of {state.log}:\n{last}")
        with contextlib.suppress(Problem):
            Lab(state).order(do="status")
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


def _extend(state: State, wanted: Fleet, progress: Progress) -> None:
    """Boots what is new in the inventory; what has changed under a running host is for the person to decide."""
    lab = Lab(state)
    present = lab.fleet()
    if [vars(zone) for zone in present.zones] != [vars(zone) for zone in wanted.zones]:
        raise Problem(f"the lab {state.name!r} is up with other zones; end it first: make lab-down")
    known = {host.name: host for host in present.hosts}
    changed = [h.name for h in wanted.hosts if h.name in known and h.interfaces != known[h.name].interfaces]
    if changed:
        raise Problem(f"addresses of {', '.join(changed)} have changed since the lab was booted; end it first: make lab-down")
    fresh = [host for host in wanted.hosts if host.name not in known]
    for host in wanted.hosts:
        if host.name in known:
            known[host.name].groups = host.groups
    if fresh:
        progress.say(f"booting in addition: {', '.join(host.name for host in fresh)}")
        root.ensure({host.kind for host in fresh}, progress)
        present.hosts.extend(fresh)
        keys.make(state.keys, present)
        state.plan.write_text(json.dumps(present.to_json()))
        lab.order(do="boot", fleet=present.to_json())
    else:
        state.plan.write_text(json.dumps(present.to_json()))
        progress.say(f"{len(known)} hosts are up and as the inventory says; kept")


def _shrink(state: State, wanted: Fleet, progress: Progress) -> None:
    """What is no longer in the inventory is switched off and thrown away."""
    lab = Lab(state)
    present, names = lab.fleet(), {host.name for host in wanted.hosts}
    gone = [host.name for host in present.hosts if host.name not in names]
    if not gone:
        return
    progress.say(f"no longer in the inventory, thrown away: {', '.join(gone)}")
    present.hosts = [host for host in present.hosts if host.name in names]
    keys.make(state.keys, present)
    state.plan.write_text(json.dumps(present.to_json()))
    for name in gone:
        lab.order(do="remove", host=name)


def _only(wanted: Fleet, names: list[str]) -> Fleet:
    for name in names:
        wanted.host(name)
    names = ["control", *names]
    return Fleet(**{**vars(wanted), "hosts": [host for host in wanted.hosts if host.name in names]})


def _wait_for_boot(lab: Lab, progress: Progress, silent: bool = False) -> None:
    """Waits until every host runs or is off; `silent` about those that run already."""
    said: set[str] = set()
    if silent:
        reports = lab.order(do="status")["hosts"]
        said = {name for name, report in reports.items() if report["status"] == "running"}
    since = -1
    began = progress.seconds()
    while True:
        status = lab.order(do="wait", since=since)
        since = status["changes"]
        for name, host in status["hosts"].items():
            if name in said:
                continue
            if host["status"] == "running":
                said.add(name)
                if host["boots"] == 1 and lab.fleet().host(name).boots:
                    progress.say(f"  {name} booted in {host['boot_seconds']} s")
            elif host["status"].startswith("failed"):
                console = lab.state.host(name) / "console.log"
                raise Problem(f"{name} did not boot: {host['status']}; see {console} and {lab.state.log}")
            elif host["status"] == "off":
                said.add(name)
        if said >= {host.name for host in lab.fleet().hosts} and said >= set(status["hosts"]):
            return
        if progress.seconds() - began > BOOT_SECONDS:
            waiting = sorted(set(status["hosts"]) - said)
            raise Problem(f"{', '.join(waiting)} did not finish booting; see the console logs in {lab.state.path}/hosts")


def _check_hosts(lab: Lab, progress: Progress) -> None:
    """Every server answers by SSH, and its system has no failed unit."""
    reports = lab.order(do="status")["hosts"]
    running = [host for host in lab.fleet().hosts if reports[host.name]["status"] == "running"]

    def check(host) -> str | None:
        if host.kind == "server":
            asked = subprocess.run(
                lab.ssh(host.name, ["systemctl is-system-running --wait"]), capture_output=True, text=True, stdin=subprocess.DEVNULL
            )
        elif host.boots:
            asked = lab.run(host.name, "systemctl", "is-system-running", "--wait", check=False)
        else:
            return None
        answer = asked.stdout.strip() or asked.stderr.strip()
        if asked.returncode == 255:
            return f"{host.name} does not answer by SSH from the controller: {answer}"
        if answer != "running":
            failed = lab.run(host.name, "systemctl", "--failed", "--plain", "--no-legend", check=False).stdout
            return f"{host.name} is {answer}: {' '.join(line.split()[0] for line in failed.splitlines())}"
        return None

    with ThreadPoolExecutor(4) as pool:
        complaints = [complaint for complaint in pool.map(check, running) if complaint]
    for complaint in complaints:
        progress.warn(complaint)
    if not complaints:
        servers = sum(host.kind == "server" for host in running)
        progress.say(f"all {servers} servers answer by SSH from the controller; no unit has failed")


def _down(options: argparse.Namespace) -> None:
    state = State(options.name)
    if not state.path.exists():
        print(f"lab: {state.name} is not up")
        return
    progress = Progress()
    progress.say("ended" if cleanup.end(state) else "was not up; its remains are removed")


def _clean(options: argparse.Namespace) -> None:
    cleanup.repair(Progress(), options.cache)


def _status(options: argparse.Namespace) -> None:
    _print_status(Lab(State(options.name)))


def _print_status(lab: Lab) -> None:
    status = lab.order(do="status")
    plan = lab.fleet()
    rows = []
    for host in plan.hosts:
        report = status["hosts"].get(host.name, {"status": "absent"})
        rows.append((host, (host.name, report["status"], ", ".join(host.groups) or f"({host.kind})")))
    heads = ("host", "state", "roles")
    widths = [max(len(head), *(len(texts[n]) for _, texts in rows)) for n, head in enumerate(heads)]
    print("  ".join(f"{head:<{width}}" for head, width in zip(heads, widths)), " zone: addresses")
    for host, texts in rows:
        for number, cable in enumerate(host.interfaces):
            shown = texts if number == 0 else ("", "", "")
            left = "  ".join(f"{text:<{width}}" for text, width in zip(shown, widths))
            print(f"{left}  {cable.zone + ':':<12}{cable.ipv4.split('/')[0]:<16}{cable.ipv6.split('/')[0]:<18}{cable.name}")
    me = f"tests/lab/lab.py{'' if lab.state.name == 'lab' else f' --name {lab.state.name}'}"
    addresses = " and ".join(plan.public_address.values())
    print(f"\npublic: https://{plan.public_name} at {addresses}, open it with `{me} open`")
    print(f"packets sent towards the world outside: {status['packets_leaving']}; left the lab: 0, there is no way out")
    print(f"shells: `{me} ssh HOST` (by SSH from the controller), `{me} exec HOST` (console; also control, client, outsider-…)")
    print(f"{_memory(lab)}; it stays up until `{'make lab-down' if lab.state.name == 'lab' else f'{me} down'}`")


def _memory(lab: Lab) -> str:
    used = lab.order(do="status")["memory_bytes"]
    return "memory in use: not counted here" if used is None else f"memory in use by all hosts: {used / 1e6:.0f} MB"


def _ssh(options: argparse.Namespace) -> int:
    command = _without_dashes(options.command)
    lab = Lab(State(options.name))
    if not command and lab.fleet().host(options.host).kind != "server":
        return _exec(options)
    terminal = ["-t"] if not command and sys.stdin.isatty() else []
    return subprocess.call(lab.ssh(options.host, command, terminal))


def _exec(options: argparse.Namespace) -> int:
    command = _without_dashes(options.command)
    lab = Lab(State(options.name))
    if not command:
        command = ["bash", "-l"]
    elif len(command) == 1:
        command = ["sh", "-c", command[0]]
    return subprocess.call(lab.on(options.host, command))


def _without_dashes(command: list[str]) -> list[str]:
    return command[1:] if command[:1] == ["--"] else command


def _push(options: argparse.Namespace) -> None:
    Lab(State(options.name)).push(options.host, options.source, options.target)


def _power(options: argparse.Namespace) -> None:
    progress = Progress()
    seconds = power.switch(Lab(State(options.name)), options.host, options.to)
    if options.to != "off":
        progress.say(f"{options.host} is up, booted in {seconds} s")


def _cable(options: argparse.Namespace) -> None:
    lab = Lab(State(options.name))
    zones = [interface.zone for interface in lab.fleet().host(options.host).interfaces]
    if options.zone not in zones:
        raise Problem(f"{options.host} has no cable in {options.zone}, only in {', '.join(zones)}")
    lab.order(do="cable", host=options.host, zone=options.zone, to=options.to)


def _open(options: argparse.Namespace) -> int:
    return forward.serve(Lab(State(options.name)), options.port)


def _supervise(options: argparse.Namespace) -> None:
    supervisor.supervise(State(options.name))


@contextlib.contextmanager
def _only_one(state: State) -> Iterator[None]:
    """Two starts of the same lab at once would undo each other."""
    with open(state.path / "up.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"the lab {state.name!r} is being started by someone else") from None
        yield
