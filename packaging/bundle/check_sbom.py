"""Checks a bill of materials (standard input) against CycloneDX's own schema; run by the Python of bootstrap's tool cache."""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
if fault:
    sys.exit(f"not CycloneDX 1.6: {fault}"[:2000])
