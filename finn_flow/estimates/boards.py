"""What the boards have."""

from __future__ import annotations

from finn_flow.errors import UserError

BOARD_RESOURCES = {"ZCU104": {"LUT": 230_400, "FF": 460_800, "DSP": 1_728, "BRAM36": 312, "URAM": 96}}
"""Resources of the programmable logic by board (Zynq UltraScale+ product tables; the ZCU104 carries a ZU7EV)."""

_LUTRAM = {"ZCU104": 101_760}
"""LUTs of the board's SLICEMs, the only ones that can be RAM (Zynq UltraScale+ product tables, distributed RAM)."""


def board_resources(board: str) -> dict[str, float]:
    """Return what a board has, with the LUTs that can be RAM as `LUTRAM`.

    Raises
    ------
    UserError
        A board whose resources are not known.
    """
    if board not in BOARD_RESOURCES:
        raise UserError(f"`board` must be one of {', '.join(BOARD_RESOURCES)}, not {board!r}")
    amounts = BOARD_RESOURCES[board] | {"LUTRAM": _LUTRAM[board]}
    return {name: float(amount) for name, amount in amounts.items()}
