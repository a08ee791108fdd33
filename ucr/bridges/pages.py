"""The text of a page, without its marks. Pure.

How this works: one pass over the page with `str.find`, and another with `str.split`, which take time in proportion to
its length whatever stands in it; the parser of the standard library does not, when a page is made against it, and nor
do regular expressions with two repetitions that can take the same spaces. What is no text for readers
(scripts, styles) is left out whole, and a mark that begins a block begins a line.
"""

import html
import re
import string
from collections.abc import Mapping
from types import MappingProxyType

_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head", "iframe", "textarea", "select"})
_BREAKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption"),
        *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav"),
        *("ol", "option", "p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    }
)
_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_LOWER: Mapping[int, int] = MappingProxyType({ord(char): ord(char.lower()) for char in string.ascii_uppercase})
"""Lower case that changes no lengths, which `str.lower` does for some letters."""


def title_of(page: str) -> str:
    """Return the title of a page; "" when it has none."""
    lowered = page[:65536].translate(_LOWER)
    start = lowered.find("<title")
    begin = lowered.find(">", start) + 1 if start >= 0 else 0
    end = lowered.find("</title", begin) if begin else -1
    return " ".join(html.unescape(page[begin:end]).split())[:300] if end >= 0 else ""


def text_of(page: str) -> str:
    """Return the words of a page, line by line."""
    parts: list[str] = []
    lowered, at = page.translate(_LOWER), 0
    while at < len(page):
        mark = page.find("<", at)
        if mark < 0:
            parts.append(page[at:])
            break
        parts.append(page[at:mark])
        at = _after(lowered, mark, parts)
    lines = html.unescape("".join(parts)).split("\n")
    return "\n".join([line for line in map(_one_spaced, lines) if line])


def _one_spaced(line: str) -> str:
    return " ".join(line.split())


def _after(lowered: str, mark: int, parts: list[str]) -> int:
    """Return where the page goes on after a mark, and what is hidden behind it."""
    if lowered.startswith("<!--", mark):
        return _past(lowered, "-->", mark)
    named = _NAME.match(lowered, mark + 1)
    if named is None:
        if lowered.startswith(("<!", "<?"), mark):
            return _past(lowered, ">", mark)
        parts.append("<")
        return mark + 1
    name = named[1]
    if name in _BREAKS:
        parts.append("\n")
    if name in _HIDDEN and lowered[mark + 1] != "/":
        mark = lowered.find(f"</{name}", mark)
        return len(lowered) if mark < 0 else _past(lowered, ">", mark)
    return _past(lowered, ">", mark)


def _past(lowered: str, words: str, at: int) -> int:
    found = lowered.find(words, at)
    return len(lowered) if found < 0 else found + len(words)
