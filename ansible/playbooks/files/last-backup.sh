# bash -c THIS: the label of the newest backup.
set -euo pipefail
runuser -u postgres -- pgbackrest --stanza=kinora --output=json info |
    python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["backup"][-1]["label"])'
