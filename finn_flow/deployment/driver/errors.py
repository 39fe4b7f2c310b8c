"""How the driver can fail: each error carries one message that says what is wrong and what to do."""

from __future__ import annotations


class DriverError(Exception):
    """Base of all errors of the driver. After one, the same `Accelerator` may be used again."""


class InputError(DriverError):
    """What was given is bad: images, files, options, the package itself."""


class HardwareError(DriverError):
    """The board did not do what it should."""


class BitfileError(HardwareError):
    """The bitfile is missing, or not the one that belongs to this package."""


class BusyError(HardwareError):
    """Another process uses the programmable logic."""


class DmaTimeout(HardwareError):
    """A DMA channel did not finish in time."""


class DmaError(HardwareError):
    """A DMA channel reported an error."""


class ShortTransferError(HardwareError):
    """A DMA channel reported that it is done although frames are missing."""
