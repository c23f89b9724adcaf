"""How the manual is built: ``make docs`` runs its blocks, ``make test`` only reads them."""

import os
import re
import sys
from importlib import metadata
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

sys.path.insert(0, str(Path(__file__).parent))

import generated

project = "mscpool"
release = version = metadata.version("mscpool")
copyright = "the authors of mscpool"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
# A table that another page includes is no page.
exclude_patterns = ["_build", "reference/speeds.md"]
html_theme = "furo"
html_title = f"mscpool {release}"
html_copy_source = False
html_show_sphinx = False

# Formulae are set by MathJax in the reader's browser; nothing is fetched at the build.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

nb_execution_mode = "force" if os.environ.get("MSCPOOL_RUN_BLOCKS") else "off"
nb_execution_timeout = 120
# Warnings are errors: a block that fails is told with its line, and the others still run.
nb_execution_raise_on_error = False
nb_execution_in_temp = True
nb_merge_streams = True
# Commands in blocks write as into a file: no moving bars, and tables as wide as the page.
os.environ |= {"TTY_COMPATIBLE": "0", "COLUMNS": "110"}
# Without a run nothing tells a block's language, and its colours are missing.
suppress_warnings = [] if nb_execution_mode == "force" else ["myst-nb.lexer"]

autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def name_failed_blocks(app, doctree):
    """Warn of each block that failed, with its file and line."""
    for node in doctree.findall(nodes.literal_block):
        if "traceback" in node["classes"]:
            within = re.search(r"Cell In\[\d+\], line (\d+)", node.astext())
            # The first line of a block's code stands one above the line that myst-nb gives it.
            line = node.line - 2 + (int(within[1]) if within else 1)
            place = (app.env.docname, line)
            logging.getLogger(__name__).warning("a block fails\n%s", node.astext(), location=place)


def setup(app):
    """Write the pages that follow from the code before anything is read."""
    app.connect("builder-inited", lambda _: generated.write(Path(__file__).parent / "reference"))
    app.connect("doctree-read", name_failed_blocks)
