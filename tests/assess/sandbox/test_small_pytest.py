# ruff: noqa: E501 - suites are written on one line each
"""The stand-in for pytest counts the cases and failures that pytest itself counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from wending.assess.sandbox import run_python, small_pytest

CODE = "def double(x):\n    return 2 * x\n\n\ndef root(x):\n    if x < 0:\n        raise ValueError(f'negative: {x}')\n    return x ** 0.5\n"
HEAD = "import pytest\nfrom solution import double, root\n\n"
SUITES = {
    "plain": "def test_a():\n    assert double(2) == 4\ndef test_b():\n    assert double(2) == 5\ndef helper():\n    assert False\n",
    "one name": "@pytest.mark.parametrize('x', [1, 2, 3])\ndef test_a(x):\n    assert double(x) != 4\n",
    "several names": "@pytest.mark.parametrize('x, y', [(1, 2), (2, 5), pytest.param(3, 6, id='three')])\ndef test_a(x, y):\n    assert double(x) == y\n",
    "names as a list": "@pytest.mark.parametrize(['x', 'y'], [[1, 2], [2, 5]], ids=['a', 'b'])\ndef test_a(x, y):\n    assert double(x) == y\n",
    "a tuple for one name": "@pytest.mark.parametrize('pair', [(1, 2), (2, 5)])\ndef test_a(pair):\n    assert double(pair[0]) == pair[1]\n",
    "stacked": "@pytest.mark.parametrize('x', [1, 2])\n@pytest.mark.parametrize('y', [2, 4, 6])\ndef test_a(x, y):\n    assert double(x) == y\n",
    "no values but a mark": "@pytest.mark.parametrize('x', [])\ndef test_a(x):\n    assert False\n@pytest.mark.filterwarnings('ignore')\ndef test_b():\n    pass\n",
    "raises": "def test_a():\n    with pytest.raises(ValueError, match='negative: -1') as info:\n        root(-1)\n    assert info.type is ValueError and 'negative' in str(info.value)\ndef test_b():\n    with pytest.raises(ValueError):\n        root(1)\ndef test_c():\n    with pytest.raises((KeyError, TypeError)):\n        root(-1)\ndef test_d():\n    with pytest.raises(ValueError, match='positive'):\n        root(-1)\ndef test_e():\n    pytest.raises(ValueError, root, -1)\ndef test_f():\n    pytest.raises(ValueError, root, x=4)\n",
    "approx": "def test_a():\n    assert root(2) == pytest.approx(1.41421356)\ndef test_b():\n    assert root(2) == pytest.approx(1.4, abs=0.02)\ndef test_c():\n    assert root(2) == pytest.approx(1.4)\ndef test_d():\n    assert [root(4), root(2)] == pytest.approx([2, 1.41421356])\ndef test_e():\n    assert {'a': root(2)} == pytest.approx({'a': 1.5})\ndef test_f():\n    assert 0.0 == pytest.approx(0)\ndef test_g():\n    assert 100 == pytest.approx(101, rel=0.02)\n",
    "fixtures": "@pytest.fixture\ndef two():\n    return 2\n@pytest.fixture(scope='function')\ndef four(two):\n    yield double(two)\ndef test_a(four, two):\n    assert four == 2 * two\ndef test_b(four):\n    assert four == 5\ndef test_c(unknown):\n    pass\n",
    "new for each test": "@pytest.fixture\ndef box():\n    return []\ndef test_a(box):\n    box.append(1)\n    assert box == [1]\ndef test_b(box):\n    assert box == []\n",
    "classes": "class TestDouble:\n    def setup_method(self):\n        self.x = 3\n    def test_a(self):\n        assert double(self.x) == 6\n    def test_b(self):\n        assert False\n    @pytest.mark.parametrize('y', [6, 7])\n    def test_c(self, y):\n        assert double(self.x) == y\n    def other(self):\n        assert False\nclass Helper:\n    def test_a(self):\n        assert False\n",
    "unittest": "import unittest\nclass DoubleTest(unittest.TestCase):\n    def setUp(self):\n        self.x = 3\n    def test_a(self):\n        self.assertEqual(double(self.x), 6)\n    def test_b(self):\n        self.assertEqual(double(self.x), 7)\n",
    "exit and fail": "def test_a():\n    raise SystemExit(0)\ndef test_b():\n    pytest.fail('no')\n",
    "names from pytest": "from pytest import approx, mark, raises\n@mark.parametrize('x', [-1, 1])\ndef test_a(x):\n    with raises(ValueError):\n        root(x)\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def of_pytest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """For each suite how many cases pytest itself runs, and how many of them fail."""
    folder = tmp_path_factory.mktemp("suites")
    (folder / "solution.py").write_text(CODE, "utf-8")
    for number, suite in enumerate(SUITES.values()):
        (folder / f"test_{number}.py").write_text(HEAD + suite, "utf-8")
    options = ["-q", "-c", "/dev/null", "-p", "no:cacheprovider", "-p", "no:asyncio", "--junitxml=found.xml"]
    subprocess.run([sys.executable, "-m", "pytest", *options], cwd=folder, capture_output=True, check=False)
    counts = {name: [0, 0] for name in SUITES}
    for case in ElementTree.parse(folder / "found.xml").iter("testcase"):
        if case.find("skipped") is not None:
            continue
        module = case.attrib["classname"].split(".")[0]
        count = counts[list(SUITES)[int(module.removeprefix("test_"))]]
        count[0] += 1
        count[1] += case.find("failure") is not None or case.find("error") is not None
    return {name: (cases, failed) for name, (cases, failed) in counts.items()}


@pytest.mark.parametrize("name", SUITES)
def test_the_counts_are_those_of_pytest(name: str, of_pytest: dict[str, tuple[int, int]]) -> None:
    found = sandboxed(SUITES[name])
    assert (found["cases"], found["failed"]) == of_pytest[name]
    assert found["cases"] > 0


def sandboxed(suite: str) -> dict[str, Any]:
    source = Path(small_pytest.__file__).read_text("utf-8")
    result = run_python(source, [f"run_tests('solution', {CODE!r}, {HEAD + suite!r})"])
    assert result.ok, result.reason
    found = result.outcomes[0].value
    assert isinstance(found, dict), result.outcomes
    return found


def test_the_first_failures_are_named() -> None:
    suite = "".join(f"def test_{n}():\n    raise KeyError('{'x' * 200}')\n" for n in range(5))
    found = sandboxed(suite)
    assert (found["cases"], found["failed"], len(found["failures"])) == (5, 5, 3)
    assert found["failures"][0] == ["test_0", f"KeyError: '{'x' * 79}"]


def test_wrong_numbers_of_values_end_the_import() -> None:
    source = Path(small_pytest.__file__).read_text("utf-8")
    suite = HEAD + "@pytest.mark.parametrize('x, y', [(1, 2, 3)])\ndef test_a(x, y):\n    pass\n"
    result = run_python(source, [f"run_tests('solution', {CODE!r}, {suite!r})"])
    assert str(result.outcomes[0].error).startswith("ValueError: parametrize: 2 names, 3 values")
