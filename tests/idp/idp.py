"""A SAML identity provider for tests: pysaml2's, which knows nothing of Kinora, over HTTP on this machine.

    pysaml2-python tests/idp/idp.py [--port 0]

prints one line of JSON, {"url": …, "metadata": …}, and serves until its standard input is closed.

    PUT  /service    the service provider's metadata (XML); needed before anyone can sign in
    PUT  /settings   JSON, any of what DEFAULTS below has; counts from the next response on
    GET  /metadata   the identity provider's metadata
    GET  /sso        sign-in by Redirect; POST likewise. Shows a form with the fields `login` and `button#sign-in`
    POST /sign-in    the form; answers with a form that posts the response to the service provider
    GET  /begin      a sign-in that begins here: ?login=…&relay_state=…
    GET  /slo        logout messages by Redirect; POST likewise
    GET  /end        a logout that begins here: ?login=…, redirects to the service provider; with &binding=post it
                     answers with a form that posts the request there
    GET  /log        JSON: what it got and found, in order
"""

import argparse
import base64
import datetime
import functools
import html
import json
import pathlib
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import saml2.entity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, saml
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT
from saml2.server import Server
from saml2.sigver import CryptoBackendXmlSec1, pre_encryption_part

XMLSEC = "/usr/bin/xmlsec1"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
SIGNATURE = "http://www.w3.org/2001/04/xmldsig-more#{}"
# pysaml2's own list has RSA only; xmlsec1, which signs for it, can ECDSA too.
saml2.entity.SIG_ALLOWED_ALG += tuple(
    (name, SIGNATURE.format(name)) for name in ("ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512")
)
DIGESTS = {
    "sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "sha512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
ENCRYPTIONS = {
    "aes128-cbc": ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "aes-128"),
    "aes256-cbc": ("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "aes-256"),
    "aes128-gcm": ("http://www.w3.org/2009/xmlenc11#aes128-gcm", "aes-128"),
    "aes256-gcm": ("http://www.w3.org/2009/xmlenc11#aes256-gcm", "aes-256"),
}
DEFAULTS = {
    "sign_response": True,
    "sign_assertion": True,
    "encrypt": None,  # one of ENCRYPTIONS
    "signature": "rsa-sha256",  # rsa-… or ecdsa-sha256, -sha384, -sha512
    "digest": "sha256",
    "context": PASSWORD,
    "lifetime_seconds": 300,  # negative: what comes has ended
    "signed_in_seconds_ago": 0,
    "name_id_format": NAMEID_FORMAT_PERSISTENT,
    "realm": None,  # what names are made from with the login; else this provider's address, so that no other has the same
    # login → attributes with their values
    "people": {"ada": {"displayName": ["Ada Löwe"], "mail": ["ada@studio.example"], "groups": ["kinora-editors"]}},
}


def make_key(directory, name, private):
    """A key and a self-signed certificate, as files."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test identity provider {name}")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(private, hashes.SHA256())
    )
    key_file, certificate_file = directory / f"{name}.key", directory / f"{name}.crt"
    key_file.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return str(key_file), str(certificate_file)


class Provider:
    """pysaml2's server, once for each kind of key, and what it was told."""

    def __init__(self, url, directory):
        self.url = url
        self.settings = json.loads(json.dumps(DEFAULTS))
        self.keys = {
            "rsa": make_key(directory, "rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
            "ecdsa": make_key(directory, "ecdsa", ec.generate_private_key(ec.SECP256R1())),
        }
        self.servers = {}
        self.pending = {}
        self.log = []
        self.lock = threading.Lock()
        self.service = None

    def config(self, kind, service=None):
        key, certificate = self.keys[kind]
        both = [(f"{self.url}/sso", BINDING_HTTP_REDIRECT), (f"{self.url}/sso", BINDING_HTTP_POST)]
        ends = [(f"{self.url}/slo", BINDING_HTTP_REDIRECT), (f"{self.url}/slo", BINDING_HTTP_POST)]
        return IdPConfig().load(
            {
                "entityid": f"{self.url}/metadata",
                "xmlsec_binary": XMLSEC,
                "key_file": key,
                "cert_file": certificate,
                "metadata": {"inline": [service]} if service else {},
                "service": {
                    "idp": {
                        "endpoints": {"single_sign_on_service": both, "single_logout_service": ends},
                        "want_authn_requests_signed": True,
                        "sign_response": False,
                        "sign_assertion": False,
                        "policy": {
                            "default": {
                                "lifetime": {"minutes": 5},
                                "attribute_restrictions": None,
                                "name_form": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic",
                            }
                        },
                        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                    }
                },
            }
        )

    def metadata(self):
        """The metadata, with the certificates of both keys."""
        first, second = (entity_descriptor(self.config(kind)) for kind in ("rsa", "ecdsa"))
        first.idpsso_descriptor.key_descriptor += second.idpsso_descriptor.key_descriptor
        return str(first)

    def set_service(self, metadata):
        servers = {kind: Server(config=self.config(kind, metadata)) for kind in self.keys}
        service = next(iter(servers["rsa"].metadata.keys()))
        with self.lock:
            self.servers, self.service = servers, service

    def server(self):
        return self.servers[self.settings["signature"].split("-")[0]]

    def name_id(self, login):
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{self.settings['realm'] or self.url}/{login}").hex
        return saml.NameID(format=self.settings["name_id_format"], text=name)

    def consumer(self):
        services = self.servers["rsa"].metadata.assertion_consumer_service(self.service, BINDING_HTTP_POST)
        return services[0]["location"]

    def respond(self, login, in_response_to, destination):
        """A response, as text."""
        settings = self.settings
        policy = self.server().config.getattr("policy", "idp")
        policy._restrictions["default"]["lifetime"] = {"seconds": settings["lifetime_seconds"]}
        signed_in_at = int(time.time()) - settings["signed_in_seconds_ago"]
        if settings["encrypt"]:
            algorithm, session_key = ENCRYPTIONS[settings["encrypt"]]
            # pysaml2 itself knows only Triple DES.
            saml2.entity.pre_encryption_part = functools.partial(pre_encryption_part, msg_enc=algorithm)
            original = CryptoBackendXmlSec1.__dict__["encrypt_assertion"]
            original = getattr(original, "__wrapped__", original)

            @functools.wraps(original)
            def encrypt_assertion(self, statement, key, template, key_type=None, *rest, **named):
                del key_type
                return original(self, statement, key, template, session_key, *rest, **named)

            CryptoBackendXmlSec1.encrypt_assertion = encrypt_assertion
        return str(
            self.server().create_authn_response(
                settings["people"][login],
                in_response_to,
                destination,
                self.service,
                name_id=self.name_id(login),
                authn={"class_ref": settings["context"], "authn_auth": f"{self.url}/metadata", "authn_instant": signed_in_at},
                sign_response=settings["sign_response"],
                sign_assertion=settings["sign_assertion"],
                encrypt_assertion=bool(settings["encrypt"]),
                sign_alg=SIGNATURE.format(settings["signature"]),
                digest_alg=DIGESTS[settings["digest"]],
            )
        )


class Handler(BaseHTTPRequestHandler):
    """The pages."""

    provider = None

    def log_message(self, *arguments):
        """Keeps standard error for what goes wrong."""

    def answer(self, status, body, kind="text/html; charset=utf-8", **headers):
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def go(self, address):
        self.answer(303, "", Location=address)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def do_PUT(self):
        self.guarded(self.put)

    def do_GET(self):
        self.guarded(self.get)

    def do_POST(self):
        self.guarded(self.post)

    def guarded(self, work):
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            with self.provider.lock:
                self.provider.log.append({"error": f"{type(error).__name__}: {error}"})
            self.answer(400, f"<h1>Refused</h1><p>{html.escape(type(error).__name__)}: {html.escape(str(error))}</p>")

    def put(self):
        text = self.body()
        if self.path == "/service":
            self.provider.set_service(text)
        elif self.path == "/settings":
            told = json.loads(text)
            unknown = set(told) - set(DEFAULTS)
            if unknown:
                raise ValueError(f"no such setting: {sorted(unknown)}")
            self.provider.settings.update(told)
        else:
            return self.answer(404, "")
        return self.answer(204, "")

    def get(self):
        address = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(address.query))
        if address.path == "/metadata":
            self.answer(200, self.provider.metadata(), "application/samlmetadata+xml")
        elif address.path == "/log":
            self.answer(200, json.dumps(self.provider.log), "application/json")
        elif address.path == "/sso":
            self.ask(query, BINDING_HTTP_REDIRECT)
        elif address.path == "/begin":
            self.post_response(query["login"], None, self.provider.consumer(), query.get("relay_state"))
        elif address.path == "/slo":
            self.logout(query, BINDING_HTTP_REDIRECT)
        elif address.path == "/end":
            self.end(query["login"], BINDING_HTTP_POST if query.get("binding") == "post" else BINDING_HTTP_REDIRECT)
        else:
            self.answer(404, "")

    def post(self):
        form = dict(urllib.parse.parse_qsl(self.body()))
        if self.path == "/sso":
            self.ask(form, BINDING_HTTP_POST)
        elif self.path == "/slo":
            self.logout(form, BINDING_HTTP_POST)
        elif self.path == "/sign-in":
            request, destination, relay_state = self.provider.pending.pop(form["request"])
            self.post_response(form["login"], request, destination, relay_state)
        else:
            self.answer(404, "")

    def ask(self, fields, binding):
        """Takes a request, whose signature must hold, and shows the form."""
        server = self.provider.servers["rsa"]
        request = server.parse_authn_request(
            fields["SAMLRequest"],
            binding,
            relay_state=fields.get("RelayState"),
            sigalg=fields.get("SigAlg"),
            signature=fields.get("Signature"),
        ).message
        # What the metadata of the service provider does not name is no place to send a response to.
        destination = server.response_args(request)["destination"]
        handle = uuid.uuid4().hex
        with self.provider.lock:
            self.provider.pending[handle] = (request.id, destination, fields.get("RelayState"))
            self.provider.log.append(
                {"request": request.id, "force": request.force_authn == "true", "binding": binding.rsplit("-", 1)[1]}
            )
        self.answer(
            200,
            "<!doctype html><title>Sign in</title><h1>Sign in to the studio</h1>"
            '<form method="post" action="/sign-in"><label>Login <input name="login" autofocus></label>'
            f'<input type="hidden" name="request" value="{handle}"><button id="sign-in">Sign in</button></form>',
        )

    def post_response(self, login, request, destination, relay_state):
        with self.provider.lock:
            response = self.provider.respond(login, request, destination)
        fields = {"SAMLResponse": base64.b64encode(response.encode()).decode()}
        if relay_state is not None:
            fields["RelayState"] = relay_state
        self.post_form(destination, fields)

    def post_form(self, destination, fields):
        """A page that posts these fields by itself."""
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
        )
        self.answer(
            200,
            f'<!doctype html><title>One moment</title><form method="post" action="{html.escape(destination)}">{inputs}'
            '<button id="continue">Continue</button></form><script>document.forms[0].submit()</script>',
        )

    def logout(self, fields, binding):
        """Takes a logout message; answers requests by Redirect."""
        server = self.provider.servers["rsa"]
        if "SAMLResponse" in fields:
            response = server.parse_logout_request_response(fields["SAMLResponse"], binding)
            with self.provider.lock:
                self.provider.log.append({"logout_answer": response.response.in_response_to})
            return self.answer(200, "<h1>Signed out</h1>")
        request = server.parse_logout_request(
            fields["SAMLRequest"],
            binding,
            relay_state=fields.get("RelayState"),
            sigalg=fields.get("SigAlg"),
            signature=fields.get("Signature"),
        ).message
        with self.provider.lock:
            self.provider.log.append({"logout_request": request.id, "name_id": request.name_id.text})
        response = server.create_logout_response(request, [BINDING_HTTP_REDIRECT])
        where = server.apply_binding(
            BINDING_HTTP_REDIRECT, str(response), response.destination, fields.get("RelayState", ""), response=True,
            sign=True, sigalg=SIGNATURE.format("rsa-sha256"),
        )
        return self.go(dict(where["headers"])["Location"])

    def end(self, login, binding):
        server = self.provider.servers["rsa"]
        service = server.metadata.single_logout_service(self.provider.service, binding, "spsso")
        destination = service[0]["location"]
        is_form = binding == BINDING_HTTP_POST
        identifier, request = server.create_logout_request(
            destination, issuer_entity_id=self.provider.service, name_id=self.provider.name_id(login), sign=is_form,
            sign_alg=SIGNATURE.format("rsa-sha256"), digest_alg=DIGESTS["sha256"],
        )
        with self.provider.lock:
            self.provider.log.append({"logout_began": identifier})
        if is_form:
            # In a form the message itself is signed.
            return self.post_form(destination, {"SAMLRequest": base64.b64encode(str(request).encode()).decode()})
        where = server.apply_binding(
            BINDING_HTTP_REDIRECT, str(request), destination, "", sign=True, sigalg=SIGNATURE.format("rsa-sha256")
        )
        return self.go(dict(where["headers"])["Location"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
        url = f"http://127.0.0.1:{server.server_port}"
        Handler.provider = Provider(url, pathlib.Path(directory))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"url": url, "metadata": f"{url}/metadata"}), flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
