"""The code that goes to the board: Python 3.10, NumPy, Pillow and PYNQ. In a package this folder is `driver/`."""

from .accelerator import Accelerator
from .errors import DriverError

__all__ = ["Accelerator", "DriverError"]
