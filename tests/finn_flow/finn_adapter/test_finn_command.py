"""FINN's own command with our back end in it: it builds without Vivado, up to the first step that needs it."""

import json
import subprocess
import sys

from finn_flow.finn_adapter.environment import ensure_finn
from tests.finn_flow.transformations.qonnx_graphs import ode_net
from tests.places import BUILD_CONFIGS


def run(folder, more_steps):
    """Run `dsode finn build` on a small network in `folder`."""
    ensure_finn()
    ode_net((2,), channels=4, size=4, state_output=False).save(str(folder / "model.onnx"))
    settings = json.loads((BUILD_CONFIGS / "zcu104_estimates.json").read_text())
    settings["steps"] += more_steps
    (folder / "config.json").write_text(json.dumps(settings))
    arguments = ["build", "config.json", "model.onnx", "--output", "out", "--batch"]
    code = f"import sys; from finn_flow.cli import main; sys.exit(main(['finn', *{arguments!r}]))"
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_finn_build_ends_before_the_first_step_that_needs_vivado(tmp_path):
    done = run(tmp_path, ["step_hw_ipgen", "step_create_stitched_ip"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Left out for want of Vivado: bitfile, generated IP, stitched IP" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "Running step: step_report_estimates [7/7]" in done.stdout
    assert (tmp_path / "out" / "report" / "estimates.json").is_file()


def test_a_step_that_fails_is_a_failure(tmp_path):
    assert run(tmp_path, ["step_hw_codegen"]).returncode != 0  # which wants the compilers of Vitis
