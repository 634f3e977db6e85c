"""A mail relay for the tests: aiosmtpd from PyPI, which comes with `packaging/bootstrap test`.

Every mail it has taken is a file of JSON in --directory, numbered in the order in which they came. What it
answers follows from the recipient, so that tests need not speak with it:

  greylisted+N@…  the first N tries of an address are refused for now (451)
  refused@…       there is nobody of that name (550)
  unwanted@…      the content is refused for good (554)
  held@…          the mail is taken, the answer waits until the file `release` is there
  lost@…          the mail is taken, and the connection broken off instead of an answer

With the file `closed` in the directory every greeting is answered with 421: the relay is shutting down.
"""

import argparse
import asyncio
import email
import email.policy
import json
import pathlib
import ssl

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Relay:
    def __init__(self, directory):
        self.directory = directory
        self.count = 0
        self.tries = {}

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        if (self.directory / "closed").exists():
            return ["421 4.3.2 shutting down"]
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.rpartition("@")[0]
        name, _, number = local.partition("+")
        if name == "refused":
            return "550 5.1.1 no such mailbox"
        if name == "greylisted":
            tries = self.tries[address] = self.tries.get(address, 0) + 1
            if tries <= int(number or 1):
                return "451 4.7.1 greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        names = {address.rpartition("@")[0].partition("+")[0] for address in envelope.rcpt_tos}
        if "unwanted" in names:
            return "554 5.7.1 not wanted here"
        self.keep(server, session, envelope)
        if "lost" in names and not (self.directory / "release").exists():
            server.transport.abort()
            return "250 never heard"
        if "held" in names:
            while not (self.directory / "release").exists():
                await asyncio.sleep(0.02)
        return "250 2.0.0 taken"

    def keep(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        self.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": server.transport.get_extra_info("cipher") is not None,
            "user": session.auth_data.login.decode() if session.authenticated else None,
            "headers": {name: str(value) for name, value in message.items()},
            "subject": str(message["Subject"]),
            "message_id": str(message["Message-ID"]),
            "plain": body.get("text/plain", ""),
            "html": body.get("text/html", ""),
            "source": envelope.content.decode("ascii", "backslashreplace"),
        }
        path = self.directory / f"{self.count:06}.json"
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(kept))
        partial.rename(path)


def authenticator(user, password):
    def check(server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (user, password)
        # The reply is the library's own.
        return AuthResult(success=is_right, handled=False, auth_data=data)

    return check


def speaker(relay, options, context):
    settings = {"hostname": "relay.test", "enable_SMTPUTF8": False}
    if options.tls == "starttls":
        settings |= {"tls_context": context, "require_starttls": True}
    if options.user:
        password = pathlib.Path(options.password_file).read_text().strip()
        settings |= {
            "auth_required": True,
            "authenticator": authenticator(options.user, password),
            # With TLS from the first byte the library does not see that there is TLS.
            "auth_require_tls": options.tls == "starttls",
        }
    return lambda: SMTP(relay, **settings)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    context = None
    if options.tls != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
    relay = Relay(options.directory)
    # A relay that was started again goes on counting.
    relay.count = max((int(path.stem) for path in options.directory.glob("*.json")), default=0)
    asyncio.run(serve(speaker(relay, options, context), options, context))


async def serve(make, options, context):
    implicit = context if options.tls == "implicit" else None
    server = await asyncio.get_running_loop().create_server(make, host=options.host, port=options.port, ssl=implicit)
    print("relay ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
