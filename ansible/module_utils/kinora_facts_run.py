"""Running commands and reading files for who only looks: each ends, and none of them fails the whole.

Used by the modules kinora_doctor_facts and kinora_support_facts. Only Python's own library, as on a bare Debian 13.
"""

import json
import os
import subprocess
import threading
import time
from collections import namedtuple

Done = namedtuple("Done", "code out err")
# What a command is given to end; a host that is in trouble must not keep the page from being shown.
COMMAND_SECONDS = 8
TIMED_OUT = 124


def run(*command, seconds=COMMAND_SECONDS, feed=None):
    """How a command ended; 127 where there is none of that name, 124 where its time was over."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=seconds, cwd="/", env=environment,
                              **({"stdin": subprocess.DEVNULL} if feed is None else {"input": feed}))
    except FileNotFoundError:
        return Done(127, "", f"{command[0]} is not installed")
    except OSError as error:
        return Done(126, "", str(error))
    except subprocess.TimeoutExpired:
        return Done(TIMED_OUT, "", f"{command[0]} did not end within {seconds} s")
    return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def read(path, size=1 << 20):
    """A file's text, or nothing where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(size)
    except OSError:
        return None


def as_json(done):
    """What a command printed as JSON, or {"error": why} where it did not."""
    try:
        if done.code == 0:
            return json.loads(done.out)
    except ValueError:
        pass
    return {"error": (done.err.strip() or done.out.strip() or f"ended with {done.code}")[-300:]}


def gather(sections, seconds):
    """Name → what each function of `sections` (name → function) returned, all at the same time.

    A section that fails, or is not there when `seconds` are over, is {"error": why}.
    """
    found = {name: {"error": f"no answer within {seconds} s"} for name in sections}
    ends = time.monotonic() + seconds

    def one(name, function):
        try:
            result = function()
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:300]}
        found[name] = result

    threads = [threading.Thread(target=one, args=item, daemon=True) for item in sections.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, ends - time.monotonic()))
    # A late one must not change what is being handed on.
    return dict(found)
