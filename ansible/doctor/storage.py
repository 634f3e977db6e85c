"""The storage of the media, copies of it, and the backups of the database."""

from doctor.finding import FLEET, odd_ones, of_fleet, of_host
from kinora_status import age

# Made daily; two hours for what takes long.
DAILY_SECONDS = 26 * 3600
DRILL = "journalctl -u kinora-drill -n 100; docs/operations/drill.md"
BACKUP = "journalctl -u 'kinora-backup@*' -n 50; docs/operations/backup.md"
COPY = "journalctl -u kinora-media-copy -n 100; docs/operations/media-copies.md"


@of_host("storage-hangs", "storage")
def storage_hangs(_host, said):
    if said["hangs"]:
        yield (f"the storage at {said['path']} does not answer", "the NAS or the way to it", "is the NAS up, and the zone storage? Uploads wait and go on when it is back")


@of_host("storage-missing", "storage")
def storage_missing(_host, said):
    if not said["hangs"] and not said["there"]:
        yield (f"{said['path']}/vault is not there", "the storage is not mounted, or another one is", f"findmnt {said['path']}; mount {said['path']}")


@of_host("storage-unwritable", "storage")
def storage_unwritable(_host, said):
    for user in said["refuses"]:
        yield (f"{user} may not write to {said['path']}/vault", "its owner, group or mode was changed, or the NAS maps users differently", f"stat {said['path']}/vault (root kinora-media 2770 is right); then run site")


def _place(said):
    """What tells a storage from another: its mark, or where it comes from."""
    if said["id"]:
        return f"the one marked {said['id']}"
    return "the system's own disk" if said["mount"] == "/" else said["source"]


@of_fleet("storage-differs")
def storage_differs(fleet):
    there = [(host.name, said) for host, said in fleet.saying("storage") if said["there"]]
    usual, odd = odd_ones((_place(said), name) for name, said in there)
    for place, name in odd:
        yield (name, f"its storage is {place}, the other hosts' is {usual}: they do not see each other's files", "the storage is not mounted here, or another one is", "findmnt; compare with another host, mount the same; move what was written meanwhile")


def _stanza(said):
    stanzas = said["info"].get("stanzas") or []
    return stanzas[0] if stanzas else None


@of_host("backup-unreachable", "backups")
def backup_unreachable(_host, said):
    stanza = _stanza(said)
    problem = said["info"].get("error") or (stanza and stanza["status"]["code"] not in (0, 2) and stanza["status"]["message"]) or ("" if stanza else "no stanza")
    if problem:
        yield (f"pgBackRest does not reach the backups: {problem}", "the repository's host, its disk, or the certificates between them", "sudo -u postgres pgbackrest --stanza=kinora info; journalctl -u pgbackrest -n 50 on both ends")


def _backups(said):
    stanza = _stanza(said)
    return [each for each in stanza["backup"] if not each.get("error")] if stanza else None


@of_host("backup-none", "backups", ("backup_repository",))
def backup_none(_host, said):
    if _backups(said) == [] and said["since"] > DAILY_SECONDS:
        yield ("there is no backup of the database", "none was ever made, or the repository was emptied", BACKUP)


@of_host("backup-old", "backups", ("backup_repository",))
def backup_old(host, said):
    taken = _backups(said)
    at = (host.of("system") or {}).get("at", 0)
    if taken:
        seconds = at - max(each["timestamp"]["stop"] for each in taken)
        if seconds > DAILY_SECONDS:
            yield (f"the last backup is {age(seconds)} old", "its timer does not run, or backups fail", BACKUP)


@of_host("backup-place-missing", "backups", ("backup_repository",))
def backup_place_missing(_host, said):
    if not said["place"]:
        yield ("the place of the backups is not there", "its disk is not mounted", "findmnt; kinora_backup_path in the inventory")


@of_host("drill-failed", "backups", ("backup_repository",))
def drill_failed(_host, said):
    if said["drill"] and not said["drill"]["ok"]:
        yield (f"the drill of the backups failed {age(said['drill']['age'])} ago: {said['drill']['problem']}", "the backups may be useless: see what it says", DRILL)


@of_host("drill-missing", "backups", ("backup_repository",))
def drill_missing(_host, said):
    seconds = said["drill"]["age"] if said["drill"] else said["since"]
    if seconds > DAILY_SECONDS and (not said["drill"] or said["drill"]["ok"]):
        told = f"were last tried {age(seconds)} ago" if said["drill"] else "were never tried"
        yield (f"the backups {told}", "the drill's timer does not run", "systemctl list-timers kinora-drill.timer; systemctl start kinora-drill; docs/operations/drill.md")


@of_host("copy-place-missing", "copies")
def copy_place_missing(_host, said):
    if not said["place"]:
        yield ("the second place of the media is not there", "it is not mounted", "findmnt; kinora_media_copy in the inventory: docs/operations/media-copies.md")


@of_host("copy-failed", "copies")
def copy_failed(_host, said):
    if said["result"] and not said["result"]["ok"]:
        yield (f"copying the media failed {age(said['result']['age'])} ago: {said['result']['problem']}", "see what it says", COPY)


@of_host("copy-old", "copies")
def copy_old(_host, said):
    seconds = said["result"]["age"] if said["result"] else said["since"]
    if seconds > DAILY_SECONDS and (not said["result"] or said["result"]["ok"]):
        told = f"were last copied {age(seconds)} ago" if said["result"] else "were never copied"
        yield (f"the media {told}", "the copy's timer does not run", "systemctl list-timers kinora-media-copy.timer; systemctl start kinora-media-copy; docs/operations/media-copies.md")


@of_fleet("copy-nobody")
def copy_nobody(fleet):
    if not fleet.given["copies_wanted"]:
        return
    applications = [host for host in fleet.hosts if "applications" in host.groups]
    if applications and not any(host.of("copies") for host in applications):
        yield (FLEET, "the inventory names a second place for the media, and no host copies to it", "site was not run since", "run site")
