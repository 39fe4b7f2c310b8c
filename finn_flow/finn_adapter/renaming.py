"""A correction of QONNX's renaming of tensors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from qonnx.core.modelwrapper import ModelWrapper

_rename_once = ModelWrapper.rename_tensor


@contextmanager
def renaming_every_use() -> Iterator[None]:
    """Rename a tensor wherever a node reads it.

    QONNX's `rename_tensor` renames the first of several inputs of a node that read the same tensor, such as both of
    `Concat(x, x)`, and leaves the others without a source.
    """
    with patch.object(ModelWrapper, "rename_tensor", _rename):
        yield


def _rename(model: ModelWrapper, old_name: str, new_name: str) -> None:
    _rename_once(model, old_name, new_name)
    for node in model.graph.node:
        for number, name in enumerate(node.input):
            if name == old_name:
                node.input[number] = new_name
