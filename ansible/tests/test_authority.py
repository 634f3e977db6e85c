"""Secrets and certificates: made once, replaced only for a reason."""

import datetime
import unittest

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from inventories import inventory, load_plugin

authority = load_plugin("kinora_authority")
# The last characters of a token whose others are zeros.
CHECK = "UA66nB"
PUBLIC = {"name": "kinora.studio.example", "addresses": ["10.61.10.100", "fd61:10::100"]}


def written(result):
    return {entry["path"].rpartition("/")[2]: entry["content"] for entry in result["files"]}


class Vault(unittest.TestCase):
    """The vault's dictionary."""

    def test_is_completed_and_then_left_alone(self):
        vault = authority.complete_vault({})
        self.assertEqual(len(vault), len(authority.PASSWORDS) + len(authority.TOKENS) + len(authority.LASTING) + len(authority.KEYS) + 4)
        self.assertEqual(authority.complete_vault(vault), vault)

    def test_what_stands_in_it_is_kept(self):
        self.assertEqual(authority.complete_vault({"session_key": "mine"})["session_key"], "mine")

    def test_secrets_differ(self):
        vault = authority.complete_vault({})
        values = [vault[name] for name in (*authority.PASSWORDS, *authority.TOKENS, *authority.LASTING, *authority.KEYS)]
        self.assertEqual(len(values), len(set(values)))

    def test_rotation_changes_just_what_it_names(self):
        vault = authority.complete_vault({})
        rotated = authority.complete_vault(vault, ["broker_worker_password"])
        self.assertEqual({name for name in vault if vault[name] != rotated[name]}, {"broker_worker_password"})

    def test_a_token_is_one_that_the_api_takes(self):
        """The same text as in the test of services/store/src/token_text.rs."""
        self.assertEqual(authority.access_token("0" * 43), "kinora_" + "0" * 43 + CHECK)
        self.assertRegex(authority.access_token(), r"^kinora_[0-9A-Za-z]{49}$")

    def test_keys_that_hold_data_cannot_be_rotated(self):
        for name in ("vault_master_key", "backup_cipher_passphrase", "nonsense"):
            with self.assertRaisesRegex(authority.AuthorityError, name):
                authority.complete_vault({}, [name])


class Certificates(unittest.TestCase):
    """What a host gets."""

    @classmethod
    def setUpClass(cls):
        cls.vault = authority.complete_vault({})
        cls.fleet = inventory("full")

    def files(self, host, present=None, **options):
        return authority.host_files(self.vault, self.fleet, host, present or {}, public=options.pop("public", PUBLIC), **options)

    def test_second_run_changes_nothing(self):
        first = self.files("lb1")
        self.assertEqual(len(first["reasons"]), 2)
        second = self.files("lb1", written(first))
        self.assertEqual((second["reasons"], written(second)), ([], written(first)))

    def test_names_and_addresses(self):
        certificate = x509.load_pem_x509_certificate(written(self.files("db1"))["host.pem"].encode())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["db1", "db1.backend.kinora.internal", "db1.management.kinora.internal", "localhost"])
        self.assertIn("fd61:30::41", [str(address) for address in names.get_values_for_type(x509.IPAddress)])
        self.assertIsInstance(certificate.public_key(), ec.EllipticCurvePublicKey)

    def test_cluster_certificates_only_where_the_cluster_is(self):
        for host, member in (("db1", True), ("be1", True), ("app1", False), ("wk1", False), ("lb1", False)):
            self.assertEqual("cluster.pem" in written(self.files(host)), member, host)

    def test_that_nobody_outside_vouches_is_noted_and_no_problem(self):
        self.assertIn("the installation's own authority", authority.public_notes("")[0])
        self.assertEqual(authority.public_problems("", "", "kinora.studio.example"), [])
        self.assertEqual(authority.public_notes("-----BEGIN CERTIFICATE-----"), [])

    def test_the_two_authorities_do_not_know_each_other(self):
        files = written(self.files("db1"))
        why = authority.reason_to_issue(files["host.key"], files["host.pem"], self.vault["cluster_ca_cert"], [], [])
        self.assertEqual(why, "is from another authority")

    def test_reasons(self):
        names, addresses, issued = ["a"], ["192.0.2.1"], authority.now()
        key, certificate = authority.issue(self.vault["kinora_ca_key"], self.vault["kinora_ca_cert"], "a", names, addresses, at=issued)
        other, _ = authority.issue(self.vault["kinora_ca_key"], self.vault["kinora_ca_cert"], "a", names, addresses)
        root = self.vault["kinora_ca_cert"]

        def reason(key, certificate, names=names, at=None):
            return authority.reason_to_issue(key, certificate, root, names, addresses, at)

        self.assertEqual(reason(key, certificate), "")
        self.assertEqual(reason(None, certificate), "is not there yet")
        self.assertEqual(reason(other, certificate), "does not belong to its key")
        self.assertEqual(reason("rubbish", certificate), "cannot be read")
        self.assertEqual(reason(key, certificate, names=["b"]), "has other names or addresses")
        later = issued - authority.BACKDATE + datetime.timedelta(days=authority.HOST_DAYS - 20)
        self.assertEqual(reason(key, certificate, at=later), "ends in 20 days")

    def test_keys_are_for_root_only(self):
        for entry in self.files("be1")["files"]:
            self.assertEqual(entry["mode"], "0600" if entry["path"].endswith(".key") else "0644")

    def test_renewal_on_request(self):
        present = written(self.files("app1"))
        again = written(self.files("app1", present, renew=True))
        self.assertNotEqual(again["host.pem"], present["host.pem"])
        self.assertEqual(again["host.key"], present["host.key"])
        self.assertNotEqual(written(self.files("app1", present, new_keys=True))["host.key"], present["host.key"])
        self.assertEqual(again["authorities.pem"], present["authorities.pem"])

    def test_customers_certificate(self):
        key, certificate = authority.issue(self.vault["kinora_ca_key"], self.vault["kinora_ca_cert"], "x", [PUBLIC["name"]], [])
        public = {**PUBLIC, "certificate": certificate, "key": key}
        self.assertEqual(written(self.files("lb2", public=public))["public.pem"], certificate)
        with self.assertRaisesRegex(authority.AuthorityError, "not for other.example"):
            self.files("lb2", public={**public, "name": "other.example"})
        with self.assertRaisesRegex(authority.AuthorityError, "does not belong"):
            self.files("lb2", public={**public, "key": self.vault["kinora_ca_key"]})

    def test_parse(self):
        self.assertEqual(authority.parse_present("== a\n1\n2\n== b\n"), {"a": "1\n2\n", "b": ""})


if __name__ == "__main__":
    unittest.main()
