"""The whole page: its frame, its sections in order, and a content policy under which nothing else can run or load."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from medo1.lineage.page_marks import measured
from medo1.page.arm_styles import colour_rules
from medo1.page.files_inside import part
from medo1.page.markup import without_commands
from medo1.page.material import Material
from medo1.page.sections import SECTIONS
from medo1.page.sections.section import Section

DARK = (
    "--ink:#e6ebf0;--soft:#a9b4bf;--line:#313b45;--wash:#1d252d;--page:#14181d;--note:#2b2614;--note-edge:#c99a2e;"
    "--link:#8db4ff;--mark:#6b5410;--gone:#55616d;--yes:#5fd38d;--no:#ff8f84"
)


class Block(NamedTuple):
    """Data in a page, which is read and never run: base64."""

    id: str
    text: str


def rendered(
    material: Material,
    data: Sequence[Block] = (),
    scripts: Sequence[str] = (),
    *,
    scripts_beside: bool = False,
    sections: Sequence[Section] = SECTIONS,
    subtitle: str = "What each arm gets right, what its thinking costs, and how sure that is.",
) -> str:
    """The page's HTML: equal material gives equal bytes.

    Args:
        material: the study.
        data: what scripts read.
        scripts: beside the page's own.
        scripts_beside: whether scripts that lie beside the page may be loaded.
        sections: what the page may have, in their order.
        subtitle: below the title.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    shown = []
    for section in sections:
        if all(material.there(name) for name in section.needs) and (data or section.anchor != "cases"):
            html = section.body(material) if material.traced else without_commands(section.body(material))
            if html and section.measures:
                html = Markup(measured(html))  # noqa: S704  (made of Markup)
            if html:
                shown.append({"anchor": section.anchor, "heading": section.heading, "html": html})
    style = _style()
    scripts = [part("page.js"), *scripts]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    values: dict[str, Any] = {
        "policy": Markup(policy(style, scripts, beside=scripts_beside)),  # noqa: S704
        "title": material.title,
        "subtitle": subtitle,
        "style": Markup(style),  # noqa: S704
        "sections": shown,
        "data": data,
        "scripts": [Markup(script) for script in scripts],  # noqa: S704
    }
    return environment.from_string(part("page.html.jinja")).render(values)


def policy(style: str, scripts: Sequence[str], *, beside: bool = False) -> str:
    """A content security policy: these scripts and this style by their digests, and nothing else from anywhere; with
    `beside`
    also scripts from where the page itself lies.
    """
    allowed = " ".join([*(_source(script) for script in scripts), *(["'self'", "file:"] if beside else [])])
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'; object-src 'none'"
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _style() -> str:
    """The page's style with the arms' colours; a dark one where the system, or the reader, asks for it, but never on
    paper.
    """
    dark = f"{{{DARK}}}"
    chosen = f":root[data-theme=dark]{dark}" + _within(":root[data-theme=dark]", colour_rules("dark"))
    wished = f":root:not([data-theme=light]){dark}" + _within(":root:not([data-theme=light])", colour_rules("dark"))
    return (
        f"{part('style.css')}{colour_rules('light')}\n@media screen{{{chosen}\n"
        f"@media (prefers-color-scheme:dark){{{wished}}}}}\n"
        ":root[data-theme=light]{color-scheme:light}:root[data-theme=dark]{color-scheme:dark}\n"
        "@media print{:root{color-scheme:light}}\n"
    )


def _within(selector: str, rules: str) -> str:
    return "".join(f"{selector} {rule}}}" for rule in rules.split("}") if rule)
