"""The package's notebook, executed on the simulated board."""

import os
import sys

import nbformat
from nbclient import NotebookClient

from finn_flow.deployment.simulated_board.board import PYNQ_FOLDER
from tests.finn_flow.deployment.bitfiles import with_bitfile


def test_the_notebook_validates_the_samples(boards, package, tmp_path, monkeypatch):
    copied = with_bitfile(package, boards().bitfile, tmp_path / "deploy")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(copied), str(PYNQ_FOLDER), *sys.path]))
    notebook = nbformat.read(copied / "accelerator.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(copied)}}
    ).execute()
    printed = [output["text"] for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    assert any(text.startswith("passed ") for text in printed)
