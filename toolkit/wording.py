"""How numbers are said in messages, and written in tables."""

from __future__ import annotations

__all__ = ["counted", "rounded"]

_DIGITS = 6


def counted(number: int, noun: str, many: str | None = None) -> str:
    """Return a number and what it counts, with commas and in the right form.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        The word for one.
    many : str, optional
        The word for several, where that is not ``noun`` with an s.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "text"), counted(2000, "text"), counted(0, "class", "classes")
    ('1 text', '2,000 texts', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def rounded(value: float | None) -> float | None:
    """Return a probability or similarity with six significant digits.

    Vectors are float32, which has about seven; what stands behind them is noise, and differs from
    machine to machine.

    Parameters
    ----------
    value : float or None
        The number; None where there is none.

    Returns
    -------
    float or None

    Examples
    --------
    >>> rounded(0.39142857142857146), rounded(1.0), rounded(None)
    (0.391429, 1.0, None)
    """
    return None if value is None else float(f"{float(value):.{_DIGITS}g}")
