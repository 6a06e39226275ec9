from __future__ import annotations

import subprocess
import sys

import pytest

import toolkit.classify
import toolkit.report


@pytest.mark.parametrize("package", ["toolkit.classify", "toolkit.report"])
def test_importing_the_package_imports_nothing_heavy(package: str):
    heavy = ("sklearn", "pandas", "skops")
    code = f"import sys, {package}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", toolkit.classify.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(toolkit.classify, name) is not None
    assert name in dir(toolkit.classify)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = toolkit.classify.nothing
