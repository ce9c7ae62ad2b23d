"""How reasons are put into messages: a system's own text, and a number that was compared with a limit."""

from __future__ import annotations

_MOST_DIGITS = 17  # a double has no more


def as_clause(text: str) -> str:
    """A system's reason as part of our sentence: its first letter small, unless its first word is a name.

    >>> as_clause("No such file or directory"), as_clause("RTSP is not spoken there")
    ('no such file or directory', 'RTSP is not spoken there')
    """
    rest_of_word = text.partition(" ")[0][1:]
    return text if rest_of_word != rest_of_word.lower() else text[:1].lower() + text[1:]


def reason_of(error: BaseException) -> str:
    """What the system says went wrong, as part of our sentence, without its number and file name.

    >>> reason_of(FileNotFoundError(2, "No such file or directory", "a.txt"))
    'no such file or directory'
    """
    return as_clause(str(getattr(error, "strerror", None) or error))


def beside_limit(value: float, limit: float, form: str = ".2f") -> str:
    """A number with so many digits that it is seen to be above or below a limit that stands beside it.

    Args:
        value: The number.
        limit: As it is printed.
        form: With how many digits it is printed where they are enough.

    >>> beside_limit(0.2996, 0.3), beside_limit(0.1, 0.3)
    ('0.2996', '0.10')
    """
    value, limit = float(value), float(limit)  # NumPy's booleans cannot be subtracted
    fewest, kind = int(form[1:-1]), form[-1]
    text = ""
    for digits in range(fewest, _MOST_DIGITS + 1):
        text = f"{value:.{digits}{kind}}"
        if _side(float(text), limit) == _side(value, limit):
            break
    return text


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)
