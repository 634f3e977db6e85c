"""Programs that roles put on hosts, as modules: their files have no suffix."""

import importlib.machinery
import importlib.util
import sys

from inventories import ANSIBLE


def load_program(path):
    """The program at a path below ansible/."""
    file = ANSIBLE / path
    loader = importlib.machinery.SourceFileLoader(file.name.replace("-", "_"), str(file))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    # What lies beside it on the host.
    sys.path.insert(0, str(file.parent))
    try:
        loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent))
    return module
