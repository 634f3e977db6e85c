"""docs/operations/measured.md, from the figures alone."""

from dataclasses import astuple
from pathlib import Path

from . import MEASURES, ON_REQUEST
from .figures import Figure
from .store import Run, read

LAYOUTS = ("full", "compact", "single")
TITLES = {
    "install": "Install",
    "packages": "The life of our packages, on a host that has none of Kinora",
    "segmentation": "Segmentation: every host against every other",
    "egress": "Ways out of a host that was taken over",
    "outside": "Mail relay and log collector",
    "admission": "Service accounts where they have no business",
    "firewall": "The host firewall: rules tried, dropped packets, boot",
    "transport": "TLS and headers",
    "exposure": "Exposure of units (`systemd-analyze security`, 0 is best, 10 worst)",
    "sign-on": "Single sign-on",
    "restarts": "An application restarted under new connections",
    "reboot": "Each host rebooted in turn",
    "doctor": "The verb `doctor`: a healthy fleet, and faults injected one by one",
    "drain": "A host taken out for work on it, while people work",
    "verbs": "Verbs that change the fleet, while people work",
    "upgrade": "Upgrade to the next release, and back, while people work",
    "takeover": "Whatever breaks, while people sign in, read, write, upload and encode",
    "chaos": "Faults drawn at random, one after the other, while people work",
    "restore": "Restore, backups and their drill",
}
HEAD = """# Measured

Written by `make lab-test` from what it measured ([how](../development/lab.md#measuring)); no figure is typed by hand. A fleet of the
inventory named is booted bare, installed from the bundle and measured, all on one machine.

Commands run on the machine of the lab, in the checkout: `make lab LAB=full` first, and `make lab-down` in the end.
"""
ALL_REACHED, SOME_MISSED = "Every goal is reached.", "**Not reached: {}.**"
DETAIL_LINES = 40


def write(figures: Path) -> Path:
    """Writes the page that lies beside the file of figures."""
    page = figures.with_suffix(".md")
    page.write_text(text(read(figures)), encoding="utf-8")
    return page


def text(runs: list[Run]) -> str:
    """The whole page."""
    parts = [HEAD, _verdict(runs), _origin(runs)]
    sections = list(dict.fromkeys([*TITLES, *(figure.section for run in runs for figure in run.figures)]))
    for section in sections:
        rows = _rows(runs, section)
        if rows:
            parts.append(_section(section, rows))
    return "\n".join(parts)


def _verdict(runs: list[Run]) -> str:
    goals = [(run, figure) for run in runs for figure in run.figures if figure.goal]
    missed = [f"{figure.what} ({run.layout})" for run, figure in goals if not figure.reached]
    if not missed:
        return f"{ALL_REACHED} ({len(goals)})\n"
    return f"{len(goals) - len(missed)} of {len(goals)} goals are reached. {SOME_MISSED.format('; '.join(missed))}\n"


def _origin(runs: list[Run]) -> str:
    """Which machine and version the figures are of, and when each was measured."""
    machines = list(dict.fromkeys(astuple(run.machine) for run in runs))
    lines = ["| measure | layout | when (UTC) | Kinora | took | load before | machine |", "|---|---|---|---|---|---|---|"]
    order = {name: number for number, name in enumerate((*MEASURES, *ON_REQUEST))}
    for run in sorted(runs, key=lambda run: (order.get(run.measure, 99), LAYOUTS.index(run.layout) if run.layout in LAYOUTS else 9)):
        sampled = " (sampled)" if run.sampled else ""
        machine = machines.index(astuple(run.machine)) + 1
        lines.append(f"| {run.measure}{sampled} | {run.layout} | {run.at} | {run.version} | {duration(run.seconds)} | {run.load:.1f} | {machine} |")
    lines.append("")
    for number, (processors, memory, kernel, system) in enumerate(machines, 1):
        lines.append(f"Machine {number}: {processors} processors, {memory} GB of memory, Linux {kernel}, {system}.")
    lines += ["", "“Load before” is the load average of the minute before: on a machine that does other work, too, all of this is slower."]
    return "\n".join(lines) + "\n"


def _rows(runs: list[Run], section: str) -> dict[str, dict[str, Figure]]:
    """What → layout → figure, in the order in which they were measured."""
    rows: dict[str, dict[str, Figure]] = {}
    for run in sorted(runs, key=lambda run: LAYOUTS.index(run.layout) if run.layout in LAYOUTS else 9):
        for figure in run.figures:
            if figure.section == section:
                rows.setdefault(figure.what, {})[run.layout] = figure
    return rows


def _section(section: str, rows: dict[str, dict[str, Figure]]) -> str:
    layouts = sorted({layout for row in rows.values() for layout in row}, key=lambda layout: (layout not in LAYOUTS, [*LAYOUTS, layout].index(layout)))
    lines = [f"## {TITLES.get(section, section.capitalize())}", ""]
    lines += [f"| what | {' | '.join(layouts)} | goal | reached | command |", f"|---|{'---|' * len(layouts)}---|---|---|"]
    details: list[str] = []
    for what, row in rows.items():
        goal = _of_layouts({layout: _cell(figure.goal) for layout, figure in row.items()})
        command = next((figure.command for figure in row.values() if figure.command), "")
        values = [_cell(row[layout].value) if layout in row else "–" for layout in layouts]
        lines.append(f"| {_cell(what)} | {' | '.join(values)} | {goal} | {_reached(row)} | {_code(command)} |")
        for layout, figure in row.items():
            if figure.reached is False and figure.details:
                details += ["", f"**{what}** ({layout}):", "", *_block(figure.details)]
    return "\n".join([*lines, *details, ""])


def _of_layouts(texts: dict[str, str]) -> str:
    """What is the same for all once, else what it is for each."""
    said = {layout: text for layout, text in texts.items() if text}
    same = list(dict.fromkeys(said.values()))
    return "; ".join(f"{layout}: {text}" for layout, text in said.items()) if len(same) > 1 else "".join(same)


def _reached(row: dict[str, Figure]) -> str:
    missed = [layout for layout, figure in row.items() if figure.reached is False]
    if all(figure.reached is None for figure in row.values()):
        return ""
    if not missed:
        return "yes"
    return "**no**" if len(missed) == len(row) else f"**no** ({', '.join(missed)})"


def _block(lines: list[str]) -> list[str]:
    shown = lines[:DETAIL_LINES]
    if len(lines) > len(shown):
        shown = [*shown, f"… and {len(lines) - len(shown)} more"]
    return ["```", *(line.replace("```", "'''") for line in shown), "```"]


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def _code(command: str) -> str:
    if not command:
        return ""
    # A command with a backtick in it needs a longer fence.
    fence = "``" if "`" in command else "`"
    return f"{fence}{_cell(command)}{fence}"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
