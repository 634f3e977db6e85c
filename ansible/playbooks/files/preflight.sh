# What a host says of itself before anything is changed; `key value` on each line. Run by Ansible's raw, so that it works
# where even Python is missing. $STORAGE is set where the host needs the storage, $COPY where it
# copies the media to a directory, $BACKUP where it keeps the backups.
. /etc/os-release
echo "system $ID ${VERSION_ID:-}"
echo "machine $(uname -m)"
[ "$(id -u)" = 0 ] && echo 'root yes' || echo 'root no'
[ -x /usr/bin/python3 ] && echo 'python yes' || echo 'python no'
echo "machine_id $(cat /etc/machine-id)"
[ -e /etc/kinora/tls/host.pem ] && echo 'installed yes'
# Where this very connection comes from: sudo has dropped the variable, the process above it has not.
process=$$
while [ "${process:-1}" -gt 1 ]; do
    from=$(tr '\0' '\n' < "/proc/$process/environ" 2> /dev/null | sed -n 's/^SSH_CONNECTION=\([^ ]*\) .*/\1/p')
    if [ -n "$from" ]; then echo "from $from"; break; fi
    process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2> /dev/null)
done
echo "disk_mb $(df --output=avail --block-size=1MB /var | tail -n 1 | tr -d ' ')"
echo "memory_mb $(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
ip -oneline address | awk '{ split($4, part, "/"); print "address " part[1] }'
if [ -n "$STORAGE" ]; then
    # A server that is away would hold us for ever.
    timeout --signal=KILL 10 test -d "$STORAGE" 2> /dev/null
    case $? in
        0)
            echo 'storage present'
            [ -d "$STORAGE/vault" ] && echo 'vault present' || echo 'vault absent'
            [ -s "$STORAGE/vault/storage-id" ] && echo "storage_id $(head -n 1 "$STORAGE/vault/storage-id")"
            ;;
        1) echo 'storage absent' ;;
        *) echo 'storage hangs' ;;
    esac
    [ -s /etc/kinora/storage-id ] && echo "storage_known $(head -n 1 /etc/kinora/storage-id)"
    # Written after the storage was there: an installation that broke off before has none yet.
    { [ -e /etc/kinora/application.toml ] || [ -e /etc/kinora/worker.toml ]; } && echo 'storage_used yes'
fi
if [ -n "$COPY" ]; then [ -d "$COPY" ] && echo 'copy present' || echo 'copy absent'; fi
if [ -n "$BACKUP" ]; then
    place=$BACKUP
    while [ ! -d "$place" ]; do place=$(dirname "$place"); done
    echo "backup_mb $(df --output=avail --block-size=1MB "$place" | tail -n 1 | tr -d ' ')"
    [ "$(df --output=target "$place" | tail -n 1)" = "$(df --output=target /var | tail -n 1)" ] && echo 'backup beside' || echo 'backup apart'
fi
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
