"""What a finding is, and how a check is declared.

A check is a pure function of facts. It has an id that scripts and the lab know it by, and yields texts for an operator: what is wrong, what
probably brought it about, and what mends it: a command, or a page of docs/operations.
"""

from collections import namedtuple

# `host` is a name of the inventory, or FLEET where it is nobody's alone.
Finding = namedtuple("Finding", "host check what cause fix")
FLEET = "fleet"
RUNS = ("active", "reloading", "refreshing")
CHECKS = {}
Check = namedtuple("Check", "id function section groups across")


class Host:
    """One host that answered: its name, its groups, what it said."""

    def __init__(self, name, made, facts):
        self.name, self.made, self.facts = name, made, facts
        self.groups = made["hosts"][name]["groups"]

    def of(self, section):
        """What it said in an area; nothing where it has none of that, or could not be asked."""
        said = self.facts.get(section)
        return said if isinstance(said, dict) and set(said) != {"error"} else None

    def is_active(self, unit):
        units = self.of("units")
        return bool(units) and units["wanted"].get(unit, {}).get("active") in RUNS


class Fleet:
    """All hosts that answered, and what the controller knows: `given` has version, clocks (host → before, said, after) and silent hosts."""

    def __init__(self, made, facts, given):
        self.made, self.given = made, given
        self.hosts = [Host(name, made, said) for name, said in facts.items() if said]

    def saying(self, section, group=None):
        """(host, what it said) of those that said something in an area."""
        return [(host, host.of(section)) for host in self.hosts if host.of(section) and (group is None or group in host.groups)]


def of_host(identifier, section, groups=()):
    """Declares a check of each host that has something in an area: function(host, said) yields (what, cause, fix)."""

    def declare(function):
        _add(Check(identifier, function, section, groups, False))
        return function

    return declare


def of_fleet(identifier):
    """Declares a check across hosts: function(fleet) yields (host or FLEET, what, cause, fix)."""

    def declare(function):
        _add(Check(identifier, function, None, (), True))
        return function

    return declare


def _add(check):
    if check.id in CHECKS:
        raise ValueError(f"two checks are called {check.id}")
    CHECKS[check.id] = check


def journal(unit):
    """Where to read what a unit said."""
    return f"journalctl -u {unit.removesuffix('.service')} -n 50"


def grouped(pairs):
    """Value → those who have it."""
    found = {}
    for value, who in pairs:
        found.setdefault(value, []).append(who)
    return found


def odd_ones(pairs):
    """The value that most have, and (value, who) of those that have another."""
    groups = grouped(pairs)
    usual = max(groups, key=lambda value: len(groups[value]), default=None)
    return usual, [(value, who) for value, members in groups.items() if value != usual for who in members]


def size(count):
    """1.5 GB."""
    for unit, of in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:.1f} {of}"
    return f"{int(count)} bytes"
