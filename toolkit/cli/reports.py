"""Reports to files, in the format their name asks for."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from toolkit.cli.options import OUTPUT, option
from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.page import Report

__all__ = [
    "ReportFile",
    "ReportFiles",
    "check_report_output",
    "command_line",
    "write_report",
]

_HELP = "A report to read and hand on: .html (one offline page), .md or .json"

ReportFile = Annotated[
    Path | None,
    option(
        "--report",
        metavar="FILE",
        panel=OUTPUT,
        help=f"{_HELP}.",
    ),
]

ReportFiles = Annotated[
    list[Path] | None,
    option(
        "--report",
        metavar="FILE",
        panel=OUTPUT,
        help=f"{_HELP}; repeat it for several.",
    ),
]

_ENDINGS = (".html", ".htm", ".md", ".json")


def check_report_output(path: Path | None, *, force: bool) -> None:
    """Check, before any work is done, that a report can be written there.

    Raises
    ------
    UsageError
        If its ending is unknown or the file is there without ``force``.
    """
    if path is None:
        return
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"cannot tell the format of {str(path)!r}; end it in .html, .md or .json")
    from toolkit.datasets.output_files import check_output

    check_output(path, force=force)


def write_report(report: Report, path: Path, *, force: bool) -> None:
    """Write a report in the format of its name."""
    ending = path.suffix.lower()
    if ending == ".md":
        report.to_markdown(path, overwrite=force)
    elif ending == ".json":
        report.to_json(path, overwrite=force)
    else:
        report.to_html(path, overwrite=force)


def command_line() -> str:
    """Return the command that was run, for reports, without what may be secret in addresses."""
    words = [re.sub(r"//[^/@]*@", "//", word) for word in sys.argv[1:]]
    return shlex.join(["toolkit", *words])
