import inspect
import re

import pytest

from shieldwall import errors


def drawn_tree():
    """(name, exit code, name of the parent) of each line of the tree in the docstring of `errors`."""
    found, above = [], []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r" {4}([ │├└─]*)([A-Z]\w+) +(?:exit code )?(\d)\b", line)
        if match:
            depth = len(match[1]) // 4
            above[depth:] = [match[2]]
            found.append((match[2], int(match[3]), above[-2] if len(above) > 1 else "Exception"))
    return found


def test_the_drawing_shows_every_error_once():
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert sorted(name for name, _, _ in drawn_tree()) == sorted(classes)
    assert len(classes) == 20


@pytest.mark.parametrize(("name", "code", "parent"), drawn_tree())
def test_an_error_is_where_the_drawing_shows_it(name, code, parent):
    error = getattr(errors, name)
    assert error.exit_code == code
    assert [base.__name__ for base in error.__bases__] == [parent]
    assert issubclass(error, errors.ShieldwallError)
    assert error.__doc__


def test_exit_codes():
    assert [(name, code) for name, code, _ in drawn_tree()] == [
        ("ShieldwallError", 1),
        ("UsageError", 2),
        ("RemoteRefused", 2),
        ("PartialData", 3),
        ("BadInput", 4),
        ("BadBlock", 4),
        ("BadText", 4),
        ("UnknownAddress", 4),
        ("StoreError", 4),
        ("WrongNetwork", 4),
        ("WrongKey", 4),
        ("Tampered", 4),
        ("AuditFailed", 4),
        ("Refused", 1),
        ("NotSignedIn", 1),
        ("ConfirmFirst", 1),
        ("NotAllowed", 1),
        ("NotFound", 1),
        ("Conflict", 1),
        ("TooMany", 1),
    ]


def test_an_error_says_what_happened_and_what_to_do_next():
    assert str(errors.BadInput("a.csv line 3: no date")) == "a.csv line 3: no date"
    error = errors.StoreError("the store is of main", hint="choose another")
    assert str(error) == "the store is of main\n  next: choose another"
    assert (error.message, error.hint) == ("the store is of main", "choose another")
    near = errors.UnknownAddress("x is no address", hint="did you mean y?", nearest=("y",))
    assert near.nearest == ("y",)
    assert errors.UnknownAddress("x").nearest == ()
    assert "did you mean y?" in str(near)
