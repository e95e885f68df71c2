"""Code with doctests.

>>> double(1)
2
"""


def double(number):
    """Return twice the number.

    >>> double(2)
    4
    """
    return 2 * number


def wrong(number):
    """Promise what is not so.

    >>> wrong(2)
    5
    """
    return number
