"""Removes what etcd keeps of the cluster as it was before a restore: who leads, who is synchronous, how far it was, and which
cluster it is: Patroni takes that from the files. Runs as postgres while Patroni is stopped everywhere: python3 -c THIS CONFIG. The settings
that hold for all members stay."""

import base64
import sys

from patroni.config import Config
from patroni.dcs import get_dcs


def main():
    config = Config(sys.argv[1], validator=None).copy()
    config["patronictl"] = True
    dcs = get_dcs(config)
    encode = lambda text: base64.b64encode(text.encode()).decode()  # noqa: E731
    for path in (dcs.leader_path, dcs.sync_path, dcs.status_path, dcs.failsafe_path, dcs.history_path, dcs.failover_path, dcs.initialize_path):
        dcs._client.call_rpc("/kv/deleterange", {"key": encode(path)})
    # All keys that begin so.
    members = dcs.members_path
    dcs._client.call_rpc("/kv/deleterange", {"key": encode(members), "range_end": encode(members[:-1] + chr(ord(members[-1]) + 1))})


main()
