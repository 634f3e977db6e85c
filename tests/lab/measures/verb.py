"""A verb that changes the fleet, run while people work: how long it takes and what they notice."""

import time
from collections.abc import Iterator

from lab import install

from . import canary
from .at_work import at_work, noticed
from .figures import Figure, Options
from .finding import well
from .hosts import Lab
from .install import run

SECTION = "verbs"


def at_noon(lab: Lab, options: Options, verb: str, *arguments: str) -> Iterator[Figure]:
    """Ends when every host is in service and a canary was flown."""
    case = " ".join((f"`{verb}`", *(word for word in arguments if word.startswith("host="))))
    bundle, again = install.on_controller(lab.control), f"make lab-test LAB={options.layout} ONLY={verb.replace('-', '_')}"
    with at_work(lab) as seen:
        began = time.monotonic()
        run(lab, bundle, options.say, verb, *arguments)
        took = time.monotonic() - began
        well(lab)
    yield Figure(SECTION, f"{case}: how long the verb took", f"{took / 60:.1f} min", command=f"control# {' '.join(install.verb_command(bundle, verb, *arguments))}")
    yield from noticed(SECTION, case, seen, again)
    flight = canary.fly(lab)
    yield Figure(SECTION, f"{case}: a canary afterwards", "passes" if flight.ok else "failed", "passes", flight.ok, canary.command(lab), flight.stages)
