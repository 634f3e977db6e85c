"""What schemathesis loads beside the API's description (https://schemathesis.readthedocs.io, "Hooks").

Puts ids of things that exist into three of four well-formed requests, and the ETag that is asked for, so that
generated requests reach the code behind the permission; what is removed or ended is made for it. Notes the
status of every answer for `run`.
"""

import json
import os
import pathlib
import re
import uuid

import requests
import schemathesis

GIVEN = json.loads(os.environ["KINORA_SCHEMATHESIS"])
# Made for one request each, in the first few requests of an operation: where to POST what, and where its id is.
SPARES_OF_AN_OPERATION = 2
ORGANISATION = "/api/data/v1/organisations/{organisation_id}"
PRODUCTION = "/api/data/v1/productions/{production_id}"
CONNECTION = ORGANISATION + "/sign-on/connections/{connection_id}"
SPARES = {
    "remove_production": (ORGANISATION + "/productions", {"name": "Spare"}, "/id"),
    "withdraw_invitation": (PRODUCTION + "/invitations", {"address": "spare@elsewhere.test", "roles": {"office": "reader"}}, "/id"),
    "remove_person": (ORGANISATION + "/people", {"login": "spare@studio.test", "display_name": "Spare", "role": "member"}, "/person/id"),
    "revoke_service_account_token": (ORGANISATION + "/service-accounts/{person_id}/tokens", {"name": "spare"}, "/token/id"),
    "remove_connection": (ORGANISATION + "/sign-on/connections", {"name": "Spare"}, "/id"),
    "remove_group_rule": (CONNECTION + "/rules", {"group": "spare", "organisation_role": "member"}, "/id"),
    "revoke_provisioning_token": (CONNECTION + "/provisioning", {"expires_in_days": 1}, "/token/id"),
    "remove_domain": (ORGANISATION + "/sign-on/domains", {"domain": "spare.test"}, "/id"),
}
# Nothing of these may be taken from what the other requests need.
KEPT = {"remove_asset", "remove_member", "erase_person", "remove_upload", "drop_mail", "drop_certificate", "reset_factors", "update_security"}
spent = {}


def is_id(value):
    try:
        return bool(uuid.UUID(str(value)))
    except ValueError:
        return False


def real_path(path, parameters):
    """The parameters with the ids of what exists; those of which nothing exists stay."""
    keys = re.findall(r"([^/]+/\{(\w+)\})", path)
    return {**parameters, **{name: GIVEN["ids"][key] for key, name in keys if key in GIVEN["ids"]}}


def ask(method, path, body=None):
    return requests.request(method, GIVEN["url"] + path, json=body, headers=GIVEN["owner"], timeout=60)


def spare(operation_id, parameters):
    """The id of something that was made to be removed, or None."""
    spent[operation_id] = spent.get(operation_id, 0) + 1
    if spent[operation_id] > SPARES_OF_AN_OPERATION:
        return None
    path, body, place = SPARES[operation_id]
    # The name has to be new where names are unique.
    text = json.dumps(body).replace("spare", f"spare-{GIVEN['pass']}-{spent[operation_id]}")
    named = {re.search(r"\{(\w+)\}", key)[1]: value for key, value in GIVEN["ids"].items()}
    answer = ask("POST", path.format(**{**named, **parameters}), json.loads(text))
    # Earlier requests may have made as many as there can be, or disabled whom they belong to.
    if answer.status_code == 409:
        return None
    answer.raise_for_status()
    made = answer.json()
    for name in place.strip("/").split("/"):
        made = made[name]
    return made


def put_real(case, operation_id):
    parameters = real_path(case.operation.path, case.path_parameters)
    if operation_id in SPARES:
        # Whatever is removed is either made for it or a stranger's.
        last = re.findall(r"\{(\w+)\}", case.operation.path)[-1]
        parameters[last] = spare(operation_id, parameters) or case.path_parameters[last]
    case.path_parameters = parameters


def put_etag(case):
    """What is stored, as If-Match: otherwise every change would answer 412."""
    path = case.operation.path.format(**case.path_parameters)
    etag = ask("GET", path).headers.get("ETag")
    if etag:
        case.headers["If-Match"] = etag


@schemathesis.hook
def before_call(context, case, kwargs):
    operation_id = case.operation.definition.raw["operationId"]
    parameters = case.path_parameters or {}
    if not parameters or operation_id in KEPT or not all(is_id(value) for value in parameters.values()):
        return
    # One of four stays a stranger's; which one follows from the request itself.
    if sum(uuid.UUID(str(value)).int for value in parameters.values()) % 4 == 3:
        return
    put_real(case, operation_id)
    if "If-Match" in (case.headers or {}):
        put_etag(case)


@schemathesis.hook
def after_call(context, case, response):
    operation_id = case.operation.definition.raw["operationId"]
    with pathlib.Path(GIVEN["statuses"]).open("a") as file:
        file.write(f"{operation_id} {response.status_code}\n")
