"""A lab that is up follows its inventory: a host that comes into it is booted, one that goes out of it is thrown away. Needs root."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from lab import cleanup, fleet
from lab.control import Lab
from lab.paths import PROJECT, State
from measures.add_host import NAME, with_one_more

ENTRY = Path(__file__).resolve().parents[1] / "lab.py"
SINGLE = PROJECT / "ansible/inventories/single/hosts.yml"


@unittest.skipUnless(os.geteuid() == 0, "makes namespaces")
class Inventory(unittest.TestCase):
    def setUp(self) -> None:
        self.state = State(f"inventory-{os.getpid()}")
        self.addCleanup(cleanup.end, self.state)

    def up(self, inventory: Path) -> str:
        command = [sys.executable, "-B", str(ENTRY), "--name", self.state.name, "up", "--inventory", str(inventory)]
        return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout

    def test_a_host_comes_and_goes(self) -> None:
        self.up(SINGLE)
        larger = self.state.path / "larger.yml"
        larger.write_text(json.dumps(with_one_more(SINGLE, fleet.load(SINGLE, "single"))))
        self.assertIn(f"booting in addition: {NAME}", self.up(larger))
        lab = Lab(self.state)
        self.assertIn("more", lab.run(NAME, "hostname").stdout)
        directory = self.state.host(NAME)
        self.assertTrue(directory.is_dir())

        self.assertIn(f"no longer in the inventory, thrown away: {NAME}", self.up(SINGLE))
        self.assertNotIn(NAME, [host.name for host in lab.fleet().hosts])
        self.assertNotIn(NAME, lab.order(do="status")["hosts"])
        self.assertFalse(directory.exists())
        others = subprocess.run(lab.inside(["ip", "netns", "list"]), capture_output=True, text=True, check=True).stdout
        self.assertNotIn(NAME, others)
        # It can come again, as new.
        self.assertIn(f"booting in addition: {NAME}", self.up(larger))
