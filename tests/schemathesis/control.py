"""Falsified copies of the API's description, which a run must not take: otherwise its success would say nothing."""

import copy

OPERATION = "list_organisations"
PATH = "/api/data/v1/organisations"


def _with_a_field_that_never_comes(description):
    found = description["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]
    found["schema"] = {"allOf": [found["schema"], {"type": "object", "required": ["never_there"]}]}


def _without_the_status_that_comes(description):
    responses = description["paths"][PATH]["get"]["responses"]
    responses["418"] = responses.pop("200")
    responses.pop("default")


def _with_another_media_type(description):
    response = description["paths"][PATH]["get"]["responses"]["200"]
    response["content"] = {"text/csv": {"schema": {"type": "string"}}}


FALSIFIED = {
    "a field that never comes": _with_a_field_that_never_comes,
    "no status of success": _without_the_status_that_comes,
    "another media type": _with_another_media_type,
}


def copies(description):
    """(what is false in it, copy): first the description itself, in which nothing is."""
    yield None, description
    for what, falsify in FALSIFIED.items():
        false = copy.deepcopy(description)
        falsify(false)
        yield what, false
