"""One good call of every operation: a studio from its first sign-in to its last, against the description.

Where an operation has no call here, `EXCEPTED` says why and which test has one. What stays, people and the ids
of things, is what the generated requests use afterwards.
"""

import base64
import datetime
import hashlib
import pathlib
import subprocess
import tempfile

from studio import PASSWORD, Mailbox, Person, Refused, one_time_code, token_of, until

PASSKEY = "takes an authenticator that signs: tests/cases/accounts/factors, tests/browser/factors.ts"
PROVIDER = "takes an identity provider that answers: tests/cases/single_sign_on"
EXCEPTED = {
    "follow_events": "never ends: tests/cases/library/live.rs",
    "add_passkey": PASSKEY,
    "remove_passkey": PASSKEY,
    "sign_in_with_passkey": PASSKEY,
    "challenge_second_factor": PASSKEY,
    "join_studio_account": PROVIDER,
    "separate_studio_account": PROVIDER,
    "confirm_with_studio_account": PROVIDER,
    "read_attempt": PROVIDER,
    "refresh_provider_metadata": PROVIDER,
}
TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = TUS | {"Content-Type": "application/offset+octet-stream"}
SCOPE = {"most_role": "reader", "modules": ["library"]}


def revision(thing):
    return {"If-Match": f'"{thing["revision"]}"'}


def hours_from_now(hours):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Walk:
    def __init__(self, caller, mailbox):
        self.caller, self.mailbox = caller, mailbox
        self.call, self.made = caller.call, caller.made
        # By the name of what stands before the id in the path, and of the parameter.
        self.ids = {}
        self.hired = 0

    def all(self, login, one_time_password):
        self.first_sign_in(login, one_time_password)
        self.organisation()
        self.people()
        self.production()
        self.invitations()
        self.media()
        self.runs()
        self.account()
        self.factors()
        self.service_accounts()
        self.sign_on()
        self.support()
        self.mail()
        self.installation()
        self.personal_data()
        self.ends()

    def first_sign_in(self, login, one_time_password):
        for operation in ("livez", "readyz", "challenge_passkey_sign_in"):
            self.call(operation)
        self.call("route_sign_in", json={"address": login})
        first = self.caller.sign_in(login, one_time_password)
        self.call("update_password", first, json={"current_password": one_time_password, "new_password": PASSWORD})
        self.owner = self.caller.sign_in(login)
        self.call("confirm_session", self.owner, json={"password": PASSWORD})
        token = self.made("create_token", self.owner, {"name": "generated requests", "expires_in_days": 1})
        self.program = Person(token=token["secret"])

    def organisation(self):
        found = self.made("list_organisations", self.owner)["items"][0]
        self.at = {"organisation_id": found["id"]}
        self.ids["organisations/{organisation_id}"] = found["id"]
        found = self.made("read_organisation", self.owner, **self.at)
        self.call("update_organisation", self.owner, json={"name": "Fjord Pictures"}, headers=revision(found), **self.at)
        found = self.made("read_security", self.owner, **self.at)
        self.call("update_security", self.owner, headers=revision(found),
                  json={"second_factor_required": False, "email_code_allowed": True}, **self.at)
        self.call("create_organisation", self.owner, json={"name": "Second Unit"})

    def hire(self, role="member"):
        """A new person of the organisation, with a session."""
        self.hired += 1
        login = f"person{self.hired}@studio.test"
        hired = self.made("create_person", self.owner, {"login": login, "display_name": "Ada", "role": role}, **self.at)
        token = token_of(hired["password_link"]["url"])
        self.call("read_password_link", json={"token": token})
        self.call("use_password_link", json={"token": token, "password": PASSWORD})
        return self.caller.sign_in(login)

    def people(self):
        self.member = self.hire()
        # Whom the generated requests may rename and disable.
        self.ids["people/{person_id}"] = self.hire().id
        self.second_owner = self.hire("owner")
        self.call("list_people", self.owner, **self.at)
        there = self.at | {"person_id": self.member.id}
        found = self.made("read_person", self.owner, **there)
        self.call("update_person", self.owner, json={"display_name": "Ada Berg"}, headers=revision(found), **there)
        self.call("create_password_link", self.owner, **self.at, person_id=self.hire().id)

    def production(self):
        production = self.made("create_production", self.owner, {"name": "Tide"}, **self.at)
        self.there = {"production_id": production["id"]}
        self.ids["productions/{production_id}"] = production["id"]
        for operation in ("list_productions", "list_personal_data"):
            self.call(operation, self.owner)
        for operation in ("list_organisation_productions", "list_audit", "read_audit_check"):
            self.call(operation, self.owner, **self.at)
        for kind in ("csv", "json"):
            self.call("export_audit", self.owner, query={"format": kind}, **self.at)
        production = self.made("read_production", self.owner, **self.there)
        self.call("update_production", self.owner, json={"name": "Low Tide"}, headers=revision(production), **self.there)
        for person in (self.owner, self.second_owner, self.member):
            before = self.made("list_members", self.owner, **self.there)["items"]
            mine = next((member for member in before if member["person"]["id"] == person.id), None)
            self.call("set_member", self.owner, json={"library": "manager", "office": "manager"},
                      headers=revision(mine) if mine else None, person_id=person.id, **self.there)
        self.call("read_member", self.owner, person_id=self.member.id, **self.there)
        self.ids["members/{person_id}"] = self.member.id

    def invite(self, address):
        return self.made("create_invitation", self.owner, {"address": address, "roles": {"library": "reader"}},
                         **self.there)

    def invitations(self):
        link = r"/invitation#(\S+)"
        self.invite("guest@elsewhere.test")
        token = self.mailbox.newest("guest@elsewhere.test", link)
        self.call("read_invitation_offer", json={"token": token})
        new = {"token": token, "display_name": "Noor", "password": PASSWORD}
        self.call("create_invited_account", json=new)
        another = self.made("create_production", self.owner, {"name": "Ebb"}, **self.at)
        self.call("create_invitation", self.owner, json={"address": "guest@elsewhere.test", "roles": {"office": "reader"}},
                  production_id=another["id"])
        token = self.mailbox.newest("guest@elsewhere.test", link, count=2)
        self.guest = self.caller.sign_in("guest@elsewhere.test")
        self.call("accept_invitation", self.guest, json={"token": token})
        stays = self.invite("stays@elsewhere.test")
        self.ids["invitations/{invitation_id}"] = stays["id"]
        self.waiting = self.invite("waits@elsewhere.test")["id"]
        goes = self.invite("goes@elsewhere.test")
        self.call("list_invitations", self.owner, **self.there)
        self.call("read_invitation", self.owner, invitation_id=stays["id"], **self.there)
        self.call("withdraw_invitation", self.owner, invitation_id=goes["id"], **self.there)

    def begin_upload(self, name, length):
        encoded = base64.b64encode(name.encode()).decode()
        made = self.call("create_upload", self.owner, data=b"", **self.there,
                         headers=OCTETS | {"Upload-Length": str(length), "Upload-Metadata": f"filename {encoded}"})
        return made.headers["Location"].rpartition("/")[2]

    def upload(self, name, content):
        """An asset with a finished upload; its run is on the way."""
        upload = self.begin_upload(name, len(content))
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        self.call("write_upload", self.owner, data=content, upload_id=upload, **self.there,
                  headers=OCTETS | {"Upload-Offset": "0", "Upload-Checksum": f"sha256 {digest}"})
        offset = self.call("get_upload_offset", self.owner, upload_id=upload, headers=TUS, **self.there)
        return offset.headers["Kinora-Asset"]

    def run_of(self, asset, state):
        def look():
            runs = self.made("list_asset_runs", self.owner, asset_id=asset)["items"]
            return next((run for run in runs if run["state"] == state), None)
        return until(f"{state} of the run of {asset}", look)

    def media(self):
        self.call("describe_uploads", **self.there)
        self.clip = clip()
        asset = self.upload("Scene 1.mp4", self.clip)
        self.ids["assets/{asset_id}"] = asset
        self.run_of(asset, "done")
        found = self.made("get_asset", self.owner, asset_id=asset)
        self.call("update_asset", self.owner, json={"name": "Scene 2.mp4"}, headers=revision(found), asset_id=asset)
        self.call("list_assets", self.owner, **self.there)
        for operation in ("filmstrip", "poster", "probe", "proxy", "waveform"):
            self.call(f"get_{operation}", self.owner, asset_id=asset)
        self.call("get_filmstrip_index", self.owner, asset_id=asset)
        self.call("download_original", self.owner, asset_id=asset)
        part = self.call("download_original", self.owner, headers={"Range": "bytes=0-9"}, asset_id=asset)
        assert part.status_code == 206 and len(part.content) == 10, "a range is answered as a range"
        self.ids["uploads/{upload_id}"] = self.begin_upload("unfinished.mp4", 1000)
        goes = self.begin_upload("goes.mp4", 1000)
        self.call("list_uploads", self.owner, **self.there)
        self.call("remove_upload", self.owner, upload_id=goes, headers=TUS, **self.there)

    def runs(self):
        asset = self.upload("no film.mp4", b"these are words, and no film" * 100)
        failed = self.run_of(asset, "failed")
        step = next(step for step in failed["steps"] if step["state"] == "failed")
        self.call("restart_step", self.owner, run_id=failed["id"], step_id=step["id"])
        asset = self.upload("Scene 3.mp4", self.clip + b"\0")
        run = self.run_of(asset, "active")
        self.call("cancel_run", self.owner, run_id=run["id"])
        self.call("list_runs", self.owner, **self.there)
        self.call("get_run", self.owner, run_id=run["id"])
        self.ids["runs/{run_id}"] = run["id"]
        # Nothing is under way any more that would change it.
        asset = self.upload("still no film.mp4", b"these are other words" * 100)
        self.run_of(asset, "failed")
        found = self.made("get_asset", self.owner, asset_id=asset)
        self.call("remove_asset", self.owner, headers=revision(found), asset_id=asset)

    def account(self):
        person = self.hire()
        self.call("update_account", person, json={"display_name": "Eva"})
        token = self.made("create_token", person, {"name": "of a program", "scope": SCOPE})
        self.call("list_tokens", person)
        self.call("revoke_token", person, token_id=token["token"]["id"])
        other = self.caller.sign_in(person.login)
        sessions = self.made("list_sessions", other)["items"]
        old = next(session for session in sessions if not session["current"])
        self.call("revoke_session", other, session_id=old["id"])
        self.call("list_studio_accounts", other)
        self.call("export_account", other)
        self.call("ask_for_address", other, json={"address": "eva@studio.test"})
        token = self.mailbox.newest("eva@studio.test", r"/confirm-address#(\S+)")
        self.call("confirm_address", json={"token": token})
        other = self.caller.sign_in("eva@studio.test")
        self.call("delete_session", other)
        gone = self.caller.sign_in("eva@studio.test")
        self.call("erase_account", gone, json={"login": "eva@studio.test"})

    def protect(self, person):
        key = self.made("begin_authenticator", person)["key"]
        self.call("confirm_authenticator", person, json={"code": one_time_code(key)})

    def factors(self):
        person = self.hire()
        self.protect(person)
        self.call("reset_factors", self.owner, person_id=person.id, **self.at)
        person = self.hire()
        self.call("read_factors", person)
        self.call("begin_passkey", person)
        self.protect(person)
        self.call("challenge_confirmation", person)
        codes = self.made("make_recovery_codes", person)["recovery_codes"]
        pending = self.caller.sign_in(person.login)
        self.call("show_second_factor", pending, json={"recovery_code": codes[0]})
        self.caller.learn(pending)
        self.call("confirm_session", pending, json={"recovery_code": codes[1]})
        self.call("remove_authenticator", pending)
        self.email_codes(pending)

    def email_codes(self, person):
        code = r"^\s*(\d{8})$"
        self.call("begin_email_codes", person)
        first = self.mailbox.newest(person.login, code)
        self.call("confirm_email_codes", person, json={"email_code": first})
        pending = self.caller.sign_in(person.login)
        self.call("send_email_code", pending)
        self.call("show_second_factor", pending, json={"email_code": self.mailbox.newest(person.login, code, count=2)})
        self.call("remove_email_codes", person)

    def service_accounts(self):
        made = self.made("create_service_account", self.owner,
                         {"name": "ingest", "purpose": "brings rushes", "responsible_id": self.owner.id}, **self.at)
        there = self.at | {"person_id": made["id"]}
        self.ids["service-accounts/{person_id}"] = made["id"]
        self.call("list_service_accounts", self.owner, **self.at)
        self.call("read_service_account", self.owner, **there)
        self.call("update_service_account", self.owner, json={"purpose": "brings sound"}, headers=revision(made), **there)
        token = self.made("create_service_account_token", self.owner, {"name": "night", "scope": SCOPE}, **there)
        self.call("list_service_account_tokens", self.owner, **there)
        self.call("revoke_service_account_token", self.owner, token_id=token["token"]["id"], **there)

    def sign_on(self):
        connection = self.made("create_connection", self.owner, {"name": "Studio accounts"}, **self.at)
        there = self.at | {"connection_id": connection["id"]}
        self.ids["connections/{connection_id}"] = connection["id"]
        connection = self.call("set_provider_metadata", self.owner, json={"xml": provider_metadata()},
                               headers=revision(connection), **there).json()
        self.call("update_connection", self.owner, json={"enabled": True}, headers=revision(connection), **there)
        for operation in ("add_certificate", "switch_certificate", "drop_certificate", "test_connection",
                          "read_connection", "list_attempts"):
            self.call(operation, self.owner, **there)
        self.call("list_connections", self.owner, **self.at)
        rule = self.made("create_group_rule", self.owner, {"group": "crew", "organisation_role": "member"}, **there)
        self.call("list_group_rules", self.owner, **there)
        self.call("remove_group_rule", self.owner, rule_id=rule["id"], **there)
        token = self.made("create_provisioning_token", self.owner, {"expires_in_days": 30}, **there)
        self.call("read_provisioning", self.owner, **there)
        self.call("revoke_provisioning_token", self.owner, token_id=token["token"]["id"], **there)
        self.domains()
        goes = self.made("create_connection", self.owner, {"name": "Old accounts"}, **self.at)
        self.call("remove_connection", self.owner, headers=revision(goes), connection_id=goes["id"], **self.at)

    def domains(self):
        domain = self.made("add_domain", self.owner, {"domain": "fjord-pictures.test"}, **self.at)
        self.ids["domains/{domain_id}"] = domain["id"]
        self.call("list_domains", self.owner, **self.at)
        self.call("update_domain", self.owner, json={"connection_id": None}, headers=revision(domain), domain_id=domain["id"], **self.at)
        goes = self.made("add_domain", self.owner, {"domain": "ebb.test"}, **self.at)
        self.call("remove_domain", self.owner, domain_id=goes["id"], **self.at)

    def support(self):
        grant = self.made("give_support_access", self.owner, {
            "address": "guest@elsewhere.test", "scope": SCOPE, "reason": "the proxy of scene 1 stutters",
            "ends_at": hours_from_now(3)}, **self.at)
        self.ids["support-grants/{grant_id}"] = grant["id"]
        self.call("list_support_grants", self.owner, **self.at)
        self.call("read_support_grant", self.owner, grant_id=grant["id"], **self.at)
        token = {"token": self.mailbox.newest("guest@elsewhere.test", r"/support-access#(\S+)")}
        self.call("read_support_offer", json=token)
        self.call("accept_support_access", self.guest, json=token)
        self.call("end_support_access", self.owner, grant_id=grant["id"], **self.at)

    def installation(self):
        self.call("read_installation_status", self.owner)
        self.call("read_installation_dashboards", self.owner)

    def mail(self):
        self.call("read_mail_relay", self.owner, **self.at)
        for address in ("refused@elsewhere.test", "unwanted@elsewhere.test"):
            self.invite(address)

        def failed():
            mails = self.made("list_mail", self.owner, **self.at)["items"]
            mails = [mail for mail in mails if mail["can_retry"] and mail["can_drop"]]
            return mails if len(mails) >= 2 else None
        first, second = until("refusal of two mails", failed)[:2]
        self.ids["mail/{message_id}"] = second["id"]
        self.call("read_mail", self.owner, message_id=first["id"], **self.at)
        self.call("retry_mail", self.owner, message_id=first["id"], **self.at)
        self.call("drop_mail", self.owner, message_id=second["id"], **self.at)

    def personal_data(self):
        self.call("list_held_people", self.owner, **self.at)
        self.call("export_organisation", self.owner, **self.at)
        self.call("export_person", self.owner, person_id=self.member.id, **self.at)
        gone = self.hire()
        self.call("erase_person", self.owner, json={"login": gone.login}, person_id=gone.id, **self.at)
        erasure = self.made("list_erasures", self.owner, **self.at)["items"][0]
        self.ids["erasures/{erasure_id}"] = erasure["id"]
        self.call("read_erasure", self.owner, erasure_id=erasure["id"], **self.at)

    def ends(self):
        self.call("remove_member", self.owner, person_id=self.guest.id, **self.there)
        self.call("remove_person", self.owner, person_id=self.hire().id, **self.at)
        goes = self.made("create_production", self.owner, {"name": "Flood"}, **self.at)
        self.call("remove_production", self.owner, production_id=goes["id"])

    def last(self):
        """What has to wait: an invitation is sent again after a minute at the earliest."""
        def sent():
            try:
                return self.call("resend_invitation", self.owner, invitation_id=self.waiting, **self.there)
            except Refused as refused:
                if "less than a minute ago" not in str(refused):
                    raise
        until("a minute since the invitation", sent)


def clip():
    """Some seconds of picture and sound."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "clip.mp4")
        subprocess.run([
            "ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4",
            "-f", "lavfi", "-i", "sine=frequency=440:duration=4", "-pix_fmt", "yuv420p", "-shortest", path], check=True)
        return path.read_bytes()


def provider_metadata():
    """Metadata of an identity provider that nobody runs."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "certificate.pem")
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=provider",
            "-keyout", "/dev/null", "-out", path], check=True, capture_output=True)
        certificate = "".join(line for line in path.read_text().splitlines() if "-----" not in line)
    redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.fjord.test/">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        f'<md:SingleSignOnService Binding="{redirect}" Location="https://idp.fjord.test/sso"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>")
