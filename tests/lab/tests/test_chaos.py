"""Faults at random: the same seed draws the same ones, only what the layout can have, each is undone however it ends, and the verdict is right."""

import itertools
import signal
import threading
import unittest
from contextlib import contextmanager
from unittest.mock import patch

from lab import fleet
from lab.fleet import STORAGE_PATH
from lab.paths import PROJECT
from lab.problem import Problem
from load.journal import ACKNOWLEDGED, UNKNOWN, Entry
from load.verdict import Verdict
from measures import MEASURES, ON_REQUEST, chaos, chaos_faults, faults, page
from measures.at_work import Seen
from measures.chaos import Injected
from measures.chaos_faults import FAULTS, GROUPS, Drawn, Fault, Target, draw, possible
from measures.figures import Options, Result


def groups(layout: str) -> dict[str, list[str]]:
    hosts = fleet.load(PROJECT / "ansible/inventories" / layout / "hosts.yml", layout).hosts
    return {group: [host.name for host in hosts if group in host.groups] for group in GROUPS}


def drawn(number: int, name: str = "x", act=None, target: Target = Target("db1")) -> Drawn:
    fault = Fault(name, {}, lambda _: [target], act or (lambda lab, target: quiet()))
    return Drawn(number, fault, name, target, 0.0, 0.0)


@contextmanager
def quiet():
    yield


class Plugs:
    """A fleet that only notes what is wrong with it."""

    def __init__(self, layout: str = "compact") -> None:
        self.fleet = fleet.load(PROJECT / "ansible/inventories" / layout / "hosts.yml", layout)
        self.servers = [host for host in self.fleet.hosts if host.kind == "server"]
        self.broken: set[tuple] = set()
        self.done = 0
        self.control = self

    def members(self, group: str) -> list[str]:
        return [host.name for host in self.servers if group in host.groups]

    def power(self, host: str, to: str) -> None:
        self._set(("power", host), to == "off")

    def order(self, **order) -> None:
        self._set(("cable", order["host"], order["zone"]), order["to"] == "pulled")

    def push(self, *_) -> None:
        pass

    def exec(self, host: str, command, timeout: float = 60, stdin: str | None = None) -> Result:
        words = [command] if isinstance(command, str) else command
        for begin, end in PAIRS:
            if begin in words:
                self._set((begin, host), True)
            if end in words:
                self.broken = {each for each in self.broken if each[1] != host or end not in dict_of(each[0])}
        return Result(0, "1.0", "")

    def _set(self, what: tuple, is_broken: bool) -> None:
        self.done += 1
        (self.broken.add if is_broken else self.broken.discard)(what)


# What begins a fault at a host's console, and what ends it.
PAIRS = (
    ("SIGSTOP", "SIGCONT"),
    (faults.COVER, faults.UNCOVER),
    (faults.FILL, faults.UNCOVER),
    ("0", str(faults.NO_LIMIT)),
    (faults.FILL_BROKER, faults.EMPTY_BROKER),
    (faults.TURN_CLOCK, faults.TURN_CLOCK_BACK),
)


def dict_of(begin: str) -> set[str]:
    return {end for other, end in PAIRS if other == begin}


class Drawing(unittest.TestCase):
    def test_the_same_seed_draws_the_same(self):
        for layout in page.LAYOUTS:
            once, again, other = (list(itertools.islice(draw(seed, groups(layout)), 50)) for seed in (7, 7, 8))
            self.assertEqual(once, again)
            self.assertNotEqual(once, other)

    def test_every_fault_comes_on_a_fleet_that_can_have_it(self):
        for layout in ("full", "compact"):
            self.assertEqual({each.name for each in itertools.islice(draw(1, groups(layout)), 1000)}, {fault.name for fault in FAULTS})

    def test_a_single_host_is_not_taken_away(self):
        names = {each.name for each in itertools.islice(draw(1, groups("single")), 1000)}
        self.assertEqual(names, {"storage path gone", "disk full on a broker", "disk full on staging", "clock off by 5 minutes"})

    def test_what_needs_a_majority_is_left_out_where_there_is_none(self):
        two = {**groups("full"), "backends": ["be1", "be2"]}
        self.assertFalse({fault.name for fault in possible(two)} & {fault.name for fault in FAULTS if "backends" in fault.least})

    def test_engines_are_drawn_on_every_node(self):
        hit = {each.target for each in itertools.islice(draw(3, groups("full")), 3000) if each.name == "kill -9 of an engine on any backend"}
        self.assertEqual(hit, {Target(host, engine) for host in ("be1", "be2", "be3") for engine in chaos_faults.ENGINES})

    def test_a_cable_is_one_that_the_host_has(self):
        for layout in ("full", "compact"):
            hosts = {host.name: {cable.zone for cable in host.interfaces} for host in fleet.load(PROJECT / "ansible/inventories" / layout / "hosts.yml", layout).hosts}
            for target in chaos_faults._cables(groups(layout)):
                self.assertIn(target.detail, hosts[target.host])

    def test_it_runs_where_it_is_asked_for(self):
        self.assertIn("chaos", ON_REQUEST)
        self.assertNotIn("chaos", MEASURES)


class Undoing(unittest.TestCase):
    LASTING = [fault for fault in FAULTS if fault.lasts[1]]

    def target(self, fault: Fault, lab: Plugs) -> Target:
        found = fault.targets({group: lab.members(group) for group in GROUPS})[0]
        return Target("kinora2") if fault.host else found

    def test_each_is_undone(self):
        self.assertGreater(len(self.LASTING), 10)
        for fault in self.LASTING:
            lab = Plugs()
            with self.subTest(fault.name), fault.act(lab, self.target(fault, lab)):
                self.assertTrue(lab.broken)
            self.assertFalse(lab.broken, fault.name)

    def test_each_is_undone_when_the_run_is_interrupted(self):
        for fault in self.LASTING:
            for error in (KeyboardInterrupt, SystemExit, RuntimeError):
                lab = Plugs()
                with self.assertRaises(error), fault.act(lab, self.target(fault, lab)):
                    self.assertTrue(lab.broken)
                    raise error
                self.assertFalse(lab.broken, fault.name)

    def test_what_began_and_failed_is_undone(self):
        undone = []

        def begin():
            raise Problem("half of it")

        with self.assertRaises(Problem), faults.away(begin, lambda: undone.append(1)):
            pass
        self.assertEqual(undone, [1])

    def test_a_storage_is_given_back_to_all_though_one_host_fails(self):
        lab, gave = Plugs(), []

        def exec(host, command, timeout=60, stdin=None):
            if faults.UNCOVER in command:
                gave.append(host)
            return Result(int(faults.UNCOVER in command and host == "kinora1"), "", "busy")

        lab.exec = exec
        with self.assertRaisesRegex(Problem, "on kinora1: busy"), faults.storage_gone(lab):
            pass
        self.assertEqual(gave, faults.storage_hosts(lab))
        self.assertTrue(all(STORAGE_PATH in lab.fleet.host(host).binds.values() for host in gave))

    def test_ctrl_c_waits_for_what_is_being_undone(self):
        undone = []

        def end():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            undone.append(1)

        # Whoever runs the tests in the background has them ignore it.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        with self.assertRaises(KeyboardInterrupt), faults.away(lambda: None, end):
            pass
        self.assertEqual(undone, [1])
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_it_works_beside_the_main_thread(self):
        undone = []

        def work():
            with faults.away(lambda: None, lambda: undone.append(1)):
                pass

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertEqual(undone, [1])


class Playing(unittest.TestCase):
    def play(self, sequence, heal, until: float = float("inf")):
        injected, said = [], []
        chaos.play(None, said.append, sequence, until, injected, heal)
        return injected, said

    def test_one_after_the_other_until_the_time_is_over(self):
        acts = []

        @contextmanager
        def act(lab, target):
            acts.append("begun")
            yield
            acts.append("undone")

        injected, said = self.play((drawn(number, act=act) for number in (1, 2, 3)), lambda: acts.append("healed") or "db1")
        self.assertEqual(acts, ["begun", "undone", "healed"] * 3)
        self.assertTrue(all(fault.healed is not None for fault in injected))
        self.assertTrue(any("db1 is primary" in line for line in said))
        self.assertEqual(len(self.play((drawn(number) for number in (1, 2, 3)), lambda: "db1", until=0.0)[0]), 1)

    def test_a_fault_that_does_not_heal_ends_the_run_with_its_name(self):
        def heal():
            raise Problem("the fleet is not well after 300 s\ndb1: patroni.service is failed")

        injected, said = self.play([drawn(1, "storage path gone"), drawn(2, "never")], heal)
        self.assertEqual([fault.drawn.name for fault in injected], ["storage path gone"])
        self.assertIn("storage path gone (db1): NOT HEALED", "\n".join(said))
        verdict = list(chaos.figures(injected, 5, 10, "make lab-chaos SEED=5"))[-1]
        self.assertIs(verdict.reached, False)
        self.assertIn("not: fault 1, storage path gone (db1)", verdict.value)
        self.assertIn("fault 1, storage path gone (db1): db1: patroni.service is failed", verdict.details)

    def test_a_fault_that_cannot_be_undone_ends_the_run_as_well(self):
        def end():
            raise Problem("db1 did not come back")

        injected, _ = self.play([drawn(1, act=lambda lab, target: faults.away(lambda: None, end)), drawn(2)], lambda: "db1")
        self.assertEqual([fault.missing for fault in injected], [["db1 did not come back"]])

    def test_who_is_hit_is_found_when_its_turn_comes(self):
        def lost(lab):
            raise Problem("no worker encodes")

        fault = Fault("x", {}, lambda _: [Target()], lambda lab, target: quiet(), host=lambda lab: "db2")
        self.assertEqual(chaos.found(None, Drawn(1, fault, "x", Target(), 0, 0)), Target("db2"))
        gone = Fault("x", {}, lambda _: [Target()], lambda lab, target: quiet(), host=lost)
        injected, said = self.play([Drawn(1, gone, "x", Target(), 0, 0)], lambda: "db1")
        self.assertEqual(injected, [])
        self.assertIn("left out", said[0])

    def test_the_faults_drawn_and_the_seed_are_kept(self):
        injected, _ = self.play([drawn(1, "a"), drawn(2, "b")], lambda: "db1")
        first, second = chaos.figures(injected, 5, 10, "make lab-chaos SEED=5")
        self.assertEqual(first.value, "2 in 10 minutes, seed 5")
        self.assertEqual(first.details, ["fault 1, a (db1)", "fault 2, b (db1)"])
        self.assertIs(second.reached, True)

    def test_nothing_drawn_proves_nothing(self):
        self.assertIs(list(chaos.figures([], 5, 10, ""))[-1].reached, False)


class Measuring(unittest.TestCase):
    """The whole of it, at a fleet of one host, where nobody has to be found."""

    def run_it(self, seed: int | None, sleep=lambda seconds: None, seen: Seen | None = None):
        @contextmanager
        def working(lab, **order):
            yield seen or Seen()

        self.lab, said = Plugs("single"), []
        options = Options("single", minutes=1e-9, seed=seed, say=said.append)
        with (
            patch.object(chaos, "at_work", working),
            patch.object(chaos, "well", lambda lab: "kinora1"),
            patch.object(chaos, "long_film", lambda lab: "film"),
            patch.object(faults, "OTHER_CLOCK", PROJECT / "Makefile"),
            patch.object(chaos.time, "sleep", sleep),
        ):
            return list(chaos.measure(self.lab, options)), said

    def test_a_seed_is_chosen_said_and_kept(self):
        figures, said = self.run_it(None)
        command = next(figure.command for figure in figures if figure.what == "faults drawn")
        self.assertRegex(command, r"^make lab-chaos LAB=single MINUTES=1e-09 SEED=\d+$")
        self.assertIn(command, said[0])
        again, _ = self.run_it(int(command.rsplit("=", 1)[1]))
        self.assertEqual([figure.details for figure in figures], [figure.details for figure in again])

    def test_each_fault_has_its_verdict_at_the_end(self):
        figures, said = self.run_it(4)
        self.assertTrue(any(line.startswith("fault 1, ") and "lost 0, doubled 0" in line for line in said))
        self.assertIn(draw(4, groups("single")).__next__().name, [figure.what for figure in figures])

    def test_what_is_lost_misses_a_goal(self):
        verdict = Verdict()
        verdict.find("lost", 1, "create 1 was acknowledged and is not there")
        figures, _ = self.run_it(4, seen=Seen([Entry(1, "create", 1.0, ended=2.0, outcome=ACKNOWLEDGED)], verdict))
        self.assertTrue([figure for figure in figures if figure.reached is False and figure.details == verdict.lost])

    def test_whoever_interrupts_it_leaves_nothing_broken(self):
        def sleep(seconds):
            self.assertTrue(self.lab.broken)
            raise KeyboardInterrupt

        for seed in range(8):
            with self.assertRaises(KeyboardInterrupt):
                self.run_it(seed, sleep)
            self.assertGreater(self.lab.done, 0)
            self.assertFalse(self.lab.broken)


class Judging(unittest.TestCase):
    def setUp(self):
        entries = [
            Entry(1, "create", 5.0, ended=6.0, outcome=ACKNOWLEDGED),
            Entry(2, "create", 15.0, ended=16.0, outcome=ACKNOWLEDGED, failures=["503"]),
            Entry(3, "read", 25.0, ended=26.0, outcome=UNKNOWN, failures=["503", "503"]),
        ]
        verdict = Verdict()
        verdict.find("lost", 2, "create 2 was acknowledged and is not there")
        verdict.find("duplicated", 1, "create 1 is there 2 times")
        # Both write from 21 on; the second one's turn is then.
        self.seen = Seen(entries, verdict, {"db1": [(21.0, 21.0), (21.1, 21.1)], "db2": [(21.05, 21.05)]})
        self.injected = [Injected(drawn(1, "first"), Target("db1"), 10.0, 11.0, 19.0), Injected(drawn(2, "second"), Target("db2"), 20.0, 21.0, 29.0)]

    def test_each_has_what_began_until_the_next_one(self):
        (first, alone), (second, later) = chaos.each(self.injected, self.seen)
        self.assertEqual(chaos.findings(alone), ["create 2 was acknowledged and is not there"])
        self.assertEqual([entry.number for entry in alone.entries], [2])
        self.assertEqual(len(chaos.findings(later)), 1)
        self.assertIn("two primaries", chaos.findings(later)[0])
        self.assertEqual(len(later.given_up()), 1)
        self.assertIn("lost 1, doubled 0", chaos.told(first, alone))
        self.assertIn("healed in 8 s", chaos.told(second, later))
        self.assertIn("1 in vain", chaos.told(second, later))

    def test_a_kind_misses_its_goal_for_each_finding(self):
        first, second = chaos.by_kind(self.injected, self.seen, "make lab-chaos SEED=5")
        self.assertIs(first.reached, False)
        self.assertIn("fault 1, first (db1): create 2 was acknowledged and is not there", first.details)
        self.assertIs(second.reached, False)
        sound = Seen(self.seen.entries[:1], Verdict(), {})
        self.assertTrue(all(figure.reached for figure in chaos.by_kind(self.injected, sound, "")))

    def test_what_did_not_heal_is_no_success(self):
        self.injected[1].missing = ["db1: patroni.service is failed"]
        figures = {figure.what: figure for figure in chaos.by_kind(self.injected, Seen(), "")}
        self.assertIs(figures["first"].reached, True)
        self.assertIs(figures["second"].reached, False)
        self.assertIn("never", figures["second"].value)


if __name__ == "__main__":
    unittest.main()
