"""Clocks of the processing system."""


class _Clocks:
    """`fclk0_mhz`, which may be set; it does nothing to a simulation."""

    fclk0_mhz = 100.0


Clocks = _Clocks()
