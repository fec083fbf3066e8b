"""What the gallery does with the examples beyond what sphinx-gallery has."""

import shutil
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from sphinx_gallery.scrapers import figure_rst

__all__ = ["saved_pictures", "without_convergence_warnings"]


def saved_pictures(block, block_vars, gallery_conf):  # noqa: ARG001
    """Show the pictures that an example wrote to reports/, and take them away."""
    reports = Path(block_vars["src_file"]).parent / "reports"
    shown = []
    for picture in sorted(reports.glob("*.png")):
        shown.append(next(block_vars["image_path_iterator"]))
        shutil.move(picture, shown[-1])
    if reports.is_dir() and not any(reports.iterdir()):
        reports.rmdir()
    return figure_rst(shown, gallery_conf["src_dir"])


def without_convergence_warnings(gallery_conf, fname):  # noqa: ARG001
    """Few epochs are meant in the examples."""
    warnings.simplefilter("ignore", ConvergenceWarning)
