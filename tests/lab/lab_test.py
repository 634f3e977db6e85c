#!/usr/bin/python3 -B
"""Measures a fleet: boots it bare, installs it from the bundle, runs the measures, writes docs/operations/measured.md.

    tests/lab/lab_test.py --layout full                     everything, from bare hosts; the lab is ended then
    tests/lab/lab_test.py --name lab --only exposure        one measure, on a lab that is up and installed
    tests/lab/lab_test.py --page-only [--check]             writes the page from the kept figures, or says that it differs

It ends with 1 when a goal is not reached or a measure fails. /usr/bin/python3 on purpose: python3-yaml comes from apt.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import measures  # noqa: E402
from lab import cleanup, install, machine  # noqa: E402
from lab.control import holding_process  # noqa: E402
from lab.paths import PROJECT, State  # noqa: E402
from lab.problem import Problem  # noqa: E402
from lab.progress import Progress  # noqa: E402
from measures import page, store  # noqa: E402
from measures.figures import Figure, Options  # noqa: E402
from measures.hosts import Lab  # noqa: E402

FIGURES = PROJECT / "docs/operations/measured.json"
LAB = Path(__file__).resolve().parent / "lab.py"
KNOWN = [*measures.MEASURES, *measures.ON_REQUEST, *measures.GROUPS]


def main() -> int:
    arguments = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments.page_only:
            return write_page(arguments)
        machine.require()
        return measure_all(arguments)
    except Problem as problem:
        print(f"lab-test: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/lab/lab_test.py", description="Measures a fleet of Debian 13 hosts on this machine.")
    parser.add_argument("--name", default=os.environ.get("KINORA_LAB_NAME", "test"), help="which lab (default: test)")
    parser.add_argument("--layout", default="full", help="full, compact, single, or all: one after another")
    parser.add_argument("--only", help=f"some of: {','.join(KNOWN)}; without install, a lab that is up is measured")
    parser.add_argument("--runs", type=int, help="how often a measure that repeats something does it (takeover: 10)")
    parser.add_argument("--minutes", type=minutes, help="how long a measure goes on that ends with its time (chaos: 10)")
    parser.add_argument("--seed", type=int, help="what chaos draws its faults from; the same faults for the same number (default: one that it says)")
    parser.add_argument("--sampled", action="store_true", help="fewer ports, one host for each role")
    parser.add_argument("--bundle", type=Path, help="install this bundle instead of building one")
    parser.add_argument("--next-bundle", type=Path, help="upgrade to this bundle instead of making one")
    parser.add_argument("--keep", action="store_true", help="leave the lab up in the end")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="where figures are kept; the page lies beside it (default: docs/operations/measured.json)")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--check", action="store_true", help="with --page-only: write nothing, fail where the page differs")
    return parser.parse_args()


def minutes(text: str) -> float:
    value = float(text)
    if not 0 < value < 24 * 60:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and a day")
    return value


def write_page(arguments: argparse.Namespace) -> int:
    if not arguments.check:
        page.write(arguments.figures)
        return 0
    target = arguments.figures.with_suffix(".md")
    if target.read_text(encoding="utf-8") != page.text(store.read(arguments.figures)):
        raise Problem(f"{target} is not what its figures say: tests/lab/lab_test.py --page-only")
    return 0


def measure_all(arguments: argparse.Namespace) -> int:
    progress = Progress()
    wanted = arguments.only.split(",") if arguments.only else list(measures.MEASURES)
    wanted = [each for name in wanted for each in measures.GROUPS.get(name, (name,))]
    unknown = [name for name in wanted if name not in KNOWN]
    if unknown:
        raise Problem(f"no measure {', '.join(unknown)}; there are {', '.join(KNOWN)}")
    wanted = [name for name in KNOWN if name in wanted]
    if "install" in wanted and arguments.bundle is None:
        # The same one for all layouts; building it is not part of installing.
        arguments.bundle = install.obtain(None, progress).tar
        progress.say(f"the bundle is {arguments.bundle}")
    if arguments.bundle:
        install.existing(arguments.bundle)
    layouts = list(page.LAYOUTS) if arguments.layout == "all" else [arguments.layout]
    missed: list[Figure] = []
    for layout in layouts:
        missed += measure_layout(arguments, layout, wanted, progress)
    kept = page.write(arguments.figures)
    if not missed:
        progress.say(f"every goal is reached; see {kept}")
        return 0
    # Once more, with what is known of them: hours of lines may stand between here and there.
    progress.warn(f"{len(missed)} of the goals are not reached; see {kept}")
    for figure in missed:
        show(figure, progress)
    return 1


def measure_layout(arguments: argparse.Namespace, layout: str, wanted: list[str], progress: Progress) -> list[Figure]:
    """Runs the measures on one layout; returns the figures that miss their goals."""
    state = State(arguments.name)
    fresh = "install" in wanted
    try:
        if fresh:
            boot_bare(state, layout, progress)
        lab = Lab(arguments.name)
        if lab.fleet.layout != layout:
            raise Problem(f"the lab {arguments.name!r} is up with the layout {lab.fleet.layout}, not {layout}: say LAB={lab.fleet.layout}")
        inventory = PROJECT / "ansible/inventories" / layout / "hosts.yml"
        options = Options(
            layout, arguments.sampled, inventory, arguments.bundle, arguments.next_bundle, arguments.runs, arguments.minutes, arguments.seed,
            lambda text: progress.say(f"  {text}"),
        )
        missed: list[Figure] = []
        for name in wanted:
            run = measure(lab, options, name, progress)
            if run is None:
                continue
            store.keep(arguments.figures, run)
            page.write(arguments.figures)
            missed += [figure for figure in run.figures if figure.reached is False]
            if name == "install" and missed and not installed(lab):
                progress.warn("the fleet is not installed; nothing more can be measured on it")
                break
        return missed
    finally:
        if fresh and not arguments.keep:
            progress.say(f"ending the lab {state.name}")
            cleanup.end(state)


def boot_bare(state: State, layout: str, progress: Progress) -> None:
    if holding_process(state) is not None or state.path.exists():
        progress.say(f"ending the lab {state.name} that is there: hosts are measured from bare")
        cleanup.end(state)
    progress.say(f"booting the layout {layout}, bare")
    code = subprocess.call(["setpriv", "--pdeathsig", "TERM", sys.executable, "-B", str(LAB), "--name", state.name, "up", "--layout", layout])
    if code != 0:
        raise Problem("the lab did not boot, see above")


def measure(lab: Lab, options: Options, name: str, progress: Progress) -> store.Run | None:
    """Runs one measure, printing each figure as it comes. Where it fails, that is a figure as well."""
    module = measures.load(name)
    if module is None:
        progress.warn(f"{name}: there is no such measure yet")
        return None
    progress.say(f"{name} ({options.layout}{', sampled' if options.sampled else ''})")
    began, load, figures = time.monotonic(), round(os.getloadavg()[0], 1), []
    try:
        for figure in module.measure(lab, options):
            figures.append(figure)
            show(figure, progress)
    except Problem as problem:
        figures.append(failure(name, str(problem)))
        show(figures[-1], progress)
    except Exception as error:
        traceback.print_exc()
        figures.append(failure(name, f"{type(error).__name__}: {error}"))
        show(figures[-1], progress)
    seconds = time.monotonic() - began
    progress.say(f"{name} took {page.duration(seconds)}")
    at = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return store.Run(options.layout, name, at, version(lab), round(seconds, 1), options.sampled, load, store.this_machine(), figures)


def failure(name: str, text: str) -> Figure:
    return Figure(name, f"the measure “{name}” itself", "failed", "ends", False, "", text.splitlines())


def show(figure: Figure, progress: Progress) -> None:
    mark = {True: "ok    ", False: "MISSED", None: "      "}[figure.reached]
    goal = f"  (goal: {figure.goal})" if figure.goal else ""
    progress.say(f"  {mark}  {figure.what}: {figure.value}{goal}")
    if figure.reached is False:
        for line in figure.details[: page.DETAIL_LINES * 2]:
            progress.say(f"            {line}")


def installed(lab: Lab) -> bool:
    return lab.exec("control", f"test -e {install.HOME}/inventory/group_vars/all/vault.yml").ok and all(
        lab.exec(host, "systemctl is-active --quiet kinora-application").ok for host in lab.members("applications")
    )


def version(lab: Lab) -> str:
    """Of the bundle that was unpacked last on the controller."""
    return lab.exec("control", f"cat $(ls -t {install.HOME}/kinora-*/VERSION | head -n 1)").output.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
