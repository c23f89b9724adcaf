"""How the manual is built: ``make docs`` runs its blocks, ``make test`` only reads them."""

import os
import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generated

project = "mscpool"
release = version = metadata.version("mscpool")
copyright = "the authors of mscpool"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
# Tables that other pages include are no pages.
exclude_patterns = ["_build", "reference/guard_rates.md", "reference/engines.md"]
html_theme = "furo"
html_title = f"mscpool {release}"
html_copy_source = False
html_show_sphinx = False

# Formulae are set by MathJax in the reader's browser; nothing is fetched at the build.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "force" if os.environ.get("MSCPOOL_RUN_BLOCKS") else "off"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True
# Commands in blocks write as into a file: no moving bars, and tables as wide as the page.
os.environ |= {"TTY_COMPATIBLE": "0", "COLUMNS": "110"}
# Without a run nothing tells a block's language, and its colours are missing.
suppress_warnings = [] if nb_execution_mode == "force" else ["myst-nb.lexer"]

autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def setup(app):
    """Write the pages that follow from the code before anything is read."""
    app.connect("builder-inited", lambda _: generated.write(Path(__file__).parent / "reference"))
