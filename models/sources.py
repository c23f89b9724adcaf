"""Where PyTensor leaves the sources of what it compiles."""

from __future__ import annotations


def keep_sources_beside_cache() -> None:
    """Let PyTensor write generated sources beside what was compiled of them.

    Else every compilation leaves its source in the system's temporary folder; here it is one file
    for each source, and PyTensor removes what has grown old.
    """
    from pytensor.configdefaults import config

    if not config.generated_src_dir:
        config.generated_src_dir = str(config.base_compiledir / "generated")
