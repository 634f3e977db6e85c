"""Checks a SCIM 2.0 server with python-scim's client and tester, which know nothing of Kinora.

    scim2-python tests/scim/check.py https://kinora.example/scim/v2 studio.example < TOKEN

prints one line of JSON for each check: what was checked, how it ended, why. What the tester makes up at random it takes from the
server's own schemas; only that addresses must be of the studio's domain no schema can say, and is told here.
"""

import json
import sys
import uuid

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server, filling
from scim2_tester.checkers import patch_add, patch_replace


def make_addresses(domain):
    """Has user names and addresses made up in the domain."""
    original = filling.generate_random_value

    def generate(context, path, mutability=None, required=None):
        value = original(context, path, mutability=mutability, required=required)
        if value is None:
            return None
        name = str(path).rsplit(":", 1)[-1]
        if name == "userName":
            return f"{uuid.uuid4()}@{domain}"
        if name == "emails.value":
            return f"{uuid.uuid4()}@{domain}"
        for one in value if name == "emails" and isinstance(value, list) else ():
            one.value = f"{uuid.uuid4()}@{domain}"
        return value

    for module in (filling, patch_add, patch_replace):
        module.generate_random_value = generate


def main():
    address, domain = sys.argv[1:3]
    token = sys.stdin.readline().strip()
    make_addresses(domain)
    headers = {"Authorization": f"Bearer {token}"}
    with Client(base_url=address, headers=headers, timeout=60) as http:
        for result in check_server(SyncSCIMClient(http)):
            print(json.dumps({
                "title": result.title,
                "resource": result.resource_type,
                "status": result.status.name,
                "reason": result.reason,
                "data": repr(result.data) if result.status.name not in ("SUCCESS", "SKIPPED") else None,
            }))


main()
