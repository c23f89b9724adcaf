"""The folder for what can be made again: compiled code, and how long stages took."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Give the folder of ``MSCPOOL_CACHE``, or the platform's for caches; it need not exist."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("MSCPOOL_CACHE")
    return Path(chosen) if chosen else user_cache_path("mscpool", appauthor=False)
