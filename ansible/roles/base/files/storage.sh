# Sees that the storage is there and is the one that it was: storage.sh STORAGE KNOWN MAKE FIRST NEW, the last three yes or no.
# MAKE: its directory may be made. FIRST: this host makes and marks it. NEW: it may be another one than before. Ends with 2 where
# what the first host makes, at this very moment perhaps, is still to come.
set -eu
vault=$1/vault mark=$1/vault/storage-id known=$2
if [ "$3" = yes ] && [ "$4" = yes ] && [ ! -d "$vault" ]; then
    mkdir -m 0700 "$vault"
    echo "made $vault"
fi
if [ "$3" = yes ] && [ ! -d "$vault" ]; then
    echo "there is no $vault, which another host has made: the storage is not the same one" >&2
    exit 2
fi
[ -d "$vault" ] || { echo "there is no $vault: the storage is not mounted" >&2; exit 1; }
if [ "$4" = yes ] && [ ! -s "$mark" ]; then
    cat /proc/sys/kernel/random/uuid > "$mark.new"
    chmod 0644 "$mark.new"
    sync "$mark.new"
    mv "$mark.new" "$mark"
    echo "made $mark"
fi
[ -s "$mark" ] || { echo "there is no $mark, which another host has made: the storage is not the same one" >&2; exit 2; }
cmp -s "$mark" "$known" && exit 0
if [ -s "$known" ] && [ "$5" != yes ]; then
    echo "$vault is not the storage that this host had: its mark is not the one in $known" >&2
    exit 1
fi
cp "$mark" "$known"
echo "made $known"
