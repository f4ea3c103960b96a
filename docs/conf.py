"""Sphinx settings: everything builds offline, warnings are errors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "SDT Dask"
author = "The SDT Dask developers"
copyright = f"2026, {author}"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click", "contract_tables"]
exclude_patterns = ["_build", "tests", "reference/_generated"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The example notebook is run for each build, so what it shows is true.
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc docstrings say them
napoleon_use_rtype = False

smartquotes = False  # they would turn --key into a dash

html_theme = "furo"
html_title = "SDT Dask"
html_show_sourcelink = False
