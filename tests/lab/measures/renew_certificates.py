"""The verb `renew-certificates`: every certificate of the installation's authorities anew; each listener has to show its new one."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from lab.problem import Problem

from .figures import Figure, Options
from .finding import well
from .hosts import Lab
from .transport import listening
from .verb import SECTION, at_noon

SHOWN = Path(__file__).resolve().parent / "shown.py"
AGAIN = "make lab-test ONLY=renew_certificates"


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    well(lab)
    before = certificates(lab)
    yield from at_noon(lab, options, "renew-certificates")
    after = certificates(lab)
    old = [place for place, shown in after.items() if shown == before.get(place)]
    what = "`renew-certificates`: listeners that still show the certificate of before"
    yield Figure(SECTION, what, f"{len(old)} of {len(after)}", "0", not old and len(after) >= len(before) > 0, AGAIN, old)


def certificates(lab: Lab) -> dict[str, str]:
    """`host address port` → SHA-256 of what is shown there, of all TLS listeners that others could reach."""
    found = {}
    for host in lab.servers:
        places = listening(lab, host.name, host.management)
        result = lab.in_network_of(host.name, [sys.executable, "-B", str(SHOWN)], 120, json.dumps(places))
        if not result.ok:
            raise Problem(f"the certificates of {host.name}: {result.error.strip()[-400:]}")
        found |= {f"{host.name} {place}": shown for place, shown in json.loads(result.output).items()}
    return found
