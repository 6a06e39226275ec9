"""Sphinx's settings; `make docs` builds with warnings as errors."""

from importlib.metadata import version as installed_version

project = "embeddinggemma-toolkit"
author = "The embeddinggemma-toolkit developers"
copyright = "2026, The embeddinggemma-toolkit developers"
version = release = installed_version("embeddinggemma-toolkit")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_templates"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_member_order = "bysource"
templates_path = ["_templates"]
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_show_inherited_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = "embeddinggemma-toolkit"
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["style.css"]
# Pages of their own have no others beside them to list.
html_sidebars = {"index": [], "design": [], "changelog": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_nav_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
toc_object_entries_show_parents = "hide"

# Names of other projects cannot be looked up without a network.
nitpicky = False
