"""What the lab says while it works: one line for each thing done, with the seconds since it began."""

import sys
import threading
import time


class Progress:
    """Prints lines that stand for themselves in a log as well as at a terminal."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def seconds(self) -> float:
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        with self._lock:
            print(f"{self.seconds():6.1f} s  {text}", flush=True)

    def warn(self, text: str) -> None:
        with self._lock:
            print(f"{self.seconds():6.1f} s  {text}", file=sys.stderr, flush=True)
