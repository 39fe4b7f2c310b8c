"""Data sets: fetching them, reading users' own files, and the images and labels that training works on."""

from brevitas_models.data.catalogue import DATASETS, load_images
from brevitas_models.data.fetching import fetch
from brevitas_models.data.image_set import ImageSet

__all__ = ["DATASETS", "ImageSet", "fetch", "load_images"]
