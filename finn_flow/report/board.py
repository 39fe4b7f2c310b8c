"""The boards' resources."""

from __future__ import annotations

BOARD_RESOURCES = {"ZCU104": {"LUT": 230_400, "FF": 460_800, "DSP": 1_728, "BRAM36": 312, "URAM": 96}}
"""Resources of the programmable logic by board (Zynq UltraScale+ product tables; the ZCU104 carries a ZU7EV)."""
