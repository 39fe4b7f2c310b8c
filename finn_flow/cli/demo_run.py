"""The whole flow on real images, from nothing to the driver on a simulated board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finn_flow.api.timeline import timeline
from finn_flow.build_folder import GOLDEN_FILE, BuildFolder
from finn_flow.deployment.package import make_package
from finn_flow.deployment.simulated_board.run_driver import run_driver
from finn_flow.errors import FlowError, UserError
from finn_flow.json_files import read_json_object
from finn_flow.progress import Progress
from finn_flow.report.write import write_report

SAMPLES = 500
"""Golden images: the first of the target's test split."""

FRAMES = 200
"""Images that the simulated accelerator classifies."""

BOARD_SAMPLES, BOARD_PICTURES = 50, 20
"""Golden images in the package, and further pictures that the driver classifies on the simulated board."""


def run_demo(configs: Path, folder: Path, progress: Progress) -> dict[str, Any]:
    """Train the quick network, export it, build, simulate and package its accelerator; the driver classifies at last.

    A training that is already in `folder` is not done again; the rest is.

    Parameters
    ----------
    configs
        The folder `build_configs` of this project.
    folder
        Receives `train/`, `model.onnx`, the golden files, `build/` and `pictures/`.

    Returns
    -------
    dict[str, Any]
        A dictionary for JSON: `training` (metrics), `exactness` (links and images compared), `estimates`, `simulation`,
        `board` and `report` (the path of the page).

    Raises
    ------
    FlowError
        One of the links of the golden chain differs, or the driver failed.
    UserError
        `configs` is not there, or `folder` cannot be written.
    """
    from brevitas_models.data import fetch
    from brevitas_models.training import load_training_config, train
    from finn_flow.build import build
    from finn_flow.simulation.check import check_accelerator

    train_config, build_config = configs / "train" / "quick.json", configs / "zcu104.json"
    for config in (train_config, build_config):
        if not config.is_file():
            raise UserError(f"{config}: no such file; run the demo in the project's folder or name it with --configs")
    progress("1/6 fetching MNIST and USPS")
    for name in ("mnist", "usps"):
        fetch(name, progress)
    progress("2/6 training with domain adaptation, MNIST to USPS (a few minutes)")
    training = train(load_training_config(train_config), folder / "train", progress)
    progress(f"3/6 exporting to QONNX and comparing on {SAMPLES} real images")
    _export(folder)
    progress("4/6 building the accelerator")
    built = build(build_config, folder / "model.onnx", folder / "build", progress)
    estimates = read_json_object(BuildFolder(built.folder).estimates)
    exactness = check_chain(folder)
    progress("5/6 simulating the accelerator")
    simulation = check_accelerator(built.folder, frames=FRAMES, progress=progress).to_json()
    if simulation["mismatches"]:
        raise FlowError(f"the simulated accelerator differs on {simulation['mismatches']} images")
    progress("6/6 packaging; the driver classifies on the simulated board")
    board = run_on_the_board(folder)
    progress("watching the accelerator over time, and writing the report")
    timeline(built.folder, progress=progress)
    write_report(built.folder)
    return {
        "training": training,
        "exactness": exactness,
        "estimates": estimates,
        "simulation": simulation,
        "board": board,
        "report": str(BuildFolder(built.folder).page),
    }


def _export(folder: Path) -> None:
    from finn_flow.cli.group import main

    arguments = ["export", str(folder / "train"), "--out", str(folder / "model.onnx"), "--samples", str(SAMPLES)]
    if main(arguments) != 0:
        raise FlowError("the export failed")


def check_chain(folder: Path) -> dict[str, Any]:
    """Compare rolled, integer and hardware graph with Brevitas's logits on the golden images, exactly.

    Raises
    ------
    FlowError
        A link differs; the message names it and counts the images.
    """
    import numpy as np
    from qonnx.core.modelwrapper import ModelWrapper

    from finn_flow.execution import execute_batch, execute_hardware
    from finn_flow.export.network import network_values
    from finn_flow.transformations.interface import read_outputs

    golden = np.load(folder / GOLDEN_FILE)
    codes, expected = golden["inputs"], golden["logits"]
    place = BuildFolder(folder / "build")
    integers = ModelWrapper(str(place.step_model("step_lower_to_integers")))
    hardware = ModelWrapper(str(place.step_model("step_fold")))
    scale = np.float32(read_outputs(integers)[0].scale[0])
    links = {
        "rolled QONNX": execute_batch(ModelWrapper(str(place.rolled_model)), network_values(codes)),
        "integers": execute_batch(integers, codes.transpose(0, 3, 1, 2)) * scale,
        "hardware graph": execute_hardware(hardware, codes)["logits"] * scale,
    }
    for name, logits in links.items():
        wrong = int(np.any(logits != expected, axis=1).sum())
        if wrong:
            raise FlowError(f"{name}: logits differ from Brevitas's on {wrong} of {len(codes)} images")
    return {"images": len(codes), "links": ["QONNX", *links], "mismatches": 0}


def run_on_the_board(folder: Path) -> dict[str, Any]:
    """Package the build; its driver, on a simulated board, checks the samples and classifies pictures of USPS digits.

    Raises
    ------
    FlowError
        The driver failed, or a sample's integers differ.
    """
    from PIL import Image

    from brevitas_models.data import load_images

    build = folder / "build"
    package = make_package(build, samples=BOARD_SAMPLES)
    validation = _drive(build, "validate")
    digits = load_images("usps", "test").subset(slice(SAMPLES, SAMPLES + BOARD_PICTURES))
    for number, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True), start=SAMPLES):
        picture = folder / "pictures" / digits.class_names[label] / f"{number}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0]).save(picture)
    found = _drive(build, "classify", str(folder / "pictures"))["images"]
    return {
        "archive": str(package.archive),
        "files": package.files,
        "samples": validation["images"],
        "mismatches": len(validation["mismatches"]),
        "pictures": len(found),
        "right": sum(image["class_names"][0] == Path(image["name"]).parent.name for image in found),
    }


def _drive(build: Path, command: str, *arguments: str) -> Any:
    done = run_driver(build, [command, "--json", *arguments], capture=True)
    if done.returncode != 0:
        raise FlowError(f"the driver's {command} failed with status {done.returncode} on the simulated board")
    return json.loads(done.stdout)
