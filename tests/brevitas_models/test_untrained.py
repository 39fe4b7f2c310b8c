"""Random networks that are the same everywhere."""

import torch

from brevitas_models.config import preset
from brevitas_models.untrained import untrained_network


def test_the_number_of_threads_makes_no_difference() -> None:
    threads = torch.get_num_threads()
    states = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            states.append(untrained_network(preset("dsodenet-small"), seed=0).state_dict())
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
