"""Equations as MathML, which browsers draw themselves: no script, no network."""

from docutils import nodes
from latex2mathml.converter import convert

__all__ = ["setup"]


def _inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    equation = convert(node.astext(), display="block")
    translator.body.append(f'<div class="math">{equation}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Draw equations this way with ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
