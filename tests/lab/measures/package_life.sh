# sh THIS PACKAGE DIRECTORY: takes one of our packages through its life on a host that has none of Kinora. DIRECTORY holds it and
# everything it needs. Prints a line for each thing that is not as it should be, `ok` and their number for all that are.
set -eu
package=$1 directory=$2
role=${package#kinora-}
deb=$(ls "$directory/${package}"_*.deb)
well=0
export DEBIAN_FRONTEND=noninteractive

# should WHAT COMMAND…
should() {
    what=$1
    shift
    if "$@" > /dev/null 2>&1; then well=$((well + 1)); else echo "$step: $what"; fi
}
not() { ! "$@"; }
package_manager() { dpkg "$@" > "$directory/log" 2>&1 || { echo "$step: dpkg ended with $?:"; tail -n 5 "$directory/log"; exit 1; }; }
units() { dpkg -L "$package" | sed -n 's,^/usr/lib/systemd/system/\([^/@]*\.\(service\|socket\)\)$,\1,p'; }
version() { dpkg-query -W -f '${Version}' "$package"; }
kept() { (cd / && sha256sum --quiet --check "$directory/sums"); }
off() { [ "$(systemctl is-active "$1")" = inactive ]; }
not_enabled() { case "$(systemctl is-enabled "$1")" in disabled | static) ;; *) return 1 ;; esac; }

step='first install'
package_manager --skip-same-version --refuse-downgrade -i "$directory"/*.deb
for unit in $(units); do
    should "$unit was enabled" not_enabled "$unit"
    should "$unit was started" off "$unit"
done
# What an operator and the service leave there.
mkdir -p /etc/kinora/credentials/"$role" /srv/kinora/vault /var/lib/kinora
for file in /etc/kinora/"$role".toml /etc/kinora/credentials/"$role"/seed /srv/kinora/vault/seed /var/lib/kinora/seed; do
    echo "$package $file" > "$file"
    sha256sum "$file"
done > "$directory/sums"

step='the same again'
package_manager -i "$deb"
should 'something of the studio was changed' kept

step=upgrade
sockets=$(units | grep '\.socket$' || true)
for socket in $sockets; do systemctl start "$socket"; done
mkdir "$directory/newer"
dpkg-deb -R "$deb" "$directory/newer/tree"
sed -i 's/^Version: .*/&+1/' "$directory/newer/tree/DEBIAN/control"
dpkg-deb -Zgzip -z1 --root-owner-group -b "$directory/newer/tree" "$directory/newer/$package.deb" > /dev/null
old=$(version)
package_manager -i "$directory/newer/$package.deb"
should 'the newer version is not there' [ "$(version)" = "$old+1" ]
should 'something of the studio was changed' kept
for socket in $sockets; do should "$socket was stopped" systemctl is-active "$socket"; done

step='going back'
package_manager -i "$deb"
should 'the older version is not there' [ "$(version)" = "$old" ]
should 'something of the studio was changed' kept

for end in remove purge; do
    step=$end units=$(units)
    package_manager "--$end" "$package"
    should 'the program is still there' not test -e "/usr/bin/$package"
    should 'something of the studio is gone' kept
    for unit in $units; do should "$unit still runs" not systemctl is-active "$unit"; done
    step="install after $end"
    package_manager -i "$deb"
    should 'something of the studio was changed' kept
done
step='last purge'
package_manager -P "$package"
should 'something of the studio is gone' kept
rm -r /srv/kinora /var/lib/kinora/seed /etc/kinora "$directory"
echo "ok $well"
