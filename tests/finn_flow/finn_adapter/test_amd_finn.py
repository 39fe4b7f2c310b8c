"""The script that runs our configurations in a FINN without dotted steps."""

from finn_flow.finn_adapter.amd_finn import main
from finn_flow.finn_adapter.environment import ensure_finn
from tests.places import BUILD_CONFIGS


def test_the_builder_gets_functions_and_its_own_steps_by_name(monkeypatch, tmp_path):
    ensure_finn()
    from finn.builder import build_dataflow

    seen = []
    monkeypatch.setattr(build_dataflow, "build_dataflow_cfg", lambda model, config: seen.append((model, config)) or 3)
    assert main(BUILD_CONFIGS / "zcu104.json", tmp_path / "m.onnx", tmp_path / "out") == 3
    ((model, config),) = seen
    assert (model, config.output_dir) == (str(tmp_path / "m.onnx"), str(tmp_path / "out"))
    assert "step_generate_estimate_reports" in config.steps
    assert config.target_fps == 10000
    functions = [step.__name__ for step in config.steps if callable(step)]
    assert functions[0] == "step_roll_ode_blocks"
    assert len(functions) == len(config.steps) - 1
