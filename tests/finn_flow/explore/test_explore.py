"""Explorations of a tiny space: every candidate once, through killed workers and killed explorations; then the page."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finn_flow.cli import main
from finn_flow.errors import FlowError, UserError
from finn_flow.explore.best import write_best
from finn_flow.explore.evaluate import evaluate, identity, whole_training
from finn_flow.explore.exploration import open_exploration
from finn_flow.explore.page import render
from finn_flow.explore.space import Space
from finn_flow.explore.study import Study

NETWORK = {"in_channels": 1, "image_size": [8, 8], "channels": [4], "iterations": {"any_of": [[2], [3]]}}
SPACE = {
    "network": NETWORK,
    "build": {"target_fps": {"any_of": [1000, 50_000]}},
    "objectives": ["frames_per_second", "LUT", "latency_cycles"],
    "trials": 4,
}


def start(folder: Path, trials: int = 4) -> subprocess.Popen:
    """Start an exploration of the four candidates with two workers, as a process of its own."""
    (folder / "space.json").write_text(json.dumps({**SPACE, "trials": trials}))
    arguments = ["explore", str(folder / "space.json"), "--out", str(folder / "out"), "--no-front", "--json", "-q"]
    code = f"import sys; from finn_flow.cli import main\nif __name__ == '__main__': sys.exit(main({arguments!r}))"
    (folder / "start.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(folder / "start.py")], env=environment, stdout=subprocess.PIPE, text=True
    )


def workers_of(process: subprocess.Popen) -> list[int]:
    """Return the processes, below an exploration, that evaluate candidates."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
            command = path.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(rest.split()[1]) == process.pid and b"spawn_main" in command:
            found.append(int(name.split()[0]))
    return found


def wait_for(condition, process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None, "the exploration has ended before"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """Return the folder of an exploration, one of whose two workers was killed in its first candidate."""
    folder = tmp_path_factory.mktemp("explore")
    process = start(folder)
    candidates = folder / "out" / "candidates"
    wait_for(lambda: candidates.is_dir() and list(candidates.glob("*/build/build_dataflow.log")), process)
    victims = workers_of(process)
    assert len(victims) == 2
    os.kill(victims[0], signal.SIGKILL)
    printed, _ = process.communicate()
    assert process.returncode == 0
    return folder / "out", json.loads(printed)


def test_a_killed_worker_loses_nothing(explored):
    out, printed = explored
    exploration = open_exploration(out)
    assert len(exploration.figures) == len(exploration.results) == 4
    chosen = {json.dumps(exploration.chosen(name)) for name in exploration.results}
    assert len(chosen) == 4
    assert printed["front"] == exploration.front
    study = Study(out, exploration.space)
    assert study.left_behind() == []
    assert study.propose() is None
    states = [trial.state.name for trial in study.study.get_trials()]
    assert states.count("COMPLETE") == 4
    assert "RUNNING" not in states


def test_figures_are_those_of_the_build(explored):
    exploration = open_exploration(explored[0])
    for name, figures in exploration.figures.items():
        report = json.loads((explored[0] / "candidates" / name / "build" / "report" / "estimates.json").read_text())
        assert figures["frames_per_second"] == report["network"]["frames_per_second"]
        assert figures["LUT"] == report["resources"]["LUT"]["estimated"]
        cycles = report["network"]["cycles_per_frame"]
        assert figures["latency_cycles"] >= cycles


def test_an_exploration_goes_on_and_does_nothing_twice(explored, capsys):
    out, printed = explored
    before = {path: path.stat().st_mtime_ns for path in out.glob("candidates/*/result.json")}
    space = out.parent / "space.json"
    assert main(["explore", str(space), "--out", str(out), "--workers", "1", "--no-front", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["front"] == printed["front"]
    assert {path: path.stat().st_mtime_ns for path in out.glob("candidates/*/result.json")} == before


def test_what_a_dead_exploration_left_is_taken_up(tmp_path):
    space = Space.model_validate(SPACE)
    study = Study(tmp_path, space)
    number, keys = study.propose()
    assert Study(tmp_path, space).left_behind() == []  # this process is alive
    study.study._storage.set_trial_user_attr(study.study.get_trials()[number]._trial_id, "owner", _owner_of_a_dead())
    assert Study(tmp_path, space).left_behind() == [(number, keys)]


def _owner_of_a_dead() -> str:
    import socket

    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return f"{socket.gethostname()}:{ended.pid}"


def test_two_studies_of_one_folder_share_the_candidates(tmp_path):
    space = Space.model_validate(SPACE)
    one, other = Study(tmp_path, space), Study(tmp_path, space)
    proposed = [study.propose() for study in (one, other, one, other)]
    names = {identity(space.candidate(keys)) for _, keys in proposed}
    assert len(names) == 4
    assert one.propose() is None
    assert other.propose() is None


def test_the_best_become_configurations(explored):
    exploration = open_exploration(explored[0])
    best = write_best(exploration, "fps>=10000")
    assert best.names
    for name in best.names:
        settings = json.loads((best.folder / name / "build.json").read_text())
        assert exploration.figures[name]["frames_per_second"] >= 10_000
        assert settings["target_fps"] == exploration.chosen(name)["build.target_fps"]
        assert settings["steps"][-1].endswith("step_write_netlist")
        network = json.loads((best.folder / name / "network.json").read_text())
        assert network["iterations"] == exploration.chosen(name)["network.iterations"]
    with pytest.raises(FlowError, match="none of 4 candidates meets"):
        write_best(exploration, "LUT<1")


def test_the_page_links_the_front_to_its_builds(explored):
    exploration = open_exploration(explored[0])
    page = render(exploration)
    for name in exploration.front:
        assert f'id="{name}"' in page
        assert f'<a href="#{name}"' in page
        assert f'<a href="candidates/{name}/">' in page
    assert page.count('class="scatter"') == 2
    assert (explored[0] / "explore.html").read_text() == page


def test_what_cannot_be_built_is_a_result_too(tmp_path):
    candidate = {"network": {"channels": [4]}, "training": None, "build": {}}
    result = evaluate(str(tmp_path), candidate)
    assert "missing key" in result["failed"] or "`in_channels`" in result["failed"]
    assert evaluate(str(tmp_path), candidate) == result


def test_a_training_takes_its_other_keys_from_the_one_it_names():
    training = whole_training({"config": "quick", "steps_per_epoch": 3}, {"weight_bits": 3})
    assert training["steps_per_epoch"] == 3
    assert training["source"]["name"] == "mnist"
    assert training["network"] == {
        "in_channels": 1,
        "image_size": [16, 16],
        "channels": [16, 32],
        "iterations": [4, 4],
        "weight_bits": 3,
    }


def test_bad_input_is_one_line(explored, tmp_path, capsys):
    out, _ = explored
    assert main(["explore", "--out", str(tmp_path)]) == 2
    assert main(["explore", "--out", str(tmp_path), "--best", "LUT<3"]) == 2
    assert "holds no exploration" in capsys.readouterr().err
    (tmp_path / "space.json").write_text(json.dumps({**SPACE, "seed": 7}))
    with pytest.raises(UserError, match="exploration of another space"):
        from finn_flow.explore.run import explore
        from finn_flow.explore.space import load_space

        explore(load_space(tmp_path / "space.json"), out, workers=1)
