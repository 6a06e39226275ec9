"""What README and documentation say is true: code runs, commands parse, links and names lead there.

A block of Python runs unless a comment in front of it says what it needs::

    <!-- needs a server -->
    ```python
    clf.predict(["a new text"])
    ```
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main
from threadpoolctl import threadpool_limits

from toolkit.cli.app import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
NEEDS = ("needs a server", "needs files of your own")
PACKAGES = (
    "toolkit",
    "toolkit.backends.base",
    "toolkit.cache",
    "toolkit.classify",
    "toolkit.cluster",
    "toolkit.datasets",
    "toolkit.errors",
    "toolkit.identity",
    "toolkit.page",
    "toolkit.prompts",
    "toolkit.reference",
    "toolkit.report",
    "toolkit.visualize",
)

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not in a wheel")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line it begins on, what it needs."""

    language: str
    text: str
    line: int
    needs: str | None


def blocks(page: Path) -> list[Block]:
    found = []
    pattern = re.compile(r"^```([\w{}-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = page.read_text("utf-8")
    for match in pattern.finditer(text):
        comment = re.search(r"<!-- (.*) -->\n\Z", text[: match.start()])
        line = text.count("\n", 0, match.start(2)) + 1
        found.append(Block(match[1], match[2], line, comment[1] if comment else None))
    return found


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def pages_with(language: str) -> list[Any]:
    found = [page for page in PAGES if any(block.language == language for block in blocks(page))]
    return [pytest.param(page, id=page.name) for page in found]


# --- Python --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("python"))
def test_python_runs(page, monkeypatch, tmp_path):
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    with threadpool_limits(1, user_api="blas"):
        for block in blocks(page):
            if block.language != "python":
                continue
            # Empty lines in front, so that a traceback names the line of the page.
            code = "\n" * (block.line - 1) + block.text
            tree = ast.parse(code, str(page))
            if block.needs is None:
                exec(compile(tree, str(page), "exec"), namespace)
    plt.close("all")


@pytest.mark.parametrize("page", pages_with("python"))
def test_a_block_that_does_not_run_says_why(page):
    needs = {block.needs for block in blocks(page) if block.language == "python"}
    assert needs <= {None, *NEEDS}


def test_blocks_are_found():
    # A pattern that finds nothing would let everything above pass.
    runnable = [b for page in PAGES for b in blocks(page) if b.language == "python" and not b.needs]
    assert len(runnable) >= 20
    assert len(list(quoted_commands())) >= 30


# --- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quoted:
    """A ``toolkit ...`` on a page: where, its arguments, and whether as a line to be typed."""

    where: str
    arguments: list[str]
    whole: bool


def quoted_commands() -> Iterator[Quoted]:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "sh":
                for number, line in shell_lines(block):
                    for arguments in arguments_in(line):
                        yield Quoted(f"{page.name}:{number}", arguments, whole=True)
        for match in re.finditer(r"`(toolkit [^`]+)`", prose(page)):
            line = match[1].replace("\n", " ")
            # `toolkit COMMAND --help` and `toolkit demo [SENTENCE]...` show a form.
            if not re.search(r"\b[A-Z]{5,}\b|\[|\.\.\.", line):
                for arguments in arguments_in(line):
                    yield Quoted(f"{page.name}, {line}", arguments, whole=False)


def shell_lines(block: Block) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, those that end in a backslash joined with the next."""
    line, number = "", 0
    for position, text in enumerate(block.text.splitlines()):
        number = number if line else block.line + position
        line += text.removesuffix("\\")
        if not text.endswith("\\"):
            yield number, line
            line = ""


def arguments_in(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "|"]:
        if word not in ("|", "&&", ";"):
            words.append(word)
            continue
        if words and Path(words[0]).name == "toolkit":
            yield words[1:]
        words = []


def parse(arguments: list[str]) -> None:
    """Parse as the command would, without running it."""
    group: Any = typer.main.get_command(app)
    words = [word for word in arguments if word != "--help"]
    context = group.make_context("toolkit", list(words), resilient_parsing=not words)
    while words and hasattr(group, "resolve_command"):
        name, group, words = group.resolve_command(context, words)
        # A group takes no arguments: the next word is the name of its command.
        taken = [] if hasattr(group, "resolve_command") else words
        context = group.make_context(name, taken, parent=context)


@pytest.mark.parametrize(
    "quoted", [pytest.param(quoted, id=quoted.where) for quoted in quoted_commands()]
)
def test_commands_parse(quoted):
    may = nullcontext() if quoted.whole else suppress_missing()
    with may:
        parse(quoted.arguments)


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Let a sentence name a command without its input."""
    try:
        yield
    except Exception as error:
        if type(error).__name__ != "MissingParameter":
            raise


@pytest.mark.parametrize(
    "wrong", ["nothing", "embed x.csv --nothing", "map x.csv --random-state a", "train"]
)
def test_the_parser_notices(wrong):
    with pytest.raises(Exception, match=r"(?i)no such|valid|missing"):
        parse(wrong.split())


def options_of(command: Any) -> set[str]:
    options = {o for p in command.params for o in p.opts if o.startswith("--")}
    for one in getattr(command, "commands", {}).values():
        options |= options_of(one)
    return options


def test_the_command_line_page_is_complete():
    group: Any = typer.main.get_command(app)
    text = (DOCS / "command_line.md").read_text("utf-8")
    sections = {part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.M)}
    assert set(group.commands) <= set(sections)
    common = sections["What all have in common"]
    missing = {
        f"{name} {option}"
        for name, command in group.commands.items()
        for option in options_of(command)
        if f"`{option}" not in common + sections[name]
    }
    assert not missing
    named = set(re.findall(r"`(--[\w-]+)", text))
    assert named - {"--help"} <= options_of(group)


# --- links and names -----------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}"


def test_every_public_name_is_in_the_reference():
    text = (DOCS / "api.rst").read_text("utf-8")
    listed = {name.rpartition(".")[2] for name in re.findall(r"(?:~|:: )(toolkit\.[\w.]+)", text)}
    missing = {
        package: names
        for package in PACKAGES
        if (names := set(import_module(package).__all__) - {"__version__"} - listed)
    }
    assert not missing


def reference() -> list[tuple[str, Any]]:
    """Return the names of the reference, and what they stand for."""
    text = (DOCS / "api.rst").read_text("utf-8")
    names = re.findall(r"^ +~(toolkit\.[\w.]+)$", text, re.MULTILINE)
    return [
        (name, getattr(import_module(name.rpartition(".")[0]), name.rpartition(".")[2]))
        for name in names
    ]


def test_no_name_is_in_the_reference_twice():
    names = [name for name, _ in reference()]
    assert len(names) > 100
    assert sorted(set(names)) == sorted(names)


def test_every_package_with_public_names_is_looked_at():
    # The command line and the demo are commands; backends and engine are reached by parameters;
    # saved is what the two kinds of saved folder share.
    inside = {"backends", "cli", "demo", "embedding", "saved"}
    packages = {path.parent.name for path in (ROOT / "toolkit").glob("*/__init__.py")}
    assert packages - inside <= {name.partition(".")[2] for name in PACKAGES}


def test_every_name_has_an_example():
    # But for records that functions return; how to get one is in the function's example.
    lacking = {
        name
        for name, thing in reference()
        if not (isinstance(thing, type) and issubclass(thing, Exception))
        and not (isinstance(thing, type) and is_dataclass(thing))
        and ">>>" not in (thing.__doc__ or "")
    }
    assert not lacking


def test_every_page_is_in_a_menu():
    menus = (DOCS / "index.md").read_text("utf-8") + (DOCS / "guide.md").read_text("utf-8")
    for page in [*DOCS.glob("*.md"), *DOCS.glob("*.rst")]:
        assert page.stem == "index" or re.search(rf"^{page.stem}$", menus, re.MULTILINE), page.name


@pytest.mark.slow
def test_the_documentation_builds(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(ROOT / "docs"), "html"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "html" / "index.html").is_file()
