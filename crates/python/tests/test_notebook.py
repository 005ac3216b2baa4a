"""The notebook of examples/ runs, with the outputs that it shows."""

import pathlib
import shutil

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
EXAMPLES = pathlib.Path(__file__).parents[3] / "examples"


def texts(notebook):
    """The results of the code cells as text."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[output.get("text") or output["data"]["text/plain"] for output in cell.outputs] for cell in cells]


def test_the_notebook_runs_with_the_outputs_that_it_shows(tmp_path):
    for name in ["penguins.ipynb", "penguins.csv"]:
        shutil.copy(EXAMPLES / name, tmp_path)
    notebook = nbformat.read(tmp_path / "penguins.ipynb", as_version=4)
    shown = texts(notebook)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    assert texts(notebook) == shown
