#!/bin/sh
# join.sh NAME HOST OTHER…: makes the member NAME at HOST part of the cluster that the OTHERs form, and starts it with
# what it must be told at its first start. Ends when it answers, for a cluster admits nobody while one who was admitted is
# not there. Where no other member answers there is no cluster yet.
set -eu
name=$1
host=$2
shift 2
tls=/etc/etcd/tls
run=/run/kinora-etcd-join.env
peer="https://$host:2380"

endpoints=
for other in "$@"; do
    # etcdctl would wait for one that is not there.
    timeout 2 bash -c ": </dev/tcp/$other/2379" 2>/dev/null || continue
    endpoints="$endpoints${endpoints:+,}https://$other:2379"
done
etcdctl() {
    command etcdctl --endpoints="$endpoints" --cacert=$tls/authorities.pem --cert=$tls/member.pem --key=$tls/member.key \
        --dial-timeout=2s --command-timeout=5s "$@"
}

rm -f "$run"
# Each line: id, started or unstarted, name, peer address, client address, whether it is a learner.
if [ -z "$endpoints" ] || ! members=$(etcdctl member list 2>/dev/null); then
    echo 'no cluster yet'
    exit 0
fi
mine=$(printf '%s\n' "$members" | awk -F ', ' -v peer="$peer" '$4 == peer')
if [ -n "$mine" ] && [ -n "$(printf '%s' "$mine" | cut -d, -f5 | tr -d ' ')" ]; then
    # It ran once and its data is gone: the cluster must forget it, for a member never forgets its vote.
    etcdctl member remove "$(printf '%s' "$mine" | cut -d, -f1)" >/dev/null
    mine=
fi
if [ -z "$mine" ]; then
    # The others must have seen each other for some seconds.
    try=0
    until said=$(etcdctl member add "$name" --peer-urls="$peer" 2>&1); do
        try=$((try + 1))
        [ "$try" -lt 30 ] || { echo "the cluster does not admit $name: $said" >&2; exit 1; }
        sleep 2
    done
    members=$(etcdctl member list)
fi
printf '%s\n' "$members" | awk -F ', ' -v name="$name" -v peer="$peer" '
    { member = ($4 == peer ? name : $3 == "" ? $1 : $3) "=" $4; list = list (list ? "," : "") member }
    END { print "ETCD_INITIAL_CLUSTER=" list; print "ETCD_INITIAL_CLUSTER_STATE=existing" }' >"$run"
systemctl daemon-reload
timeout 120 systemctl start etcd.service || { echo "etcd does not start as a new member: journalctl -u etcd" >&2; exit 1; }
endpoints="https://$host:2379"
try=0
until said=$(etcdctl endpoint health 2>&1); do
    try=$((try + 1))
    [ "$try" -lt 30 ] || { echo "the new member does not agree with the others: $said" >&2; exit 1; }
    sleep 2
done
echo 'joined'
