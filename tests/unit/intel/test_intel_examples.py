import doctest
import importlib
import pkgutil

import pytest

import shieldwall.intel

MODULES = [shieldwall.intel.__name__] + [
    f"{shieldwall.intel.__name__}.{each.name}" for each in pkgutil.iter_modules(shieldwall.intel.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_room_shows_an_example():
    assert doctest.testmod(shieldwall.intel).attempted > 0
