"""The order of the examples in the gallery, and what each has to do.

An example fails the build if it raises an error or a warning, leaves a file behind,
prints nothing, or draws nothing although it plots.
"""

import re
import warnings
from importlib.util import find_spec
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from sphinx.errors import ExtensionError

__all__ = ["STRICTNESS", "Strictness", "lacks", "reading_order", "run_pattern", "setup"]

PRINTED = "sphx-glr-script-out"
DRAWN = "image-sg"

# The examples of general interest come first. Examples that are not listed come last.
FIRST = (
    "exemplars_of_digits",
    "mixed_columns",
    "mnist",
    "few_labels",
    "search_metrics",
    "explain_a_prediction",
    "stream_in_order",
    "streaming",
    "callbacks",
    "regression",
    "functions",
    "parquet_larger_than_memory",
    "dask_cluster",
    "dask_grid_search",
    "pytorch_own_network",
    "pytorch_transfer",
    "pytorch_images",
)
# Examples whose name begins with the first need the packages, which the site does not.
OPTIONAL = {"pytorch_": ("torch", "skorch")}
# This example limits the memory of its process, so it is shown and not run.
NEVER_RUN = "parquet_larger_than_memory"


def run_pattern(is_installed=find_spec):
    """Return the pattern of the examples that are run; the others are only shown."""
    lacking = [
        name for name, needed in OPTIONAL.items() if not all(map(is_installed, needed))
    ]
    return rf"/(?!{'|'.join([NEVER_RUN, *lacking])})\w+\.py"


def reading_order(file_name):
    """Return the sort key of an example."""
    stem = Path(file_name).stem
    return (FIRST.index(stem) if stem in FIRST else len(FIRST), stem)


class Strictness:
    """What surrounds each example: warnings are errors, and no file is left.

    Convergence warnings are expected, because the examples train for few epochs.

    Parameters
    ----------
    folder : Path
        The folder in which the examples run.
    """

    def __init__(self, folder):
        self.folder, self.filters, self.files = folder, [], set()

    def __call__(self, gallery_conf, fname, when):  # noqa: ARG002
        """Begin before an example, and end after it."""
        if fname is None:  # before the first example of the folder
            return
        files = set(self.folder.iterdir())
        if when == "before":
            self.filters, self.files = warnings.filters[:], files
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConvergenceWarning)
            return
        warnings.filters[:] = self.filters
        if left := sorted(path.name for path in files - self.files):
            msg = f"{fname} left {', '.join(left)}"
            raise ExtensionError(msg)


STRICTNESS = Strictness(Path(__file__).parents[2] / "examples")


def lacks(source, page):
    """Return what the page of an example lacks.

    Parameters
    ----------
    source, page : str
        The script, and the page that the gallery made of it.

    Returns
    -------
    list of str
    """
    drawn = (DRAWN in page) == ("plt." in source)
    return ["output"] * (PRINTED not in page) + ["figures, or plt."] * (not drawn)


def check_pages(app):
    """Raise an error if an example that was run lacks output or figures."""
    settings = app.config.sphinx_gallery_conf
    for path in sorted((Path(app.srcdir) / settings["gallery_dirs"]).glob("*.py")):
        if not re.search(settings["filename_pattern"], path.as_posix()):
            continue
        page = path.with_suffix(".rst").read_text("utf-8")
        if missing := lacks(path.read_text("utf-8"), page):
            msg = f"the example {path.name} lacks {' and '.join(missing)}"
            raise ExtensionError(msg)


def setup(app):
    """Check the pages once the gallery, which makes them at this event too, has run."""
    app.connect("builder-inited", check_pages, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
