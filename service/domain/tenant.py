"""A tenant: whoever shares one set of articles. One never sees another's."""

from __future__ import annotations

import re

# Whose articles are without API keys, and were before there were tenants.
DEFAULT_TENANT = "default"

MAX_TENANT_CHARACTERS = 63

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


def check_tenant(name: str) -> str:
    """`name`, if a tenant may be called so. Raises `ValueError`."""
    if not _NAME.match(name):
        raise ValueError(
            f"{name!r} is no tenant's name: lower case letters, digits and hyphens, at most "
            f"{MAX_TENANT_CHARACTERS}, beginning with a letter or digit"
        )
    return name
