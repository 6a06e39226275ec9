from __future__ import annotations

import json
import re
import stat
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

from toolkit.errors import UsageError
from toolkit.page import (
    TABLE_SCRIPT,
    Fragment,
    Page,
    Report,
    dump_json,
    embed_json,
    escape_markdown,
    markdown_table,
    picture,
    write_text_atomic,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "<!-- <script>",
    "line\u2028separator\u2029and",
    "javascript:alert(4)",
    "{{ 7 * 7 }}{% raw %}",
    "يولد جميع الناس أحرارًا",
    "emoji 👩‍👩‍👧 🇺🇳",
    "' onmouseover='alert(5)",
    '" style="background:url(http://example.org)',
]


def policy_of(html: str) -> dict[str, list[str]]:
    found = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert found
    parts = [part.split() for part in unescape(found[1]).split(";")]
    return {name: values for name, *values in parts}


def blocks(html: str, tag: str) -> list[str]:
    found = re.findall(rf"<{tag}((?:\s[^>]*)?)>(.*?)</{tag}>", html, flags=re.DOTALL)
    return [body for attributes, body in found if "application/json" not in attributes]


def hash_of(body: str) -> str:
    return f"'sha256-{b64encode(sha256(body.encode()).digest()).decode()}'"


def test_policy_has_exactly_the_hashes_of_what_runs() -> None:
    page = Page("t")
    page.add_script("window.a = 1;\r\nwindow.b = 2;")
    page.add_style("p { color: red }")
    html = page.render()
    policy = policy_of(html)
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == [hash_of(body) for body in blocks(html, "script")]
    assert policy["style-src"] == [hash_of(body) for body in blocks(html, "style")]
    assert policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert len(policy["script-src"]) == 2
    assert "\r" not in html


def test_nothing_unsafe_is_allowed() -> None:
    page = Page("t")
    page.add(Fragment(Markup("<p>"), scripts=("1;",), styles=("p { color: red }",)))
    assert "unsafe" not in page.policy


def test_scripts_of_two_fragments_are_added_once() -> None:
    page = Page("t")
    for name in ("one", "two"):
        page.add(Fragment(Markup("<p>"), scripts=("window.x = 1;",), data={name: 1}))
    assert page.render().count("window.x = 1;") == 1
    with pytest.raises(ValueError, match="'one' already"):
        page.add_data("one", 2)


@pytest.mark.parametrize("source", ["'</SCRIPT>'", "'<!--'"])
def test_script_that_html_would_end_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="script cannot contain"):
        Page("t").add_script(source)
    with pytest.raises(ValueError, match="style sheet cannot contain"):
        Page("t").add_style("</style>")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_text(text: str) -> None:
    plain = Page("plain").render(content="x")
    page = Page(text, subtitle=text)
    page.add_data("texts", {text: [text]})
    html = page.render(content=text)
    for tag in ("<script", "</script", "<img", "<style", "<!--"):
        added = 1 if tag in ("<script", "</script") else 0  # the data block
        assert html.count(tag) == plain.count(tag) + added
    block = re.search(r'data-name="texts">(.*?)</script>', html, flags=re.DOTALL)
    assert block
    assert json.loads(block[1]) == {text: [text]}
    assert "\u2028" not in block[1]


def test_embedded_json_reads_back_and_cannot_break_out() -> None:
    embedded = str(embed_json(HOSTILE))
    assert json.loads(embedded) == HOSTILE
    assert not re.search("[<>&\u2028\u2029]", embedded)


def test_json_of_numpy_and_lone_surrogates() -> None:
    value = {"a": np.float32(0.5), "b": np.array([[1, 2]]), "c": [float("inf")], "d": "x\ud800"}
    text = dump_json(value)
    text.encode()
    assert json.loads(text) == {"a": 0.5, "b": [[1, 2]], "c": [None], "d": "x\ud800"}
    with pytest.raises(TypeError, match="no JSON form"):
        dump_json({"a": object()})


def test_write_is_atomic_and_keeps_what_may_not_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    assert write_text_atomic(path, "one\ud800") == path
    assert path.read_text("utf-8") == "one\ufffd"
    with pytest.raises(UsageError, match="exists already"):
        write_text_atomic(path, "two", overwrite=False)
    assert path.read_text("utf-8") == "one\ufffd"
    path.chmod(0o640)
    write_text_atomic(path, "three")
    assert path.read_text("utf-8") == "three"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    with pytest.raises(UsageError, match="is a folder"):
        write_text_atomic(tmp_path, "x")


def test_write_through_a_link_to_a_device_and_to_a_long_name(tmp_path: Path) -> None:
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_text("old")
    link.symlink_to(real)
    write_text_atomic(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    write_text_atomic("/dev/null", "gone")
    assert Path("/dev/null").is_char_device()
    long = tmp_path / ("文" * 80 + ".html")  # 245 bytes
    assert write_text_atomic(long, "x").read_text() == "x"


def test_new_file_is_not_written_over_a_file_that_appears_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.html"
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda self, **kw: self != path and real(self, **kw))
    path.write_text("theirs")
    with pytest.raises(UsageError, match="exists already"):
        write_text_atomic(path, "mine", overwrite=False)
    assert path.read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.html"
    path.write_text("old")

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_hostile_texts(text: str) -> None:
    line = escape_markdown(text)
    assert "\n" not in line
    assert not re.search(r"<[a-zA-Z/!]", line)
    cells = re.split(r"(?<!\\)\|", markdown_table(["a|b"], [[text]]).splitlines()[2])
    assert len(cells) == 3


class Sample(Report):
    def build_html(self) -> str:
        return Page("Sample").render(content='a "quoted" text')

    def build_markdown(self) -> str:
        return "# Sample"

    def to_dict(self) -> dict[str, object]:
        return {"value": np.float64("nan")}

    def to_frame(self):  # type: ignore[no-untyped-def]
        raise NotImplementedError


def test_report_base(tmp_path: Path) -> None:
    report = Sample()
    assert report.to_html(tmp_path / "a.html").read_text() == report.to_html()
    assert report.to_markdown() == "# Sample\n"
    assert json.loads(report.to_json()) == {"value": None}
    with pytest.raises(UsageError):
        report.to_json(tmp_path / "a.html", overwrite=False)
    frame = report._repr_html_()
    inner = re.search(r'srcdoc="([^"]*)"', frame)
    assert inner
    assert unescape(inner[1]) == report.to_html()
    assert 'sandbox="allow-scripts"' in frame
    with pytest.raises(TypeError, match="abstract"):
        Report()  # type: ignore[abstract]


def test_picture_is_inside_the_page() -> None:
    from matplotlib.figure import Figure

    figure, dark = Figure(figsize=(1, 1)), Figure(figsize=(1, 1))
    html = str(picture(figure, 'a "b" <c>', dark=dark))
    assert html.count("data:image/svg+xml;base64,") == 2
    assert "prefers-color-scheme: dark" in html
    assert "&#34;b&#34; &lt;c&gt;" in html
    assert "data:image/png;base64," in picture(figure, "", kind="png")


@pytest.mark.browser
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_page_in_a_browser(tmp_path: Path, chromium_page, size: str) -> None:  # type: ignore[no-untyped-def]
    table = "".join(
        f'<tr><th scope="row">{name}</th><td class="n">{n}</td></tr>'
        for name, n in (("b", "1,200"), ("a", "30"), ("c", "–"), ("d", "−5"))
    )
    page = Page("Table " + HOSTILE[0])
    page.add_script(TABLE_SCRIPT)
    page.add_data("x", HOSTILE)
    page.add_script("window.seen = pageData('x');")
    body = Markup(
        '<input type="search" data-filter="t"><table id="t" data-sortable><thead><tr>'
        '<th>Name</th><th class="n">N</th></tr></thead><tbody>' + table + "</tbody></table>"
    ) + "".join(HOSTILE)
    path = write_text_atomic(tmp_path / "p.html", page.render(content=body))
    visit = chromium_page.open(path, size=size)
    assert visit.page.evaluate("window.seen") == HOSTILE

    def names() -> list[str]:
        return visit.page.locator("tbody tr:visible th").all_inner_texts()

    visit.page.get_by_role("button", name="N", exact=True).click()
    assert names() == ["d", "a", "b", "c"]
    visit.page.get_by_role("button", name="N", exact=True).click()
    assert names() == ["b", "a", "d", "c"]
    visit.page.get_by_role("button", name="Name").click()
    assert names() == ["a", "b", "c", "d"]
    visit.page.fill("input", "30")
    assert names() == ["a"]
    visit.assert_fits()
    visit.assert_clean(path)


@pytest.mark.browser
def test_policy_stops_what_should_not_be_there(tmp_path: Path, chromium_page) -> None:  # type: ignore[no-untyped-def]
    """The policy is the second lock: it holds even if a template forgot to escape."""
    hostile = Markup(
        '<img src="http://example.org/x.png" onerror="window.hit = 1">'
        "<script>window.hit = 2</script>"
        "<style>body { background: url(http://example.org/) }</style>"
        '<iframe src="http://example.org"></iframe><p style="color: red" onclick="1">'
    )
    path = write_text_atomic(tmp_path / "p.html", Page("t").render(content=hostile))
    visit = chromium_page.open(path)
    assert visit.page.evaluate("window.hit") is None
    assert visit.requests == [path.resolve().as_uri(), *visit.refused]
    assert sum("Content Security Policy" in error for error in visit.errors) >= 5
