"""Row 5: one of everything else goes, while people work and films are encoded: the load balancer that has the public address, an
application, a worker in the middle of an encode, the backend that leads, a node of RabbitMQ, the primary of Redis.

Each time the plug of its host is pulled, and plugged in again when the fleet has gone on without it.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.problem import Problem

from . import canary, service
from .at_work import Seen, at_work, harmless, wait, wait_until_redundant
from .figures import Figure, Options
from .hosts import Lab
from .roles import backend_name

SECTION, CASE = "takeover", "one host of each other role without power"
# How long people work without it.
AWAY_SECONDS = 25.0
BACK_SECONDS = 300.0
GOAL_ADDRESS_SECONDS = 2.0
# A film that takes a worker long enough to be in the middle of it.
LONG_FILM = "/root/load-encode.mov"
MAKE_LONG_FILM = (
    "ffmpeg -v error -f lavfi -i testsrc2=size=1280x720:rate=24 -f lavfi -i sine=frequency=330:sample_rate=48000"
    " -t 20 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov -f mov pipe:1"
)
QUEUES = "rabbitmqctl --quiet list_queues --formatter json name leader"
ENCODES = "pgrep -f '[f]fmpeg'"
LEADS = "journalctl -b -q -u kinora-backend -o cat | grep 'backend leads' | tail -n 1"
# Runs on the client until its input ends: connects twenty times a second, and says the longest time in which it could not.
CONNECT = """
import select, socket, sys, time
last, longest = time.monotonic(), 0.0
while not select.select([sys.stdin], [], [], 0.05)[0]:
    try:
        socket.create_connection((sys.argv[1], 443), 0.1).close()
    except OSError:
        continue
    now = time.monotonic()
    last, longest = now, max(longest, now - last)
print(max(longest, time.monotonic() - last))
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    command = f"make lab-test LAB={options.layout} ONLY=takeover_others"
    if not lab.exec(canary.CLIENT, ["test", "-s", LONG_FILM]).ok:
        lab.pipe((lab.members("workers")[0], ["sh", "-c", MAKE_LONG_FILM]), (canary.CLIENT, ["sh", "-c", f"cat > {LONG_FILM}"]))
    gone: list[Gone] = []
    with at_work(lab, film=LONG_FILM, piece_bytes=4 << 20, upload_seconds=45.0, encode_seconds=600.0) as seen:
        for what, find in CASES.items():
            if options.sampled and what not in SAMPLED:
                continue
            well(lab)
            host = find(lab)
            if host is None:
                options.say(f"{what}: there is one only, or none could be found; left out")
                continue
            with address_watched(lab) as silence:
                began = time.monotonic()
                lab.power(host, "off")
                time.sleep(AWAY_SECONDS)
                until = time.monotonic()
            gone.append(Gone(what, host, began, until, silence[0]))
            lab.power(host, "on")
            well(lab)
            options.say(f"{what}: {host} was off; all is well again {time.monotonic() - began:.0f} s after the plug was pulled")
    for each in gone:
        yield _figure(lab, seen, each, command)
    yield from harmless(SECTION, CASE, seen, command)


@dataclass
class Gone:
    """A host that was without power between two instants, and for how long the public address took no connection meanwhile."""

    what: str
    host: str
    began: float
    until: float
    silence: float


def _figure(lab: Lab, seen: Seen, gone: Gone, command: str) -> Figure:
    outage = seen.outage(gone.began, gone.until)
    repeated = sum(len(entry.failures) for entry in seen.entries if gone.began <= entry.began <= gone.until)
    value = f"{outage:.1f} s without an acknowledged write; {repeated} attempts failed and were repeated; the address took no connection for {gone.silence:.1f} s"
    what = f"{gone.what} ({gone.host}) gone"
    # Where the host has other roles as well, theirs are in the figure.
    if lab.fleet.host(gone.host).groups != ["load_balancers"]:
        return Figure(SECTION, what, value, command=command)
    return Figure(SECTION, what, value, f"the address ≤ {GOAL_ADDRESS_SECONDS:.0f} s", gone.silence <= GOAL_ADDRESS_SECONDS, command)


@contextmanager
def address_watched(lab: Lab) -> Iterator[list[float]]:
    """The longest time without a connection to the public address, known after it."""
    silence: list[float] = []
    address = next(iter(lab.fleet.public_address.values()))
    command = lab.control.on(canary.CLIENT, ["python3", "-c", CONNECT, address])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watching:
        try:
            yield silence
        finally:
            output, _ = watching.communicate()
    silence.append(float(output))


def well(lab: Lab) -> None:
    """Every host is in service, and every commit on two databases."""
    missing: list[str] = []

    def look() -> bool:
        missing[:] = [f"{host.name}: {line}" for host in lab.servers for line in service.lacking(lab, host)]
        return not missing

    try:
        wait(look, BACK_SECONDS, "the fleet is not well")
    except Problem as problem:
        raise Problem("\n".join([str(problem), *missing])) from None
    wait_until_redundant(lab)


def load_balancer(lab: Lab) -> str | None:
    address = next(iter(lab.fleet.public_address.values()))
    found = [name for name in lab.members("load_balancers") if lab.exec(name, f"ip -oneline address show to {address} | grep -q .").ok]
    return found[0] if len(lab.members("load_balancers")) > 1 and found else None


def application(lab: Lab) -> str | None:
    found = [name for name in lab.members("applications") if name != load_balancer(lab)]
    return found[0] if len(lab.members("applications")) > 1 else None


def worker(lab: Lab) -> str | None:
    """One that encodes at this moment."""
    workers = lab.members("workers")
    if len(workers) < 2:
        return None
    return wait(lambda: next((name for name in workers if lab.exec(name, ENCODES).ok), None), 240, "no worker encodes")


def leader(lab: Lab) -> str | None:
    """The backend that leads says so in its log."""
    backends = lab.members("backends")
    found = [name for name in backends if lab.exec(name, LEADS).output.strip() == "this backend leads"]
    return found[-1] if len(backends) > 1 and found else None


def broker(lab: Lab) -> str | None:
    """The node that leads most queues."""
    backends = lab.members("backends")
    if len(backends) < 3:
        return None
    rows = service._json(lab.exec(backends[0], QUEUES, timeout=60).output) or []
    leads = [str(row.get("leader", "")).removeprefix("rabbit@").split(".")[0] for row in rows]
    return max(backends, key=leads.count)


def redis(lab: Lab) -> str | None:
    backends = lab.members("backends")
    if len(backends) < 3:
        return None
    for name in backends:
        said = lab.exec(name, ["sh", "-c", service.REDIS, "redis", backend_name(name)]).output
        if "role:master" in said:
            return name
    return None


CASES: dict[str, Callable[[Lab], str | None]] = {
    "load balancer": load_balancer,
    "application": application,
    "worker in the middle of an encode": worker,
    "backend that leads": leader,
    "node of RabbitMQ that leads most queues": broker,
    "primary of Redis": redis,
}
# What is tried where time is short.
SAMPLED = ("application", "worker in the middle of an encode")
