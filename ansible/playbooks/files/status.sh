# What a host says of its state; `key value` on each line. UNITS are those that must run here.
for unit in $UNITS; do echo "unit $unit $(systemctl is-active "$unit")"; done
systemctl list-units --failed --plain --no-legend | awk '{ print "failed " $1 }'
df --output=pcent,target --local --exclude-type=tmpfs --exclude-type=devtmpfs --exclude-type=efivarfs 2> /dev/null | awk 'NR > 1 { print "disk " int($1) " " $2 }' | sort -k 2 -n -r | head -n 1
for file in /etc/kinora/tls/*.pem; do
    end=$(openssl x509 -noout -enddate -in "$file" 2> /dev/null) || continue
    echo "days ${file##*/} $(( ($(date -d "${end#notAfter=}" +%s) - $(date +%s)) / 86400 ))"
done
dpkg-query -W -f='package ${Package} ${Version}\n' 'kinora*' 2> /dev/null
for address in $PUBLIC; do ip -oneline address show to "$address" | grep -q . && echo "public $address"; done
if systemctl --quiet is-active patroni; then
    case "$(runuser -u postgres -- psql -Atqc 'SELECT pg_is_in_recovery()' 2> /dev/null)" in
        f) echo 'database primary' ;;
        t) echo 'database standby' ;;
        *) echo 'database unreachable' ;;
    esac
fi
[ -e /run/reboot-required ] && echo 'reboot needed'
echo "uptime $(cut -d. -f1 /proc/uptime)"
echo 'end'
