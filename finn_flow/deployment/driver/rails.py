"""Power of the board's supply rails, where PYNQ can measure it."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any


class RailMonitor:
    """Samples the power of all rails while its block runs; a context manager.

    Parameters
    ----------
    pynq
        The module; without `get_rails`, or on a board without sensors, nothing is measured.
    interval_s
        Time between samples.
    """

    def __init__(self, pynq: Any, interval_s: float = 0.1) -> None:
        rails = pynq.get_rails() if hasattr(pynq, "get_rails") else {}
        self._sensors = {name: rail.power for name, rail in rails.items() if getattr(rail, "power", None) is not None}
        self._interval_s = interval_s
        self._samples: dict[str, list[float]] = {name: [] for name in self._sensors}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> RailMonitor:
        if self._sensors:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end.set()
        if self._sensors:
            self._thread.join()

    def mean_power_w(self) -> dict[str, float] | None:
        """Mean power of each rail in watts; None where nothing can be measured."""
        return {name: sum(values) / len(values) for name, values in self._samples.items() if values} or None

    def _sample(self) -> None:
        while True:
            for name, sensor in self._sensors.items():
                self._samples[name].append(float(sensor.value))
            if self._end.wait(self._interval_s):
                return
