"""Settings that an inventory gives come out as TOML that says the same."""

import tomllib
import unittest

from inventories import load_plugin

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
