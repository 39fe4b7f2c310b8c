"""The whole training: phases one after the other, a state on disk after every epoch, results at the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from brevitas_models.adaptation import AdaptationLoss
from brevitas_models.batch_norm import FieldBatchNorm
from brevitas_models.calibration import calibrate_quantisers, load_float_weights
from brevitas_models.checkpoint import CHECKPOINT_FILE, load_state, save_checkpoint
from brevitas_models.float_checkpoint import save_float_network
from brevitas_models.networks import ODENet, float_network, quantized_network
from brevitas_models.training import processes
from brevitas_models.training.config import PHASES, TrainingConfig
from brevitas_models.training.domains import Domains, load_domains
from brevitas_models.training.epoch import STATISTICS_DRAW, Phase, accuracy, run_epoch
from brevitas_models.training.mistakes import MISTAKES_FILE, confusion_matrix, draw_mistakes, predictions
from brevitas_models.training.results import EventLog, write_results
from brevitas_models.training.run_state import STATE_FILE, RunState, load_run_state
from brevitas_models.training.scores import unlabelled_scores
from brevitas_models.training.teacher import Teacher
from finn_flow.errors import UserError
from finn_flow.files import check_writable_dir

OnProgress = Callable[[str, int, int], None]
"""Called after every step with what is running, the steps done and the steps of the whole training."""


def train(
    config: TrainingConfig,
    folder: Path,
    report: Callable[[str], None] = lambda line: None,
    on_progress: OnProgress = lambda what, done, total: None,
) -> dict[str, Any]:
    """Train into `folder` and return the metrics; go on where an interrupted training of the same config stopped.

    The result does not depend on interruptions: at most the running epoch is done again. Several processes may share
    the training (`brevitas_models.training.processes`).

    Writes `checkpoint.pt` (the quantised network), `float.pt` (the adapted float network), `metrics.json`,
    `curves.png`, `mistakes.png`, `tensorboard/` and `state.pt`.

    Raises
    ------
    UserError
        Data missing, a folder that is not writable or holds another training, no GPU although asked for, a batch that
        cannot be shared among the processes.
    FlowError
        The training diverged, or the disk is full.
    """
    processes.check_batch_size(config.batch_size)
    with processes.folder_to_write(folder) as own_folder:
        return _train(config, own_folder, report, on_progress)


def _train(
    config: TrainingConfig, folder: Path, report: Callable[[str], None], on_progress: OnProgress
) -> dict[str, Any]:
    """As `train`, into the folder of this process."""
    folder = check_writable_dir(folder)
    device = _device(config)
    state = processes.from_first(load_run_state(folder, config))
    if state.phase == len(PHASES):
        report(f"{folder}: this training is complete; delete {STATE_FILE} to do it again")
    elif state.history:
        report(f"{folder}: going on in phase {PHASES[state.phase]} after epoch {state.epoch}")
    domains = load_domains(config, device)
    steps = config.steps_per_epoch or math.ceil(len(domains.source) / config.batch_size)
    with EventLog(folder, state.history) as log:
        while state.phase < len(PHASES):
            name = PHASES[state.phase]
            network = _run_phase(config, domains, steps, device, state, folder, log, report, on_progress)
            if name == "float":
                save_float_network(folder, config.network, state.network)
            if state.phase == len(PHASES):
                details = {"accuracy": state.accuracy, "training": state.config}
                save_checkpoint(folder / CHECKPOINT_FILE, network, domains.class_names, details)
                draw_mistakes(folder / MISTAKES_FILE, network, domains.target_test, domains.class_names)
            state.save(folder)
    counts = {"source": len(domains.source_test), "target": len(domains.target_test)}
    metrics = write_results(folder, config, state, counts)
    for warning in metrics["warnings"]:
        report(f"warning: {warning}")
    return metrics


def _run_phase(
    config: TrainingConfig,
    domains: Domains,
    steps: int,
    device: torch.device,
    state: RunState,
    folder: Path,
    log: EventLog,
    report: Callable[[str], None],
    on_progress: OnProgress,
) -> ODENet:
    """Run the rest of the current phase, and leave `state` at the beginning of the next one."""
    name = PHASES[state.phase]
    losses: list[AdaptationLoss] = [] if name == "source_only" else list(config.adaptation)
    network = _network(config, name, state, domains).to(device)
    optimizer = _optimizer(network, config)
    teacher = Teacher(network, config.teacher_momentum) if any(loss.uses_teacher for loss in losses) else None
    phase = Phase(name, config, domains, network, optimizer, steps, losses, teacher)
    if state.epoch:
        optimizer.load_state_dict(state.optimizer)
        if teacher is not None:
            load_state(teacher.network, state.teacher, STATE_FILE)
    elif name == "quantised":
        calibrate_quantisers(network, phase.statistics_batches())
    total = steps * sum(config.epochs(phase_name) for phase_name in PHASES)
    done = steps * len(state.history)

    def on_step() -> None:
        nonlocal done
        done += 1
        on_progress(f"{name} {state.epoch + 1}/{config.epochs(name)}", done, total)

    while state.epoch < config.epochs(name):
        started, cpu_started = time.perf_counter(), time.process_time()
        entry = run_epoch(phase, state.epoch, on_step)
        state.epoch += 1
        state.network, state.optimizer = network.state_dict(), optimizer.state_dict()
        state.teacher = {} if teacher is None else teacher.network.state_dict()
        state.history.append(entry)
        if state.epoch == config.epochs(name):
            state.accuracy[name] = {
                "source": accuracy(network, domains.source_test),
                "target": accuracy(network, domains.target_test),
            }
            test, classes = domains.target_test, config.network.num_classes
            confusion = confusion_matrix(test.labels, predictions(network, test), classes)
            state.confusion[name] = confusion.tolist()
            scores = unlabelled_scores(
                network, phase.target_batches(), config.augmentation, phase.generator(STATISTICS_DRAW)
            )
            state.scores[name] = scores.to_json()
        state.seconds += time.perf_counter() - started
        state.cpu_seconds += time.process_time() - cpu_started
        if state.epoch < config.epochs(name):
            state.save(folder)
        log.write(len(state.history), entry)
        report(_line(entry, config.epochs(name)))
    state.phase, state.epoch, state.optimizer, state.teacher = state.phase + 1, 0, {}, {}
    return network


def _network(config: TrainingConfig, phase: str, state: RunState, domains: Domains) -> ODENet:
    """Return the phase's network with the weights that it starts from or goes on with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = quantized_network(config.network) if phase == "quantised" else float_network(config.network)
    if not state.network:
        return network
    if phase == "quantised" and state.epoch == 0:
        load_float_weights(network, state.network)
    else:
        load_state(network, state.network, STATE_FILE)
    return network


def _optimizer(network: ODENet, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW; weight decay on the weights of convolutions and classifier only."""
    decayed = [
        module.weight
        for module in network.modules()
        if isinstance(getattr(module, "weight", None), nn.Parameter) and not isinstance(module, FieldBatchNorm)
    ]
    known = {id(weight) for weight in decayed}
    others = [parameter for parameter in network.parameters() if id(parameter) not in known]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def _device(config: TrainingConfig) -> torch.device:
    available = torch.cuda.is_available()
    if config.device == "cuda" and not available:
        raise UserError("`device` is cuda, but PyTorch finds no GPU here; use auto or cpu")
    return (
        torch.device("cuda", processes.device_index()) if available and config.device != "cpu" else torch.device("cpu")
    )


def _line(entry: dict[str, Any], epochs: int) -> str:
    losses = ", ".join(f"{name} {value:.3f}" for name, value in entry["losses"].items())
    return f"{entry['phase']} {entry['epoch']}/{epochs}: target {entry['target_accuracy']:.1%}; loss: {losses}"
