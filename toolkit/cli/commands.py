"""Making a command of a function: shared options, messages and exit codes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, get_type_hints

from toolkit.cli.console import console
from toolkit.cli.failures import reported
from toolkit.cli.option_groups import (
    OPTION_GROUPS,
    EmbeddingOptions,
    GeneralOptions,
    kept_after_interruption,
)
from toolkit.cli.vectorizing import check_embedding

__all__ = ["command"]


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn a function's option groups into options, and its errors into exit codes.

    A parameter annotated with one of :data:`~toolkit.cli.option_groups.OPTION_GROUPS` becomes one
    option for each field of that class. The options of
    :class:`~toolkit.cli.option_groups.GeneralOptions` are added to every command.

    Parameters
    ----------
    function : callable
        The command, with ``Annotated`` parameters as typer takes them.

    Returns
    -------
    callable
        For ``typer.Typer.command``.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] in OPTION_GROUPS:
            groups[name] = hints[name]
            parameters += _options(hints[name])
        else:
            only = inspect.Parameter.KEYWORD_ONLY
            parameters.append(parameter.replace(annotation=hints[name], kind=only))
    own = [parameter.name for parameter in parameters]
    parameters += _options(GeneralOptions)
    # typer shows options in the order of the signature; those without default come first.
    parameters.sort(key=lambda parameter: parameter.default is not inspect.Parameter.empty)

    @wraps(function)
    def run(**given: Any) -> None:
        general = _take(GeneralOptions, given)
        console.configure(quiet=general.quiet, verbose=general.verbose)
        arguments = {name: given[name] for name in own if name in hints}
        arguments |= {name: _take(kind, given) for name, kind in groups.items()}
        kept = kept_after_interruption(given["cache"]) if "cache" in given else ""
        with reported(debug=general.debug, kept=kept):
            for value in arguments.values():
                if isinstance(value, EmbeddingOptions):
                    check_embedding(value)
            function(**arguments)

    run.__doc__ = _flowing(function.__doc__ or "")
    # typer reads these two, and not the function that wraps() points to.
    vars(run)["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(run).pop("__wrapped__")
    return run


def _take(group: Any, given: dict[str, Any]) -> Any:
    return group(**{item.name: given[item.name] for item in fields(group)})


def _flowing(text: str) -> str:
    r"""Join the lines of paragraphs, as typer does with the first one only; examples stay.

    Examples
    --------
    >>> _flowing("First.\n\nA\nparagraph.\n\n  kept\n  as is")
    'First.\n\nA paragraph.\n\n  kept\n  as is'
    """
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else p.replace("\n", " ") for p in paragraphs)


def _options(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if item.default is MISSING else item.default,
            annotation=hints[item.name],
        )
        for item in fields(group)
    ]
