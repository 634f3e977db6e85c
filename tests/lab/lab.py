#!/usr/bin/python3 -B
"""The lab's command. /usr/bin/python3 on purpose: python3-yaml comes from apt."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import command, forward  # noqa: E402

if __name__ == "__main__":
    if sys.argv[1:2] == [forward.SERVE]:
        sys.exit(forward.main(sys.argv[2:]))
    sys.exit(command.main(sys.argv[1:]))
