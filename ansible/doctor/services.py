"""Units, the secrets they are handed, their settings, certificates and packages."""

from doctor.finding import FLEET, RUNS, grouped, journal, of_fleet, of_host

CERTIFICATE_DAYS = 25
# Confined by a file of its own, as far as sessions allow.
NOT_SANDBOXED = ("ssh.service",)


def _wanted(said):
    return said["wanted"].items()


def _is_there(unit):
    return unit["load"] == "loaded"


@of_host("unit-missing", "units")
def unit_missing(_host, said):
    for name, unit in _wanted(said):
        if unit["load"] in ("not-found", "bad-setting", "error"):
            yield (f"{name} is not there ({unit['load']})", "its package was removed, or its file damaged", "run site")


@of_host("unit-masked", "units")
def unit_masked(_host, said):
    for name, unit in _wanted(said):
        if unit["load"] == "masked":
            yield (f"{name} is masked: nothing can start it", "somebody kept it from starting, for work on the host, and forgot it", f"systemctl unmask {name}; systemctl start {name}")


@of_host("unit-stopped", "units")
def unit_stopped(_host, said):
    for name, unit in _wanted(said):
        if _is_there(unit) and unit["active"] not in RUNS and unit["sub"] != "auto-restart":
            why = {"oom-kill": "the kernel ended it for lack of memory", "success": "it was stopped by hand, or by a verb that was broken off", "watchdog": "it hung and was ended"}
            yield (f"{name} does not run ({unit['active']}, {unit['result'] or 'unknown'})", why.get(unit["result"], "it ended with an error, and was given up"), f"systemctl start {name}; {journal(name)}")


@of_host("unit-restarting", "units")
def unit_restarting(_host, said):
    for name, unit in _wanted(said):
        again = unit["restarts"] >= 3 and unit["active"] == "active" and (unit["active_for"] or 0) < 300
        if unit["sub"] == "auto-restart" or again:
            yield (f"{name} ends and is started again, {unit['restarts']} times so far", "it finds settings, secrets or a service that it needs in a state it cannot work with: its last words say which", journal(name))


@of_host("unit-disabled", "units")
def unit_disabled(_host, said):
    for name, unit in _wanted(said):
        if _is_there(unit) and unit["enabled"] == "disabled":
            yield (f"{name} would not start at the next boot", "it was disabled by hand", f"systemctl enable {name}")


@of_host("unit-failed", "units")
def unit_failed(_host, said):
    for name in said["failed"]:
        if name not in said["wanted"]:
            yield (f"{name} failed", "see its last words", f"{journal(name)}; when it is mended: systemctl reset-failed {name}")


@of_host("unit-file-changed", "units")
def unit_file_changed(_host, said):
    for name, unit in _wanted(said):
        if _is_there(unit) and unit["stale"]:
            yield (f"{name} runs with other files than those on disk", "a unit or drop-in was changed and systemd not told", f"systemctl daemon-reload; systemctl cat {name}; run site where it was not you")


@of_host("unit-old-program", "units")
def unit_old_program(_host, said):
    for name, unit in _wanted(said):
        if unit["old_program"]:
            yield (f"{name} still runs the program from before an update", "it was not restarted after its package was", f"systemctl restart {name}, when the others of its role are well")


@of_host("sandbox-missing", "units")
def sandbox_missing(_host, said):
    for name, unit in _wanted(said):
        if name.endswith(".service") and _is_there(unit) and name not in NOT_SANDBOXED and not any(path.endswith("sandbox.conf") for path in unit["drop_ins"]):
            yield (f"{name} runs without its sandbox", "the drop-in 10-…sandbox.conf was removed", "run site, then restart it")


@of_host("secret-missing", "credentials")
def secret_missing(_host, said):
    for path, problem in said["wrong"].items():
        if problem in ("missing", "empty"):
            yield (f"{path} is {problem}", "it was removed by hand, or the disk was full when it was written: its service will not start again", "run site: it writes all secrets from the vault file")


@of_host("secret-readable", "credentials")
def secret_readable(_host, said):
    for path, problem in said["wrong"].items():
        if problem.startswith("mode"):
            yield (f"{path} can be read or changed by others than it is for ({problem})", "its mode was changed by hand", "run site; who might have read it? Then rotate-secrets: docs/operations/rotate-secrets.md")


@of_host("settings-refused", "settings")
def settings_refused(_host, said):
    for path, answer in said["refused"].items():
        yield (f"{path} is refused: {' '.join(answer.split())}", "it was changed by hand; the service goes on with the old ones until it restarts, and then does not start", "undo the change, or run site: docs/operations/settings.md")


@of_host("settings-unread", "settings")
def settings_unread(_host, said):
    for line in said["unread"]:
        path, unit = line.split(" ")
        yield (f"{path} was changed since {unit} read it", "it was changed by hand, or a verb was broken off before it restarted the service", f"systemctl reload-or-restart {unit}")


@of_host("certificate-unreadable", "certificates")
def certificate_unreadable(_host, said):
    for name, entry in said["files"].items():
        if "unreadable" in entry:
            yield (f"/etc/kinora/tls/{name} is no certificate", "the file was damaged or replaced", "run site")


def _certificates(said):
    return [(name, entry) for name, entry in said["files"].items() if "unreadable" not in entry]


@of_host("certificate-ends", "certificates")
def certificate_ends(_host, said):
    for name, entry in _certificates(said):
        if 0 <= entry["days"] < CERTIFICATE_DAYS:
            yield (f"{name} ends in {entry['days']} days", "nobody renewed it", "run renew-certificates (a customer's own: put the new one into the inventory and run site): docs/operations/renew-certificates.md")


@of_host("certificate-ended", "certificates")
def certificate_ended(_host, said):
    for name, entry in _certificates(said):
        if entry["days"] < 0:
            yield (f"{name} has ended {-entry['days']} days ago: nothing trusts it", "nobody renewed it, or the clock is wrong", "run renew-certificates: docs/operations/renew-certificates.md")


@of_host("certificate-chain", "certificates")
def certificate_chain(_host, said):
    for name, entry in _certificates(said):
        if entry.get("chain") is False:
            yield (f"{name} does not come from this installation's authority", "it was replaced by hand, or the authority was made anew and this host left out", "run renew-certificates")


@of_host("certificate-key", "certificates")
def certificate_key(_host, said):
    for name, entry in _certificates(said):
        if entry.get("key_fits") is False:
            yield (f"{name} and its key do not belong together", "one of the two was replaced by hand", "run site (a customer's own: kinora_public_certificate and its key in the inventory)")


@of_host("certificate-name", "certificates")
def certificate_name(_host, said):
    for name, entry in _certificates(said):
        if entry.get("name_fits") is False:
            yield (f"{name} is not for {entry['name']}", "it is another host's, or the name was changed since", "run renew-certificates (a customer's own: put one for that name into the inventory)")


@of_host("certificate-copy-stale", "certificates")
def certificate_copy_stale(_host, said):
    for path in said["stale"]:
        yield (f"{path} is not this host's present certificate", "a renewal was broken off", "run site")


@of_host("certificate-not-shown", "certificates")
def certificate_not_shown(_host, said):
    for port, is_own in said["shown"].items():
        if not is_own:
            yield (f"what listens on port {port} shows another certificate than /etc/kinora/tls/host.pem", "it has not read the renewed one", f"ss -lntp 'sport = {port}' says which; systemctl reload-or-restart it")


@of_fleet("authorities-differ")
def authorities_differ(fleet):
    sums = grouped((said["authorities"], host.name) for host, said in fleet.saying("certificates"))
    if len(sums) > 1:
        rare = min(sums.values(), key=len)
        yield (", ".join(rare) if len(rare) == 1 else FLEET, "/etc/kinora/tls/authorities.pem is not the same as on the other hosts: they do not trust each other", "the authority was made anew and this host left out, or the file was changed",
               "run site, with the vault file of this installation")


def _odd_secret(fleet, kind):
    """The place whose secret is the rarest, where not all have the same."""
    sums = grouped((entry["hash"], (host.name, path)) for host, said in fleet.saying("fingerprints") for path, entry in said.items() if entry["of"] == kind)
    return min(sums.values(), key=len)[0] if len(sums) > 1 else None


@of_fleet("master-key-differs")
def master_key_differs(fleet):
    odd = _odd_secret(fleet, "master key")
    if odd:
        name, path = odd
        yield (name, f"{path} is not the master key that the other hosts have: what it writes they cannot read", "the file was changed by hand, or the host was installed with another vault file",
               "stop its service first; do NOT run site before you know which key is the right one: docs/operations/keys.md")


@of_fleet("session-key-differs")
def session_key_differs(fleet):
    odd = _odd_secret(fleet, "session key")
    if odd:
        name, path = odd
        yield (name, f"{path} is not the one that the other applications have: people are signed out at random", "a rotation was broken off", "run site")


def _release(version):
    """0.1.0-1 is the release 0.1.0."""
    return version.rpartition("-")[0] or version


def _kinora(said):
    return {name: version for name, version in said["versions"].items() if name.startswith("kinora")}


@of_fleet("packages-differ")
def packages_differ(fleet):
    versions = grouped((_release(version), host.name) for host, said in fleet.saying("packages") for version in set(_kinora(said).values()))
    if len(versions) > 1:
        told = "; ".join(f"{version} on {', '.join(names)}" for version, names in sorted(versions.items()))
        yield (FLEET, f"hosts run different releases: {told}", "an upgrade or rollback was broken off", "run the same verb again, to its end: docs/operations/upgrade.md")


@of_fleet("packages-other-release")
def packages_other_release(fleet):
    wanted = fleet.given["version"]
    versions = {_release(version) for _, said in fleet.saying("packages") for version in _kinora(said).values()}
    if wanted and len(versions) == 1 and versions != {wanted}:
        yield (FLEET, f"the hosts run {versions.pop()}, this bundle is {wanted}", "this is another bundle than the one that was installed last", "use the bundle of the installed release, or upgrade: docs/operations/upgrade.md")


@of_fleet("engines-differ")
def engines_differ(fleet):
    versions = {}
    for host, said in fleet.saying("packages"):
        for name, version in said["versions"].items():
            if not name.startswith("kinora"):
                versions.setdefault(name, {}).setdefault(version, []).append(host.name)
    for name, seen in versions.items():
        if len(seen) > 1:
            told = "; ".join(f"{version} on {', '.join(names)}" for version, names in sorted(seen.items()))
            yield (FLEET, f"{name} is not the same everywhere: {told}", "an upgrade was broken off, or a host updates itself from elsewhere", "run upgrade with the installed release's bundle: docs/operations/upgrade.md")


@of_host("packages-broken", "packages")
def packages_broken(_host, said):
    if said["broken"]:
        yield (f"packages are half installed: {', '.join(said['broken'][:5])}", "an installation was broken off", "dpkg --configure -a; then run site")
