"""Quantised and float (ds)ODENets: networks, solvers, quantisers, data sets, training and export."""

import warnings

# Brevitas tells everybody who imports it that an optional CUDA package is missing; nothing here could use it.
warnings.filterwarnings("ignore", message="fast_hadamard_transform package not found")
