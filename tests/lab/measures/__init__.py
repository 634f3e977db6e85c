"""What is measured on a fleet that is up. A measure is a module here, and a word in this list.

`lab_test.py` runs them in this order: what disturbs the fleet comes last. What takes an hour stands in `ON_REQUEST`.
"""

import importlib
from types import ModuleType

MEASURES = (
    "install",
    "packages",
    "segmentation",
    "egress",
    "admission",
    "transport",
    "exposure",
    "outside",
    "single_sign_on",
    "restarts",
    "firewall",
    "reboot",
    "doctor",
    "drain",
    "renew_certificates",
    "rotate_secrets",
    "add_host",
    "replace_host",
    "takeover_crash",
    "takeover_power",
    "takeover_frozen",
    "takeover_switchover",
    "takeover_others",
    "upgrade",
    "restore",
    "backup_faults",
    "restore_bare",
)
# Which run only where somebody asks for them.
ON_REQUEST = ("chaos",)
# One word for several.
GROUPS = {
    "takeover": tuple(name for name in MEASURES if name.startswith("takeover_")),
    "verbs": ("renew_certificates", "rotate_secrets", "add_host", "replace_host"),
}


def load(name: str) -> ModuleType | None:
    """The measure's module; nothing where there is none."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        return None
