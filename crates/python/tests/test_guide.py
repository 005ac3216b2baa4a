"""The examples of docs/PYTHON.md run, and its figures are those of the tests."""

import pathlib
import re

from pipelines import CASES, REFUSED, VERSION

GUIDE = pathlib.Path(__file__).parents[3] / "docs" / "PYTHON.md"


def test_the_examples_of_the_guide_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), namespace)


def test_the_number_of_pipelines_is_the_one_in_the_guide():
    stated = int(re.search(r"table of (\d+) pipelines", GUIDE.read_text(encoding="utf-8"))[1])
    # Two further pipelines need a version before 1.8.
    assert len(CASES) + len(REFUSED) - (2 if VERSION < (1, 8) else 0) == stated
