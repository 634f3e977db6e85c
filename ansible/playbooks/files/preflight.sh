# What a host says of itself before anything is changed; `key value` on each line. Run by Ansible's raw, so that it works
# where even Python is missing. $STORAGE is set where the host needs the storage.
. /etc/os-release
echo "system $ID ${VERSION_ID:-}"
echo "machine $(uname -m)"
[ "$(id -u)" = 0 ] && echo 'root yes' || echo 'root no'
[ -x /usr/bin/python3 ] && echo 'python yes' || echo 'python no'
echo "machine_id $(cat /etc/machine-id)"
echo "disk_mb $(df --output=avail --block-size=1MB /var | tail -n 1 | tr -d ' ')"
echo "memory_mb $(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
ip -oneline address | awk '{ split($4, part, "/"); print "address " part[1] }'
if [ -n "$STORAGE" ]; then [ -d "$STORAGE" ] && echo 'storage present' || echo 'storage absent'; fi
for unit in nftables ufw firewalld shorewall netfilter-persistent; do
    systemctl --quiet is-active "$unit" 2> /dev/null && echo "firewall $unit"
done
ss -Hlnptu 2> /dev/null | awk '{
    n = split($5, part, ":"); program = "unknown"
    if (match($0, /\(\("[^"]*"/)) program = substr($0, RSTART + 3, RLENGTH - 4)
    if (part[1] !~ /^127\./ && $5 !~ /^\[::1\]/) print "listener " $1 " " part[n] " " program
}'
echo "clock $(date +%s)"
echo 'end'
