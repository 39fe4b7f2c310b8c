"""Power of the rails, with PYNQ's objects imitated."""

from types import SimpleNamespace

from finn_flow.deployment.driver.rails import RailMonitor


class Sensor:
    """Gives 1.0, 2.0, 3.0, ... watts."""

    def __init__(self) -> None:
        self.count = 0.0

    @property
    def value(self) -> float:
        self.count += 1.0
        return self.count


def test_the_mean_of_each_rail_that_has_a_sensor():
    sensor = Sensor()
    rails = {"VCCINT": SimpleNamespace(power=sensor), "3V3": SimpleNamespace(power=None), "12V": SimpleNamespace()}
    with RailMonitor(SimpleNamespace(get_rails=lambda: rails), interval_s=0.001) as monitor:
        while sensor.count < 3:
            pass
    found = monitor.mean_power_w()
    assert found is not None
    assert list(found) == ["VCCINT"]
    assert found["VCCINT"] == (1 + sensor.count) / 2


def test_boards_without_sensors():
    for pynq in (SimpleNamespace(), SimpleNamespace(get_rails=dict)):
        with RailMonitor(pynq) as monitor:
            pass
        assert monitor.mean_power_w() is None
