"""Markdown to HTML whose formulas need no network: LaTeX becomes MathML, which browsers draw."""

from html import escape

from latex2mathml.converter import convert
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath


class Renderer(IPythonRenderer):
    """nbconvert's, but for formulas and for pictures, which it would fetch or not find."""

    def block_math(self, body):
        return mathml(body, "block")

    def inline_math(self, body):
        return mathml(body, "inline")

    def latex_environment(self, name, body):
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def image(self, text, url, title=None):
        name = url.removeprefix("attachment:")
        data = {kind: found for kind, found in self.attachments.get(name, {}).items()
                if kind in ("image/png", "image/jpeg")}
        if not data:
            return f'<a href="{escape(self.safe_url(url))}">{text or "a picture"}</a>'
        kind, found = next(iter(data.items()))
        return f'<img src="data:{kind};base64,{escape(found)}" alt="{escape(text)}">'


def to_html(text: str, *, trusted: bool = False, attachments: dict | None = None) -> str:
    """The HTML of a Markdown text; HTML in it is kept if it is trusted, else shown as text.

    attachments: a cell's pictures by name. Others are linked to, never fetched.
    """
    render = Renderer(escape=not trusted, allow_harmful_protocols=False,
                      exclude_anchor_links=True, attachments=attachments)
    return MarkdownWithMath(render).render(text)


def mathml(latex: str, display: str) -> str:
    """A formula, "inline" or "block"; one that cannot be read is shown as it was written."""
    try:
        return convert(latex.strip(), display=display)
    except Exception:  # whatever a student's formula does to the converter
        return f"<code>{escape(latex)}</code>"
