"""The page itself: parts are added, then a template is rendered around them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from toolkit.page.safe_json import embed_json
from toolkit.typography import format_number, format_percent, format_share, is_visible, shorten

__all__ = ["TABLE_SCRIPT", "Fragment", "Page"]


def _resource(name: str) -> str:
    return (files("toolkit.page") / "templates" / name).read_text(encoding="utf-8")


TABLE_SCRIPT = _resource("tables.js")
"""Makes the columns of ``<table data-sortable>`` sort on a click, and filters its rows when a
``<input type="search" data-filter="ID OF THE TABLE">`` stands somewhere."""


@dataclass(frozen=True)
class Fragment:
    """A piece of a page with everything it needs, to be put into any page.

    Parameters
    ----------
    html : markupsafe.Markup
        What stands where the piece is put.
    scripts, styles : tuple of str
        Its scripts, in order, and style sheets. One that several pieces share is added once.
    data : mapping of str to object
        Values for :meth:`Page.add_data`.

    Examples
    --------
    >>> bars = Fragment(Markup("<p>Bars</p>"), scripts=("let n = 3",))
    >>> page = Page("Counts")
    >>> str(page.add(bars)), "let n = 3" in page.render()
    ('<p>Bars</p>', True)
    """

    html: Markup
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


class Page:
    """One offline HTML page.

    Parameters
    ----------
    title : str
        The page's title and first heading.
    subtitle : str, default=""
        A line under the heading.
    lang : str, default="en"
        Language of the page's own words (not of the texts in it).
    template_package : str, optional
        Import name of the package whose ``templates`` folder has the page's template.

    Examples
    --------
    >>> page = Page("Greeting")
    >>> page.add_script("document.title = pageData('words')[0];")
    >>> page.add_data("words", ["</script>"])
    >>> html = page.render(content="<b>untrusted</b>")
    >>> "&lt;b&gt;untrusted" in html, html.count("</script>")
    (True, 3)
    """

    def __init__(
        self,
        title: str,
        *,
        subtitle: str = "",
        lang: str = "en",
        template_package: str | None = None,
    ) -> None:
        self.title = title
        self.subtitle = subtitle
        self.lang = lang
        self.template_package = template_package
        self._scripts: dict[str, None] = {_resource("page.js"): None}
        self._styles: dict[str, None] = {_resource("page.css"): None}
        self._data: dict[str, Any] = {}

    def add_script(self, source: str) -> None:
        """Add a script, run after the body in the order of adding; twice the same is once.

        Raises
        ------
        ValueError
            If the source has a ``</script`` or ``<!--`` in it, which HTML would end it at.
        """
        lowered = source.lower()
        if "</script" in lowered or "<!--" in lowered:
            raise ValueError("a script cannot contain '</script' or '<!--'; break the string up")
        self._scripts[_normal(source)] = None

    def add_style(self, source: str) -> None:
        """Add a style sheet after the base one; twice the same is once.

        Raises
        ------
        ValueError
            If the source has a ``</style`` in it.
        """
        if "</style" in source.lower():
            raise ValueError("a style sheet cannot contain '</style'")
        self._styles[_normal(source)] = None

    def add_data(self, name: str, value: Any) -> None:
        """Add a value that scripts get with ``pageData(name)``.

        Raises
        ------
        ValueError
            If the name is taken.
        """
        if name in self._data:
            raise ValueError(f"the page has data {name!r} already")
        self._data[name] = value

    def add(self, fragment: Fragment) -> Markup:
        """Add what a fragment needs, and return its HTML for the template."""
        for script in fragment.scripts:
            self.add_script(script)
        for style in fragment.styles:
            self.add_style(style)
        for name, value in fragment.data.items():
            self.add_data(name, value)
        return fragment.html

    @property
    def policy(self) -> str:
        """The Content-Security-Policy of the page as it stands.

        Nothing may be requested, nothing framed, no form sent, no base set; scripts and style
        sheets are those of the page, by hash, and no script compiles code. Data blocks
        (``application/json``) do not run and need no entry.
        """
        scripts = [_hash(script) for script in self._scripts]
        styles = [_hash(style) for style in self._styles]
        return "; ".join(
            (
                "default-src 'none'",
                f"script-src {' '.join(scripts)}",
                f"style-src {' '.join(styles)}",
                "img-src data:",
                "base-uri 'none'",
                "form-action 'none'",
            )
        )

    def render(self, template: str = "page.html", /, **context: Any) -> str:
        """Return the page.

        Parameters
        ----------
        template : str, default="page.html"
            Name of a template in ``template_package`` that extends ``page.html``; or that
            itself, which shows ``content``.
        **context
            The template's variables. Strings are escaped; :class:`markupsafe.Markup` is not.

        Returns
        -------
        str
        """
        # Checked on adding. The first says that scripts run: known before the body is laid out, so
        # that this is done once.
        first, *scripts = map(Markup, self._scripts)
        rendered = _environment(self.template_package).get_template(template)
        return rendered.render(
            context,
            page=self,
            first_script=first,
            scripts=scripts,
            styles=[Markup(style) for style in self._styles],  # noqa: S704 - checked on adding
            data={name: embed_json(value) for name, value in self._data.items()},
        )


def _normal(source: str) -> str:
    # A browser reads every line end as \n before it hashes.
    return source.replace("\r\n", "\n").replace("\r", "\n")


@cache
def _hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


@cache
def _environment(package: str | None) -> jinja2.Environment:
    loaders: list[jinja2.BaseLoader] = []
    if package is not None:
        loaders.append(jinja2.PackageLoader(package, "templates"))
    loaders.append(jinja2.PackageLoader("toolkit.page", "templates"))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    environment.filters["percent"] = format_percent
    environment.filters["share"] = format_share
    environment.filters["short"] = shorten
    environment.tests["visible"] = is_visible
    return environment
