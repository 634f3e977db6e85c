"""An application is restarted over and over while visitors come: its sockets are systemd's (kinora-application.socket), so that nobody is refused or reset.

The visitors come from a load balancer's host with its certificate, past HAProxy, which would try another application instead.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.problem import Problem

from . import visits
from .figures import Figure, Options
from .hosts import Lab

SECTION = "restarts"
RESTARTS, RESTARTS_SAMPLED = 1000, 20
RATE = 200
RESTART_SECONDS = 120
RESTART = ["systemctl", "restart", "kinora-application.service"]


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    application, balancer = between(lab)
    wanted = options.runs or (RESTARTS_SAMPLED if options.sampled else RESTARTS)
    command = f"make lab-test LAB={options.layout} ONLY=restarts"
    visitors = order(lab, application)
    with visited(lab, balancer, visitors) as report:
        began = time.monotonic()
        restart(lab, options, application, balancer, wanted, visitors)
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
    place = re.match(r"Listen=([0-9.]+):(\d+) ", listens)
    if not place:
        raise Problem(f"{application}: kinora-application.socket does not listen: {listens}")
    return {
        "address": place[1],
        "port": int(place[2]),
        "public_name": lab.fleet.public_name,
        "rate": RATE,
        "authorities": "/etc/kinora/tls/authorities.pem",
        "certificate": "/etc/haproxy/tls/host.pem",
        "key": "/etc/haproxy/tls/host.key",
    }


def restart(lab: Lab, options: Options, host: str, balancer: str, wanted: int, visitors: dict) -> None:
    """The next restart comes when somebody was answered who came after this one, so that those who waited before are through as well:
    whoever waits longer for TLS than the server allows would be sent away by the crowd, not by a restart."""
    alone = program(visitors | {"rate": 0})
    for number in range(1, wanted + 1):
        for place, command in ((host, RESTART), (balancer, alone)):
            result = lab.exec(place, command, timeout=RESTART_SECONDS)
            if not result.ok:
                raise Problem(f"{host}: restart {number}: {(result.error or result.output).strip()[-600:]}")
        if number % 50 == 0:
            options.say(f"{number} of {wanted} restarts")


def program(visitors: dict) -> list[str]:
    return ["python3", "-B", "-c", Path(visits.__file__).read_text(encoding="utf-8"), json.dumps(visitors)]


@contextmanager
def visited(lab: Lab, host: str, order: dict) -> Iterator[dict]:
    """Visitors until the block ends; then the dictionary holds their report."""
    report: dict = {}
    command = lab.control.on(host, program(order))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield report
        finally:
            output, errors = running.communicate()
    if running.returncode:
        raise Problem(f"{host}: the visitors ended: {errors.strip()[-600:]}")
    report.update(json.loads(output))
