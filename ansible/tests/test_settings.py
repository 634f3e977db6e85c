"""Settings that an inventory gives come out as TOML that says the same."""

import tomllib
import unittest

from inventories import ANSIBLE, kinora, load_plugin

settings = load_plugin("kinora_settings")
GIVEN = {
    "session": {"idle_limit": "30m", "absolute_limit": "12h"},
    "password": {"cost": 13},
    "rate_limit": {"person_per_second": 12.5},
    "saml": {"metadata_from_this_host": False},
    "database": {"statement_timeout_seconds": 60},
    "words": ['a "quoted" one', "back\\slash", "é\n"],
}


class Settings(unittest.TestCase):
    def test_they_come_out_as_they_were_given(self):
        text = settings.settings_above(GIVEN, ["database"]) + '[database]\nname = "kinora"\n' + settings.settings_of(GIVEN, "database")
        expected = {**GIVEN, "database": {"name": "kinora", "statement_timeout_seconds": 60}}
        self.assertEqual(tomllib.loads(text), expected)

    def test_an_s3_service_comes_out_as_the_services_read_it(self):
        storage = {"endpoint": "https://s3.studio.example", "address": "10.9.9.5", "bucket": "kinora", "allow_http": False, "authorities": "PEM"}
        tree = {"vault": kinora.storage_settings(storage, "/etc/kinora/a.pem")}
        text = '[vault]\ndirectory = "/srv/kinora/vault"\n' + settings.settings_of(tree, "vault") + settings.settings_of({}, "vault")
        s3 = {"endpoint": "https://s3.studio.example", "bucket": "kinora", "allow_http": False, "tls_authorities": "/etc/kinora/a.pem"}
        self.assertEqual(tomllib.loads(text), {"vault": {"directory": "/srv/kinora/vault", "s3": s3}})
        self.assertNotIn("tls_authorities", kinora.storage_settings({**storage, "authorities": ""}, "/etc/kinora/a.pem")["s3"])
        self.assertEqual(kinora.storage_settings({}, "/etc/kinora/a.pem"), {})

    def test_only_settings_that_the_programs_know_are_written(self):
        storage = dict.fromkeys(("endpoint", "address", "bucket", "region", "prefix", "allow_http", "authorities"), "x")
        for role in ("application", "worker"):
            known = (ANSIBLE.parent / "packaging" / "settings" / f"{role}.toml").read_text(encoding="utf-8")
            for key in kinora.storage_settings(storage, "/x")["s3"]:
                self.assertIn(f"#s3.{key} = ", known)

    def test_nothing_given_is_nothing_written(self):
        for nothing in (None, {}):
            self.assertEqual(settings.settings_above(nothing) + settings.settings_of(nothing, "database"), "")

    def test_what_is_no_setting_is_named(self):
        for given, name in [
            ({"a b": 1}, "'a b'"),
            ({"session": {"idle_limit": None}}, "'session.idle_limit'"),
            ({"session": {'x"': 1}}, "session.x"),
            ({"words": [{"a": 1}]}, "'words'"),
        ]:
            with self.assertRaises(settings.SettingsError) as caught:
                settings.settings_above(given)
            self.assertIn(name, str(caught.exception))
        with self.assertRaises(settings.SettingsError):
            settings.settings_of({"database": 5}, "database")


if __name__ == "__main__":
    unittest.main()
