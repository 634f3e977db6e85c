"""Where the lab keeps things: caches that all labs of a checkout share, and the state of each lab."""

import hashlib
import os
import re
from pathlib import Path

from .problem import Problem

PROJECT = Path(__file__).resolve().parents[3]
HOME = Path(os.environ.get("KINORA_LAB_DIR", PROJECT / ".kinora-lab")).resolve()
ROOTS = HOME / "roots"


class State:
    """The directory of one lab, and the names derived from it."""

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name) or name == "roots":
            raise Problem(f"{name!r} cannot name a lab; use up to 31 lower case letters, digits and dashes")
        self.name = name
        self.path = HOME / name
        # Two checkouts may both have a lab called `lab`.
        self.unique = f"kinora-lab-{name}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:8]}"

    @property
    def record(self) -> Path:
        """Who holds the lab: process number, its start, and the boot of the machine."""
        return self.path / "record.json"

    @property
    def plan(self) -> Path:
        """The fleet that was asked for."""
        return self.path / "plan.json"

    @property
    def log(self) -> Path:
        return self.path / "supervisor.log"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    def host(self, name: str) -> Path:
        return self.path / "hosts" / name


def all_states() -> list[State]:
    """Every lab that has a state directory in this checkout."""
    if not HOME.is_dir():
        return []
    return [State(p.name) for p in sorted(HOME.iterdir()) if p.is_dir() and p != ROOTS]
