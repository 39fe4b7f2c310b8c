"""One form for the many ways in which exporters write a network, before anything else looks at it.

Every part changes the graph in place, in linear time, because exported solvers are long; tensors keep their names.
"""

from __future__ import annotations

from onnx import TensorProto
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.general import SortGraph
from qonnx.transformation.infer_shapes import InferShapes

from finn_flow.errors import UserError
from finn_flow.transformations.graph_editing import is_sorted
from finn_flow.transformations.interface import INPUT
from finn_flow.transformations.name_nodes import name_nameless_nodes
from finn_flow.transformations.normal_form.batch import FixBatch
from finn_flow.transformations.normal_form.constants import FoldConstants
from finn_flow.transformations.normal_form.image import ReadImageOnce
from finn_flow.transformations.normal_form.layout import RemoveTransposes
from finn_flow.transformations.normal_form.outputs import EndInValues
from finn_flow.transformations.normal_form.quantisers import FuseQCDQ, TransposeWeights

_FLOATS = (TensorProto.FLOAT, TensorProto.UNDEFINED)


class ToNormalForm(Transformation):
    """Bring a QONNX or QCDQ model, from whatever exporter, into the form that the other transformations read.

    Constants are initialisers, quantisers are Quant nodes, the batch is 1, channels come first, one quantiser reads the
    image, every node has a name of its own. The results stay the same; how the ends stand for those of the given model
    is kept in its metadata (`InputForm`, `OutputForm`).
    """

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        if model.get_metadata_prop(INPUT) is not None:
            return model, False
        for value in model.graph.output:
            if value.type.tensor_type.elem_type not in (*_FLOATS, TensorProto.INT64, TensorProto.INT32):
                raise UserError(f"output {value.name}: must be float32; export the model in single precision")
        name_nameless_nodes(model)
        if not is_sorted(model.graph):
            model, _ = SortGraph().apply(model)
        for part in (FoldConstants(), FixBatch()):
            model, _ = part.apply(model)
        model, _ = _with_shapes(model)
        for part in (FoldConstants(), FuseQCDQ(), TransposeWeights(), RemoveTransposes()):
            model, _ = part.apply(model)
        for part in (EndInValues(), ReadImageOnce()):
            model, _ = part.apply(model)
        return _with_shapes(model)


def _with_shapes(model: ModelWrapper) -> tuple[ModelWrapper, bool]:
    try:
        return InferShapes().apply(model)
    except Exception as error:  # ONNX has an exception of its own, qonnx and onnxruntime raise bare ones
        raise UserError(
            f"the shapes of its tensors do not fit together: {' '.join(str(error).split())[:300]}"
        ) from None
