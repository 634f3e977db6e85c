"""An application is restarted over and over while visitors come: its sockets are systemd's (kinora-application.socket), so that nobody is refused or reset.

The visitors come from a load balancer's host with its certificate, past HAProxy, which would try another application instead.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.problem import Problem

from . import visits
from .figures import Figure, Options
from .hosts import Lab

SECTION = "restarts"
RESTARTS, RESTARTS_SAMPLED, AT_ONCE = 1000, 20, 10
RATE = 200
PORT = 8443
RESTART_SECONDS = 120
RESTART = "set -e; for number in $(seq {}); do systemctl restart kinora-application.service; done"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    application, balancer = between(lab)
    wanted = options.runs or (RESTARTS_SAMPLED if options.sampled else RESTARTS)
    command = f"make lab-test LAB={options.layout} ONLY=restarts"
    with visited(lab, balancer, order(lab, application)) as report:
        began = time.monotonic()
        restart(lab, options, application, wanted)
        seconds = time.monotonic() - began
    counts = report["counts"]
    total, answered = sum(counts.values()), counts.get("answered", 0)
    others = [f"{count} visitors: {outcome}" for outcome, count in counts.items() if outcome != "answered"]
    what = f"{wanted:,} restarts of {application}'s application: visitors refused, reset or left without an answer"
    yield Figure(SECTION, what, f"{total - answered} of {total:,}", "0", not others and bool(answered), command, others)
    yield Figure(SECTION, "new connections meanwhile", f"{total / report['seconds']:.0f}/s (meant: {RATE}/s)", command=command)
    yield Figure(SECTION, "a restart; the longest that a visitor waited", f"{seconds / wanted:.1f} s; {report['slowest']:.1f} s", command=command)


def between(lab: Lab) -> tuple[str, str]:
    """An application's host and a load balancer's, two hosts where there are."""
    application, balancers = lab.members("applications")[-1], lab.members("load_balancers")
    return application, next((name for name in balancers if name != application), balancers[0])


def order(lab: Lab, application: str) -> dict:
    """What the visitors need: where the application listens, and as whom they come. Files are on the balancer's host."""
    listens = lab.exec(application, "systemctl show kinora-application.socket --property Listen").output
    address = listens.removeprefix("Listen=").rsplit(":", 1)[0]
    if not address:
        raise Problem(f"{application}: kinora-application.socket listens nowhere: {listens}")
    return {
        "address": address,
        "port": PORT,
        "public_name": lab.fleet.public_name,
        "rate": RATE,
        "authorities": "/etc/kinora/tls/authorities.pem",
        "certificate": "/etc/haproxy/tls/host.pem",
        "key": "/etc/haproxy/tls/host.key",
    }


def restart(lab: Lab, options: Options, host: str, wanted: int) -> None:
    done = 0
    while done < wanted:
        count = min(AT_ONCE, wanted - done)
        result = lab.exec(host, RESTART.format(count), timeout=count * RESTART_SECONDS)
        if not result.ok:
            raise Problem(f"{host}: the application does not restart: {result.output[-600:]}")
        done += count
        if done % (AT_ONCE * 10) == 0:
            options.say(f"{done} of {wanted} restarts")


@contextmanager
def visited(lab: Lab, host: str, order: dict) -> Iterator[dict]:
    """Visitors until the block ends; then the dictionary holds their report."""
    with open(visits.__file__, encoding="utf-8") as file:
        program = file.read()
    report: dict = {}
    command = lab.control.on(host, ["python3", "-B", "-c", program, json.dumps(order)])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield report
        finally:
            output, errors = running.communicate()
    if running.returncode:
        raise Problem(f"{host}: the visitors ended: {errors.strip()[-600:]}")
    report.update(json.loads(output))
