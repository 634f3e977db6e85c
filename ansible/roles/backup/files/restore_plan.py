"""Says how to bring the database to an instant, or why it cannot be. Runs as postgres on the repository's host: python3 -c THIS EPOCH

Prints as JSON: `set` (the backup to begin with), `timeline` (which to follow from there), `bytes` (the database's size), `from` (the
earliest instant that can be restored), or `refused`.

An earlier restore left a branch behind: what was written between the instant it went back to and the restore itself is on the old timeline
only, and all that came after it on the new one only. So the timeline is the one that was written at the instant. PostgreSQL's own choice,
the newest, would silently give the state at the branch.
"""

import json
import re
import subprocess
import sys

RUN = ["pgbackrest", "--stanza=kinora", "--log-level-console=off", "--log-level-stderr=error"]
# As database/templates/config.yml.j2 has it.
SEGMENT_BYTES = 4 << 20
HISTORY = re.compile(r"([0-9A-F]{8})\.history")
SEGMENT = re.compile(r"([0-9A-F]{24})-[0-9a-f]{40}(\.\w+)?")
# What the history of a timeline says where nobody had asked for an instant: a takeover.
TAKEOVER = "no recovery target specified"


def lsn(text):
    """A position in the log as a number."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def ancestors(history):
    """[(timeline, position at which the next one began, why)] of a history file."""
    found = []
    for line in history.splitlines():
        parts = line.split("\t", 2)
        if len(parts) == 3 and parts[0].strip().isdigit():
            found.append((int(parts[0]), lsn(parts[1].strip()), parts[2].strip()))
    return found


def timeline_at(epoch, histories):
    """The timeline to follow up to an instant. `histories`: timeline → (when it had begun, its history file)."""
    chosen = 1
    for timeline in sorted(histories):
        begun, text = histories[timeline]
        parent, _, why = ancestors(text)[-1]
        # A takeover goes on where its parent ended, so that it holds what was before it just as well.
        if begun <= epoch or (why == TAKEOVER and parent == chosen):
            chosen = timeline
    return chosen


def lies_on(backup, timeline, histories):
    """Whether a timeline goes on from a backup."""
    of = int(backup["archive"]["stop"][:8], 16)
    if of == timeline:
        return True
    if timeline not in histories:
        return False
    return any(of == parent and lsn(backup["lsn"]["stop"]) <= end for parent, end, _ in ancestors(histories[timeline][1]))


def choose(epoch, backups, timeline, histories):
    """The newest backup that had ended before the instant and lies on the timeline."""
    able = [each for each in backups if not each.get("error") and each["timestamp"]["stop"] < epoch and lies_on(each, timeline, histories)]
    return max(able, key=lambda each: each["timestamp"]["stop"], default=None)


def segments(begin, end):
    """Names, without their timeline, of the parts of the log that hold the bytes from `begin` up to `end`."""
    per_file = (1 << 32) // SEGMENT_BYTES
    return [f"{number // per_file:08X}{number % per_file:08X}" for number in range(begin // SEGMENT_BYTES, max(end - 1, begin) // SEGMENT_BYTES + 1)]


def needed(backup, timeline, histories, last):
    """Names of all parts of the log from a backup's begin up to the position `last` on a timeline."""
    names, begin = [], lsn(backup["lsn"]["start"])
    of = int(backup["archive"]["start"][:8], 16)
    line = [(parent, end) for parent, end, _ in ancestors(histories[timeline][1])] if timeline in histories else []
    for parent, end in line:
        if parent >= of and end > begin:
            # The one in which the next timeline began is taken from that one.
            names += [f"{parent:08X}{name}" for name in segments(begin, end) if name != segments(end, end)[0]]
            begin = end // SEGMENT_BYTES * SEGMENT_BYTES
    return names + [f"{timeline:08X}{name}" for name in segments(begin, last)]


def gaps(backup, timeline, histories, there, last):
    """Names of parts of the log that are missing since a backup: on the way to `last`, and between those of each timeline."""
    per_file, lines = (1 << 32) // SEGMENT_BYTES, {}
    for name in there:
        lines.setdefault(name[:8], set()).add(int(name[8:16], 16) * per_file + int(name[16:], 16))
    missing = set(needed(backup, timeline, histories, last))
    for line, numbers in lines.items():
        missing |= {f"{line}{number // per_file:08X}{number % per_file:08X}" for number in range(min(numbers), max(numbers))}
    return sorted(missing - there)


def ask(*arguments):
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, check=True).stdout


def listing(place):
    """Name → when it was written, of files in a directory of the repository."""
    told = json.loads(ask("repo-ls", "--output=json", place) or "{}")
    return {name: entry["time"] for name, entry in told.items() if entry.get("type") == "file"}


def present(archive, timeline, backup, epoch):
    """Names of the parts of the log that are there from a backup on, and the position up to which an instant needs them."""
    names, last = {}, None
    directories = sorted(name for name, entry in json.loads(ask("repo-ls", "--output=json", archive)).items() if entry["type"] == "path")
    for directory in directories:
        if directory[8:] >= backup["archive"]["start"][8:16]:
            for name, written in listing(f"{archive}/{directory}").items():
                if match := SEGMENT.fullmatch(name):
                    names[match[1]] = written
    own = sorted(name for name in names if int(name[:8], 16) == timeline)
    for name in own:
        last = name
        if names[name] > epoch:
            break
    end = None if last is None else (int(last[8:16], 16) << 32) + (int(last[16:], 16) + 1) * SEGMENT_BYTES
    return set(names), end


def read_histories(archive):
    """Timeline → (when its history arrived, its history file)."""
    found = {}
    for name, written in listing(archive).items():
        if match := HISTORY.fullmatch(name):
            found[int(match[1], 16)] = (written, ask("repo-get", f"{archive}/{name}"))
    return found


def missing_in_archive():
    """Names of parts of the log that are missing since the oldest backup that the newest timeline goes on from."""
    stanza = json.loads(ask("info", "--output=json"))[0]
    archive = f"archive/kinora/{stanza['archive'][-1]['id']}"
    histories = read_histories(archive)
    timeline = max(histories, default=1)
    able = [each for each in stanza["backup"] if not each.get("error") and lies_on(each, timeline, histories)]
    if not able:
        return []
    oldest = min(able, key=lambda each: each["timestamp"]["stop"])
    there, last = present(archive, timeline, oldest, float("inf"))
    return gaps(oldest, timeline, histories, there, last) if last else []


def plan(epoch):
    stanza = json.loads(ask("info", "--output=json"))[0]
    backups = stanza["backup"]
    if not backups:
        return {"refused": "there is no backup yet: journalctl -u 'kinora-backup@*' on this host"}
    archive = f"archive/kinora/{stanza['archive'][-1]['id']}"
    histories = read_histories(archive)
    timeline = timeline_at(epoch, histories)
    backup = choose(epoch, backups, timeline, histories)
    earliest = min(each["timestamp"]["stop"] for each in backups if not each.get("error")) + 1
    if backup is None:
        return {"refused": "no backup had ended before that instant", "from": earliest}
    there, last = present(archive, timeline, backup, epoch)
    missing = sorted(set(needed(backup, timeline, histories, last)) - there) if last else ["all of its timeline"]
    if missing:
        return {"refused": f"{len(missing)} parts of the log are missing: {', '.join(missing[:5])}", "from": earliest}
    return {"set": backup["label"], "timeline": timeline, "bytes": backup["info"]["size"], "from": earliest}


def main():
    try:
        found = plan(float(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        found = {"refused": f"{' '.join(error.cmd[3:])}: {(error.stderr or error.stdout).strip()[-600:]}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
