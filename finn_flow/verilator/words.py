"""Between integer arrays and the words of a stream."""

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint8]


def word_bytes(width_bits: int) -> int:
    """Bytes that hold one word of `width_bits` bits."""
    return (width_bits + 7) // 8


def pack(values: npt.ArrayLike, bits: int) -> Words:
    """Pack the last axis into stream words: element 0 in the least significant bits, `bits` bits each.

    Parameters
    ----------
    values
        Integers [..., PE], each in [-2^(bits-1), 2^bits); negative ones become two's complement.
    bits
        Element width, 1 to 64 (63 where a value needs the unsigned range).

    Returns
    -------
    Words
        uint8 [n, ceil(PE*bits/8)], little endian, n the product of the leading axes.

    Raises
    ------
    ValueError
        No integers, or a value outside the range.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iub":
        raise ValueError(f"values must be integers, not {array.dtype}")
    if not 1 <= bits <= 64:
        raise ValueError(f"bits must be 1 to 64, not {bits}")
    elements = array.astype(np.int64).reshape(-1, array.shape[-1])
    if bits < 63 and elements.size:
        low, high = int(elements.min()), int(elements.max())
        if low < -(1 << (bits - 1)) or high >= 1 << bits:
            raise ValueError(f"values must fit in {bits} bits, not lie in [{low}, {high}]")
    as_bytes = np.ascontiguousarray(elements.astype("<i8")).view(np.uint8).reshape(*elements.shape, 8)
    if bits % 8 == 0:
        return np.ascontiguousarray(as_bytes[:, :, : bits // 8]).reshape(len(elements), -1)
    as_bits = np.unpackbits(as_bytes, axis=-1, count=bits, bitorder="little")
    return np.packbits(as_bits.reshape(len(elements), -1), axis=-1, bitorder="little")


def unpack(words: Words, pe: int, bits: int, signed: bool) -> npt.NDArray[np.int64]:
    """Return the inverse of `pack`.

    Parameters
    ----------
    words
        uint8 [n, at least ceil(pe*bits/8)]; bits above pe*bits are ignored.
    pe
        Elements in a word.
    bits
        Element width, 1 to 64.
    signed
        Read the elements as two's complement.

    Returns
    -------
    npt.NDArray[np.int64]
        int64 [n, pe].

    Raises
    ------
    ValueError
        The words are too narrow.
    """
    array = np.ascontiguousarray(words, dtype=np.uint8)
    if array.ndim != 2 or array.shape[1] < word_bytes(pe * bits):
        raise ValueError(f"words must be [n, {word_bytes(pe * bits)}] bytes for {pe} x {bits} bits, not {array.shape}")
    as_bits = np.unpackbits(array, axis=-1, count=pe * bits, bitorder="little").reshape(len(array), pe, bits)
    full = np.zeros((len(array), pe, 64), dtype=np.uint8)
    full[:, :, :bits] = as_bits
    if signed:
        full[:, :, bits:] = as_bits[:, :, -1:]
    return np.packbits(full, axis=-1, bitorder="little").view("<i8").reshape(len(array), pe).astype(np.int64)
