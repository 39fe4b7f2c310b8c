"""Trained networks that ship: a folder each, and the name `zoo:NAME` wherever a checkpoint or model is asked for."""

from brevitas_models.zoo.entries import ZooEntry, is_zoo_name, load_entry, zoo_folder, zoo_names

__all__ = ["ZooEntry", "is_zoo_name", "load_entry", "zoo_folder", "zoo_names"]
