"""Convert links of the Markdown pages to files into links within the site.

On a code host ``[`cosine`](../skmetricmlp/metrics/formulas.py)`` opens the file. On the
site it leads to the function, ``../examples/symmetry.py`` leads to this page of the
gallery, and ``../CONTRIBUTING.md`` to the page that includes it. Other files become
downloads.
"""

import os
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

__all__ = ["FileLinks", "TidyDoctests", "setup", "site_target"]

PAGES = {
    "../CONTRIBUTING.md": "contributing",
    "../CHANGELOG.md": "changelog",
    "../README.md": "index",
    "../examples": "gallery/index",
}


def site_target(path, text):
    """Return the target on the site for a path relative to docs/.

    Parameters
    ----------
    path : str
    text : str
        Text of the link. If it is a name, it is the name of an object in the file.

    Returns
    -------
    tuple of (domain, type, target), or None
        None if the path is no part of the site.
    """
    path = path.rstrip("/")
    if path in PAGES:
        return "std", "doc", f"/{PAGES[path]}"
    if found := re.fullmatch(r"\.\./examples/(\w+)\.py", path):
        return "std", "doc", f"/gallery/{found[1]}"
    if found := re.fullmatch(r"\.\./(skmetricmlp(?:/\w+)*?)(?:/__init__)?\.py", path):
        module = found[1].replace("/", ".")
        if re.fullmatch(r"[A-Za-z]\w*", text):
            return "py", "obj", f"{module}.{text}"
        return "py", "mod", module
    return None


class FileLinks(SphinxTransform):
    """Replace links that the Markdown parser treats as downloads or missing pages."""

    default_priority = 5

    def apply(self, **_):
        """Replace the links of a page."""
        is_link = (addnodes.download_reference, addnodes.pending_xref)
        for node in list(self.document.findall(lambda n: isinstance(n, is_link))):
            path = node.get("reftarget", "")
            if node.get("refdomain") == "doc":
                path = f"{path}.md"
            folder = Path(self.env.doc2path(self.env.docname)).parent
            relative = os.path.relpath(folder / path, self.env.srcdir)
            found = site_target(relative, node.astext())
            if found is None:
                continue
            domain, kind, target = found
            link = addnodes.pending_xref(
                "",
                *(child.deepcopy() for child in node.children),
                refdomain=domain,
                reftype=kind,
                reftarget=target,
                refdoc=self.env.docname,
                refexplicit=True,
                refwarn=True,
            )
            if kind == "doc":
                text = nodes.inline("", "", *link.children, classes=["doc"])
                link.children = [text]
            link.source, link.line = node.source, node.line
            node.replace_self(link)


class TidyDoctests(SphinxTransform):
    """Remove the empty line after the output of a doctest in Markdown."""

    default_priority = 5

    def apply(self, **_):
        """Strip the code blocks of a page."""
        for node in self.document.findall(nodes.literal_block):
            text = node.astext().rstrip()
            node.rawsource, node.children = text, [nodes.Text(text)]


def setup(app):
    """Register the transforms."""
    app.add_transform(FileLinks)
    app.add_transform(TidyDoctests)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
