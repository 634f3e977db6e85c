"""Settings of Kinora's services that the inventory gives (`application_settings` and its like), as TOML.

The templates of the services write what follows from the inventory. Whatever else the commented default files name is
given as a tree, `{session: {idle_limit: 30m}}`, and comes out as dotted keys above the first table, or as
keys of a table that the template opens itself. Pure functions, tested by ansible/tests.
"""

import json
import re

# What TOML takes without quotes; no setting is called otherwise.
KEY = re.compile(r"[a-z0-9_]+")


class SettingsError(Exception):
    """A setting cannot be written; the text says which and what to change."""


def settings_above(given, opened=()):
    """Lines for the part above the first table: everything but what belongs to the tables that are `opened` below."""
    return "".join(_lines({key: value for key, value in (given or {}).items() if key not in opened}, ()))


def settings_of(given, table):
    """Lines for one table that the template opens."""
    inside = (given or {}).get(table, {})
    if not isinstance(inside, dict):
        raise SettingsError(f"'{table}' is a table: write it as {{{table}: {{KEY: VALUE}}}}")
    return "".join(_lines(inside, (), (table,)))


def _lines(tree, path, shown=()):
    for key, value in tree.items():
        name = ".".join((*shown, *path, str(key)))
        if not KEY.fullmatch(str(key)):
            raise SettingsError(f"'{name}' is no setting's name")
        if isinstance(value, dict):
            yield from _lines(value, (*path, key), shown)
        else:
            yield f"{'.'.join((*path, str(key)))} = {_value(name, value)}\n"


def _value(name, value):
    """A value in TOML: its strings, numbers, booleans and lists are written as JSON's are."""
    elements = value if isinstance(value, list) else [value]
    if any(not isinstance(element, (str, int, float, bool)) for element in elements):
        raise SettingsError(f"'{name}' is neither text, number, true, false nor a list of these")
    return json.dumps(value)


class FilterModule:
    """Gives the functions to Ansible's templates."""

    def filters(self):
        return {"kinora_settings_above": settings_above, "kinora_settings_of": settings_of}
