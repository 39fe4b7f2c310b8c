"""An ODE loop as one RTL module, where FINN's steps look for the hardware of a node."""

from __future__ import annotations

import tempfile
from pathlib import Path

from finn.util.basic import make_build_dir
from onnx import NodeProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op.registry import getCustomOp
from qonnx.transformation.base import Transformation
from qonnx.util.basic import qonnx_make_model

from custom_ops.ode_loop.op import ODELoop_rtl
from finn_flow.netlist.emit import Emitter
from finn_flow.netlist.graph_modules import GraphModules
from finn_flow.netlist.node_hardware import NodeGenerator, SourceFiles
from finn_flow.transformations.bodies import loops


class GenerateLoopIP(Transformation):
    """Generate each ODE loop, with its body, as one RTL module of the loop's name.

    FINN's `PrepareIP` would generate the control around the body only; it leaves alone what has been generated. Library
    files stay where they are and should be what the netlist has: see `use_patched_library`.

    Parameters
    ----------
    fpgapart
        Device name.
    clk_ns
        Clock period in ns.

    Raises
    ------
    FlowError
        As `write_netlist`.
    """

    def __init__(self, fpgapart: str, clk_ns: float) -> None:
        super().__init__()
        self._fpgapart = fpgapart
        self._clk_ns = clk_ns

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        for node in loops(model):
            folder = Path(make_build_dir(prefix=f"code_gen_ipgen_{node.name}_"))
            sources = self._generate(_alone(model, node), node.name, folder)
            ODELoop_rtl.list_generated(folder, sources)
            op = getCustomOp(node)
            for attribute in ("code_gen_dir_ipgen", "ipgen_path", "ip_path"):
                op.set_nodeattr(attribute, str(folder))
            op.set_nodeattr("gen_top_module", node.name)
        return model, False

    def _generate(self, model: ModelWrapper, name: str, folder: Path) -> list[Path]:
        """Write what is generated into `folder` and return all sources of module `name`."""
        files = SourceFiles()
        with tempfile.TemporaryDirectory(prefix="loop_") as temporary:
            generator = NodeGenerator(Path(temporary), self._fpgapart, self._clk_ns, files, f"{folder}/")
            modules = GraphModules(generator)
            top = modules.add_graph(f"{name}_top", model)
        emitter = Emitter(modules.modules)
        for module in modules.modules.values():
            if module is not top:
                files.add_source(module.path, emitter.source(module))
        for memory, text in files.data.items():
            (folder / memory).write_text(text)
        sources = []
        for path in files.ordered_sources():
            source = generator.library_path(path) or folder / Path(path).name
            if source.parent == folder:
                source.write_text(files.sources[path])
            sources.append(source)
        return sources


def _alone(model: ModelWrapper, node: NodeProto) -> ModelWrapper:
    """Return a graph of this node only."""
    ends = [model.get_tensor_valueinfo(name) for name in (node.input[0], node.output[0])]
    return ModelWrapper(qonnx_make_model(helper.make_graph([node], node.name, ends[:1], ends[1:])))
