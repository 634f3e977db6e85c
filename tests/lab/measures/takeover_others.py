"""Row 5: one of everything else goes, while people work and films are encoded: the load balancer that has the public address, an
application, a worker in the middle of an encode, the backend that leads, a node of RabbitMQ, the primary of Redis.

Each time the plug of its host is pulled, and plugged in again when the fleet has gone on without it.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from . import canary, faults
from .at_work import Seen, at_work, harmless, long_film
from .figures import Figure, Options
from .finding import application, broker, leader, load_balancer, redis, well, worker
from .hosts import Lab

SECTION, CASE = "takeover", "one host of each other role without power"
# How long people work without it.
AWAY_SECONDS = 25.0
GOAL_ADDRESS_SECONDS = 2.0
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
    gone: list[Gone] = []
    with at_work(lab, film=long_film(lab), piece_bytes=4 << 20, upload_seconds=45.0, encode_seconds=600.0) as seen:
        for what, find in CASES.items():
            if options.sampled and what not in SAMPLED:
                continue
            well(lab)
            host = find(lab)
            if host is None:
                options.say(f"{what}: there is one only, or none could be found; left out")
                continue
            with ExitStack() as mended:
                with address_watched(lab) as silence:
                    began = time.monotonic()
                    mended.enter_context(faults.without_power(lab, host))
                    time.sleep(AWAY_SECONDS)
                    until = time.monotonic()
                gone.append(Gone(what, host, began, until, silence[0]))
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
