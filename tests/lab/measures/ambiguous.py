"""Requests whose end can be read in two ways (RFC 9112, 6 and 11.2), each with a whole request in what may or may not be its body.

Where HAProxy and the application disagree about the end, the application carries out a request that HAProxy never saw: nobody on this
connection gets its answer, and somebody else does. So whatever was carried out must have been answered here, and who comes afterwards
must get the answers that are theirs. Each form is tried on a connection of its own. Used by through.py.
"""

import re
import ssl

SILENCE_SECONDS = 2.0
# Who comes afterwards, over connections that HAProxy keeps to the application.
AFTERWARDS = 4
# What is said of the body → the body, where {inner} is the request within; {length} is the length of the body as written here.
FORMS = {
    "Content-Length and Transfer-Encoding": ("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n{inner}"),
    "Transfer-Encoding and a short Content-Length": ("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "{size}\r\n{inner}\r\n0\r\n\r\n"),
    "two lengths": ("Content-Length: 0\r\nContent-Length: {length}\r\n", "{inner}"),
    "two lengths, the other way": ("Content-Length: {length}\r\nContent-Length: 0\r\n", "{inner}"),
    "a list of lengths": ("Content-Length: 0, {length}\r\n", "{inner}"),
    "a length with a sign": ("Content-Length: +{length}\r\n", "{inner}"),
    "a negative length": ("Content-Length: -1\r\n", "{inner}"),
    "a length in hexadecimal": ("Content-Length: 0x0\r\n", "{inner}"),
    "a length with a space in it": ("Content-Length: 0 {length}\r\n", "{inner}"),
    "a length after a form feed": ("Content-Length:\x0c{length}\r\n", "{inner}"),
    "a length in a name with a space": ("Content-Length : {length}\r\n", "{inner}"),
    "an encoding in a name with a space": ("Content-Length: {length}\r\nTransfer-Encoding : chunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding nobody knows": ("Content-Length: {length}\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding after a vertical tab": ("Content-Length: {length}\r\nTransfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding in quotes": ('Content-Length: {length}\r\nTransfer-Encoding: "chunked"\r\n', "0\r\n\r\n{inner}"),
    "chunked and identity": ("Content-Length: {length}\r\nTransfer-Encoding: chunked, identity\r\n", "0\r\n\r\n{inner}"),
    "chunked twice": ("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding on a folded line": ("Content-Length: {length}\r\nTransfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n{inner}"),
    "a length on a folded line": ("X-Folded: x\r\n Content-Length: {length}\r\n", "{inner}"),
    "an encoding after a bare line feed": ("Content-Length: {length}\r\nX-Line: x\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding after a bare carriage return": ("Content-Length: {length}\r\nX-Line: x\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n{inner}"),
    "an encoding after a NUL": ("Content-Length: {length}\r\nX-Line: \x00\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n{inner}"),
    "a chunk longer than any number": ("Transfer-Encoding: chunked\r\n", "10000000000000000{size}\r\n{inner}\r\n0\r\n\r\n"),
    "a negative chunk": ("Transfer-Encoding: chunked\r\n", "-1\r\n{inner}\r\n0\r\n\r\n"),
    "a chunk with a sign": ("Transfer-Encoding: chunked\r\n", "+0\r\n\r\n{inner}"),
    "a chunk in hexadecimal with its prefix": ("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n{inner}"),
    "a chunk's extension with a line feed": ("Transfer-Encoding: chunked\r\n", "0;x\n\r\n{inner}"),
    "chunks that end with bare line feeds": ("Transfer-Encoding: chunked\r\n", "0\n\n{inner}"),
    "no word about a body": ("", "{inner}"),
}


def try_all(public) -> dict[str, list[str]]:
    """What each form did; `public` is signed in (through.Public). Form → what is wrong with it, which should be nothing.

    A request that has no body at all is one of them: what follows it is a request of its own, and has to be carried out and answered.
    """
    _, session = public.call("GET", "/api/data/v1/session")
    organisation, me = session["organisations"][0]["id"], session["person"]["id"]
    return {form: _try(public, form, number, organisation, me) for number, form in enumerate(FORMS)}


def _try(public, form: str, number: int, organisation: str, me: str) -> list[str]:
    name = f"Lab: smuggled {number}"
    statuses = _send(public, _request(public, form, organisation, name))
    found = [production["id"] for production in _productions(public) if production["name"] == name]
    for production in found:
        public.call("DELETE", f"/api/data/v1/productions/{production}", **{"If-Match": "*"})
    wrong = []
    if _has_no_body(form) and (len(found), statuses.count("201")) != (1, 1):
        wrong.append(f"not carried out: {', '.join(statuses) or 'no answer'}")
    if len(found) > statuses.count("201"):
        wrong.append(f"carried out {len(found)} times, answers here: {', '.join(statuses) or 'none'}")
    for _ in range(AFTERWARDS):
        answer, session = public.call("GET", "/api/data/v1/session")
        if answer.status != 200 or session["person"]["id"] != me:
            wrong.append(f"who came afterwards was answered {answer.status}")
    return wrong


def _has_no_body(form: str) -> bool:
    return not FORMS[form][0]


def _request(public, form: str, organisation: str, name: str) -> bytes:
    said, body = FORMS[form]
    content = f'{{"name":"{name}"}}'
    identity = f"Host: {public.order['name']}\r\nOrigin: https://{public.order['name']}\r\nCookie: {public.cookies}\r\nX-CSRF-Token: {public.token}\r\n"
    place = f"/api/data/v1/organisations/{organisation}/productions"
    inner = f"POST {place} HTTP/1.1\r\n{identity}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
    whole = body.format(inner=inner, size=f"{len(inner):x}")
    return f"POST /api/data/v1/organisations HTTP/1.1\r\n{identity}Content-Type: application/json\r\n{said.format(length=len(whole))}\r\n{whole}".encode("latin-1")


def _send(public, request: bytes) -> list[str]:
    """The statuses of all answers that come on one connection."""
    stream, text = public.connect(SILENCE_SECONDS), b""
    try:
        stream.sendall(request)
        while part := stream.recv(65536):
            text += part
    except (TimeoutError, ssl.SSLError, OSError):
        # Closed, or nothing more to say.
        pass
    finally:
        stream.close()
    # An answer begins where the one before it ended, with no line of its own.
    return [status.decode() for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", text)]


def _productions(public) -> list[dict]:
    _, page = public.call("GET", "/api/data/v1/productions?limit=200")
    return page["items"]
