"""The verb `rotate-secrets`: passwords between services anew; the old ones have to be refused where the new ones are admitted."""

from collections.abc import Iterator

from .admission import Knocking, Try
from .figures import Figure, Options
from .finding import well
from .hosts import Lab
from .verb import SECTION, at_noon

AGAIN = "make lab-test ONLY=rotate_secrets"
# docs/operations/rotate-secrets.md says why.
KEPT = ("distribution the nodes' cookie at its own",)


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    well(lab)
    before = Knocking(lab, options)
    old = with_passwords(before)
    yield from at_noon(lab, options, "rotate-secrets")
    after = Knocking(lab, options)
    new = with_passwords(after)
    same = [name for name in new if new[name].attempt["password"] == old[name].attempt["password"] and name not in KEPT]
    yield Figure(SECTION, "`rotate-secrets`: passwords that are still the old ones", f"{len(same)} of {len(new) - len(KEPT)}", "0", not same, AGAIN, same)
    for tries, wanted in ((old, "refused"), (new, "admitted")):
        asked = [each for name, each in tries.items() if name not in KEPT]
        after.run(asked)
        wrong = [f"from {each.vantage}, {each.what}: {each.result['end']}" for each in asked if each.result["end"] != wanted]
        what = f"`rotate-secrets`: accounts {wanted} with their {'old' if tries is old else 'new'} password"
        yield Figure(SECTION, what, f"{len(asked) - len(wrong)} of {len(asked)}", "all", not wrong, AGAIN, wrong)


def with_passwords(knocking: Knocking) -> dict[str, Try]:
    """Each account that has a password, at its own service."""
    return {each.what: each for each in knocking.at_their_own() if each.attempt.get("password")}
