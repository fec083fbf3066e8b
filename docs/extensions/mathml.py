"""Equations as MathML, which browsers render without scripts and network access.

The package ziamath provides the font, which few systems have.
"""

from importlib.resources import files

from docutils import nodes
from latex2mathml.converter import convert

__all__ = ["setup"]


def _mathml(latex, **keywords):
    # The second bar of a norm is inside its exponent, where it would not stretch.
    bar = "<mo>&#x02016;</mo>"
    return convert(latex, **keywords).replace(
        bar, bar.replace("mo", 'mo stretchy="false"', 1)
    )


def _inline(translator, node):
    translator.body.append(_mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    equation = _mathml(node.astext(), display="block")
    translator.body.append(f'<div class="math">{equation}</div>\n')
    raise nodes.SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"
    app.connect("builder-inited", _copy_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_font(app):
    app.config.html_static_path.append(str(files("ziamath") / "fonts"))
