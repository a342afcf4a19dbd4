"""Sphinx: furo and MyST, built offline (`make docs`)."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from shieldwall import __version__

project = "Shieldwall"
copyright = "the Shieldwall founders; Apache-2.0"
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"Shieldwall {version}"
html_copy_source = False
html_show_sourcelink = False

# Pages arrive one by one; a pattern that finds none yet is no fault. (Sphinx gives this warning no type to suppress it by.)
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)
