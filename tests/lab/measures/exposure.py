"""How much a unit that was taken over could reach, as `systemd-analyze security` counts it, on every host.

Looked at are all services that the roles start, what their sockets and timers start, and every service with a file
or a drop-in of Kinora's on the host: one that a role forgets to list is seen all the same.
"""

import re
from collections.abc import Iterator

from .figures import Figure, Options
from .hosts import Lab
from .roles import started_units

HEAVIEST = 12
MEDIA, OWN, CLUSTER, OTHERS = 0.5, 1.0, 2.3, 1.5

# Where it is written why a unit shows more than its goal.
REASONS = {unit: "why: docs/adr/0011-exposure-of-ssh-and-firewall.md" for unit in ("ssh.service", "kinora-firewall.service", "kinora-firewall-restore.service")}

# Services with a unit file or a drop-in of ours, one a line.
OURS = r"""
cd / && ls -d etc/systemd/system/*.service.d/*-kinora-*.conf etc/systemd/system/kinora-*.service \
    usr/lib/systemd/system/kinora-*.service 2> /dev/null |
    sed -n 's#.*/system/\([^/]*\.service\).*#\1#p' | sort -u
"""
# What a socket or a timer starts.
STARTED = 'for unit; do systemctl show --property=Triggers --value "$unit"; done'
# "UNIT VALUE", one a line; a template is looked at as one of its instances.
LEVELS = r"""
for unit; do
    echo "$unit $(systemd-analyze security --no-pager "$unit" 2>&1 | sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p')"
done
"""


def measure(lab: Lab, options: Options) -> Iterator[Figure]:
    levels: dict[str, dict[str, float | None]] = {}
    for host in lab.servers:
        for unit, level in _levels(lab, host.name, _services(lab, host)).items():
            levels.setdefault(unit, {})[host.name] = level
        options.say(f"{host.name}: looked at")
    for unit in sorted(levels):
        yield _figure(lab, unit, levels[unit])


def of_units(lab: Lab, units: dict[str, str]) -> Iterator[Figure]:
    """What other measures set up for a while: unit → group whose hosts have it."""
    for unit, group in units.items():
        yield _figure(lab, unit, {host: _levels(lab, host, [unit])[unit] for host in lab.members(group)})


# Units of ours that run somebody else's program: rsyslog.
OTHERS_PROGRAMS = ("kinora-audit-target.service",)


def goal(unit: str) -> float:
    """The most that a unit may show."""
    if unit.startswith("kinora-media@"):
        return MEDIA
    if unit.startswith("kinora-") and unit not in OTHERS_PROGRAMS:
        return OWN
    return CLUSTER if unit in ("keepalived.service", "patroni.service") else OTHERS


def _services(lab: Lab, host) -> list[str]:
    # Not all of a role's units run on each of its hosts: there is no keepalived beside a lone load balancer.
    enabled = [unit for unit in started_units(host) if lab.exec(host.name, ["systemctl", "is-enabled", "--quiet", unit]).ok]
    triggers = [unit for unit in enabled if not unit.endswith(".service")]
    found = [unit for unit in enabled if unit.endswith(".service")] + ["ssh.service"]
    found += lab.exec(host.name, ["sh", "-c", STARTED, "started", *triggers]).output.split()
    found += lab.exec(host.name, OURS).output.split()
    # A socket that accepts starts instances, of which none need run now; each instance is as its template.
    names = [re.sub(r"@[^.]*\.service$", "@.service", unit) for unit in found if unit.endswith(".service")]
    if any(unit == "kinora-media.socket" for unit in enabled):
        names.append("kinora-media@.service")
    return sorted(set(names))


def _levels(lab: Lab, host: str, units: list[str]) -> dict[str, float | None]:
    instances = {unit.replace("@.service", "@measured.service"): unit for unit in units}
    answer = lab.exec(host, ["sh", "-c", LEVELS, "levels", *instances], timeout=180)
    levels = {}
    for line in answer.output.splitlines():
        instance, _, level = line.partition(" ")
        levels[instances[instance]] = float(level) if level else None
    return levels


def _figure(lab: Lab, unit: str, levels: dict[str, float | None]) -> Figure:
    most = goal(unit)
    worst = max(10.0 if level is None else level for level in levels.values())
    host = next(name for name, level in levels.items() if level is None or level == worst)
    count = f"{len(levels)} hosts" if len(levels) > 1 else "1 host"
    value = "unknown" if levels[host] is None else f"{worst:.1f}"
    reached = levels[host] is not None and worst <= most
    analysed = f"systemd-analyze security --no-pager {unit.replace('@.service', '@measured.service')}"
    details = [] if reached else [*filter(None, [REASONS.get(unit)]), *_exposed(lab, host, analysed)]
    return Figure("exposure", f"`{unit}`", f"{value} ({count})", f"≤ {most}", reached, lab.typed(host, analysed), details)


def _exposed(lab: Lab, host: str, analysed: str) -> list[str]:
    """What counts most against the unit, heaviest first."""
    found = []
    for line in lab.exec(host, analysed).output.splitlines():
        weight = line.split()[-1] if line.lstrip().startswith("✗") else ""
        if re.fullmatch(r"\d\.\d", weight):
            found.append((float(weight), " ".join(line.split()[1:-1])))
    found.sort(key=lambda each: -each[0])
    lines = [f"{weight}  {text}" for weight, text in found[:HEAVIEST]]
    rest = sum(weight for weight, _ in found[HEAVIEST:])
    return [*lines, f"{rest:.1f}  {len(found) - HEAVIEST} more"] if len(found) > HEAVIEST else lines
