"""What PostgreSQL keeps of a password, so that the play can compare it, and the password itself is never sent there."""

import base64
import hashlib
import hmac

ITERATIONS = 4096


def scram_verifier(password, role):
    """The SCRAM-SHA-256 verifier (RFC 5803) of a role's password, in the form of pg_authid.rolpassword.

    The salt follows from both, so that the same password makes the same verifier in each run. The passwords are made
    by us with 192 random bits: nobody has a table of those.
    """
    salt = hashlib.sha256(f"kinora {role} {password}".encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


class FilterModule:
    """Gives the function to Ansible's templates."""

    def filters(self):
        return {"kinora_scram_verifier": scram_verifier}
