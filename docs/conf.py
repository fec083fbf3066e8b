"""Configuration of Sphinx; `make docs` builds the site into docs/_build/html."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]

import examples_gallery  # noqa: E402

import skmetricmlp  # noqa: E402

project = "skmetricmlp"
author = copyright = "the skmetricmlp developers"  # noqa: A001
release = version = skmetricmlp.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.figmpl_directive",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "code_links",
    "examples_gallery",
    "mathml",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_templates", "extensions", "figures", "api/backreferences"]
templates_path = ["_templates"]
suppress_warnings = ["config.cache"]

# The site is built without network access by default. INTERSPHINX=1 adds links to the
# documentation of other projects.
if os.environ.get("INTERSPHINX") == "1":
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "python": ("https://docs.python.org/3", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

# --- Markdown: syntax that a code host renders too ---
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3

# --- API ---
autosummary_generate = True
autodoc_typehints = "none"
# PyTorch is optional, also here.
autodoc_mock_imports = [] if find_spec("torch") else ["torch"]
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

# --- Figures ---
plot_html_show_formats = False
plot_html_show_source_link = False
plot_pre_code = """
import warnings
from sklearn.exceptions import ConvergenceWarning
warnings.simplefilter("ignore", ConvergenceWarning)  # few epochs are intended
"""
plot_formats = [("png", 100)]
plot_srcset = ["2x"]
plot_rcparams = {"figure.constrained_layout.use": True, "font.size": 9}
plot_apply_rcparams = True

# --- Gallery ---
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("skmetricmlp",),
    "filename_pattern": examples_gallery.run_pattern(),
    "within_subsection_order": "examples_gallery.reading_order",
    "reset_modules": ("matplotlib", "examples_gallery.STRICTNESS"),
    "reset_modules_order": "both",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "default_thumb_file": str(HERE / "_static/logo.svg"),
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
}

# --- HTML ---
html_theme = "pydata_sphinx_theme"
html_title = "skmetricmlp"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}  # light or dark, as the system of the reader
html_theme_options = {
    "logo": {"text": "skmetricmlp"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "show_nav_level": 2,
    "show_prev_next": True,
}
html_sidebars = {
    page: [] for page in ("index", "start", "method", "contributing", "changelog")
}


def skip_inherited(app, what, name, obj, skip, options):  # noqa: ARG001
    """Leave out members that are inherited from scikit-learn."""
    function = obj.fget if isinstance(obj, property) else obj
    module = getattr(function, "__module__", None) or type(obj).__module__
    return True if module.startswith("sklearn.") else None


def setup(app):
    """Register the function of this file."""
    app.connect("autodoc-skip-member", skip_inherited)
