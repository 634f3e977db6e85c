"""Instants as an operator writes and reads them, for the verb `restore`. Pure functions, tested by ansible/tests."""

import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FORM = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,6})?\s*(Z|[+-]\d{2}(?::?\d{2})?|[A-Za-z][\w+/-]*)?")
SAY = "Say which instant: --to '2026-11-21 14:03:27', in UTC, or with its zone: '2026-11-21 15:03:27 +01:00', '2026-11-21 15:03:27 Europe/Berlin'"


class InstantError(ValueError):
    """What was written names no instant."""


def _zone(text):
    if text in (None, "", "Z", "UTC"):
        return timezone.utc
    if text[0] in "+-":
        hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
        return timezone((1 if text[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InstantError(f"{text} is no time zone. {SAY}") from error


def instant(text, local=None):
    """What an operator wrote as `utc` (as PostgreSQL reads it), `epoch` (seconds) and `said` (in UTC and in another zone).

    Without a zone it is UTC. An hour that a zone has twice, or never, is refused. `local` is the zone to be shown besides; without it
    the one that was written, else this machine's.
    """
    match = FORM.fullmatch(str(text).strip())
    if not match:
        raise InstantError(f"'{text}' is no instant. {SAY}")
    day, clock, fraction, name = match.groups()
    zone = _zone(name)
    try:
        at = datetime.strptime(f"{day} {clock}{fraction or '.0'}", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=zone)
    except ValueError as error:
        raise InstantError(f"'{text}' is no instant. {SAY}") from error
    utc = at.astimezone(timezone.utc)
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        raise InstantError(f"{name} has '{day} {clock}' twice, or not at all: the clocks are changed then. Say it in UTC.")
    form = "%Y-%m-%d %H:%M:%S.%f" if utc.microsecond else "%Y-%m-%d %H:%M:%S"
    other = utc.astimezone(ZoneInfo(local) if local else zone if name and zone != timezone.utc else None)
    besides = f" ({other.strftime(form)} {name if name and name[0].isalpha() else 'local time'}, UTC{other.strftime('%z')})" if other.utcoffset() else ""
    return {
        "utc": f"{utc.strftime(form)}+00",
        "epoch": utc.timestamp(),
        "said": f"{utc.strftime(form)} UTC{besides}",
        "acknowledge": utc.strftime(form),
    }


def end_of_archive():
    """In the place of an instant: all that the archive has."""
    return {"utc": "", "epoch": 4102444800.0, "said": "the archive's end", "acknowledge": "the archive's end"}


class FilterModule:
    """Gives the function to Ansible's templates."""

    def filters(self):
        return {"kinora_instant": lambda text, bare=False: end_of_archive() if bare and not text else instant(text)}
