"""The verb `replace-host`: a host dies with its disk, and a bare machine with its name and addresses takes its place.

One host of each role that is not the database's primary; sampled, one host. Its death is a matter of the takeovers: people come to work
when the others have taken over.
"""

from collections.abc import Iterator

from . import canary
from .at_work import wait
from .drain import one_of_each_role
from .figures import Figure, Options
from .finding import BACK_SECONDS, well
from .hosts import Lab
from .verb import at_noon


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    hosts = one_of_each_role(lab, well(lab))
    for host in hosts[: options.runs or (1 if options.sampled else len(hosts))]:
        lab.power(host, "new")
        options.say(f"{host} is bare")
        wait(lambda: canary.fly(lab).ok, BACK_SECONDS, f"no canary passes without {host}")
        yield from at_noon(lab, options, "replace-host", "-e", f"host={host}")
