"""A folder of a fitted pipeline: its model file, what that is, and the same for a reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from sklearn.base import BaseEstimator

from toolkit.saved.description import Description
from toolkit.saved.folders import write_folder
from toolkit.saved.model_file import check_servers, check_space, dump_model, read_model_file
from toolkit.saved.portability import portable

__all__ = ["load_pipeline", "save_pipeline"]

D = TypeVar("D", bound=Description)


def save_pipeline(
    target: Path,
    pipeline: BaseEstimator,
    describe: Callable[[dict[str, Any]], D],
    readme: Callable[[D], str],
    *,
    report: str | None,
) -> Path:
    """Write a folder, whole or not at all, without what belongs to this machine.

    Parameters
    ----------
    target : Path
        The folder; checked by :func:`~toolkit.saved.folders.check_can_write` before.
    pipeline : estimator
        Fitted.
    describe : callable
        From ``file``, ``sha256`` and ``date`` to the description of the folder.
    readme : callable
        From that to the content of ``README.md``.
    report : str or None
        Content of ``report.html``.

    Returns
    -------
    Path
        The folder.
    """
    name, content = dump_model(portable(pipeline))
    info = describe(
        {
            "file": name,
            "sha256": sha256(content).hexdigest(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    files: dict[str, bytes | str] = {
        name: content,
        info.kind.described_in: info.to_json(),
        "README.md": readme(info),
    }
    if report is not None:
        files["report.html"] = report
    write_folder(target, files)
    return target


def load_pipeline(
    folder: str | Path,
    kind: type[D],
    check: Callable[[Any, D, Path], None],
    *,
    types: tuple[str, ...],
    trusted: bool,
) -> BaseEstimator:
    """Load what :func:`save_pipeline` wrote, after checking all of it.

    Parameters
    ----------
    folder : path
        The folder.
    kind : subclass of Description
        What describes it.
    check : callable
        Raises if what was built is not what the description says.
    types : tuple of str
        Types that may be built beyond those skops trusts.
    trusted : bool
        Whether whoever wrote it is trusted with running code.

    Returns
    -------
    estimator

    Raises
    ------
    ModelFileError
        If anything is not as it should be.
    """
    info = kind.read(folder)
    path, described_in = Path(folder) / info.file, info.kind.described_in
    model = read_model_file(path, info.sha256, described_in, types=types, trusted=trusted)
    check(model, info, path)
    check_space(model, info.identity, path, described_in)
    check_servers(model, path, trusted=trusted)
    return model
