"""A trained network as a QONNX graph, with golden inputs and outputs."""
