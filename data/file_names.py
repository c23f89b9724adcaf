"""Names of files made from names of the user's: safe in every system, and each its own."""

from __future__ import annotations

import hashlib
import re

#: A name that is a file's name as it stands: no two differ in case only.
_PLAIN = re.compile(r"[a-z0-9_]{1,60}")
#: What Windows keeps for devices, whatever ending follows.
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
_LONGEST_PART, _DIGITS = 40, 12


def file_name(name: str) -> str:
    """Give the part of a file's name that stands for a name of the user's.

    Parameters
    ----------
    name : str
        Any text, such as the name of an outcome.

    Returns
    -------
    str
        The name itself where it has but small letters, digits and underscores. Else what it has of
        them, a hyphen and the start of its SHA-256, so that two names never share a file, also
        where case or the form of accents is ignored. At most 60 ASCII characters.
    """
    if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST_PART]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    return f"{readable or 'name'}-{digest}"
