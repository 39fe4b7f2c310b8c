"""What has to change in copies of FINN's RTL library before Verilator accepts them.

Every patch names its file and its reason and is asserted to match: when FINN's file changes, the build stops with a
message instead of simulating something else. Files of other origin with the same name are left alone.
"""

from dataclasses import dataclass

from finn_flow.errors import FlowError


@dataclass(frozen=True)
class Patch:
    """One textual replacement.

    Parameters:
        file: base name of the file in finn-rtllib.
        marker: text that FINN's file has and no other file of that name.
        reason: why Verilator needs it.
        old, new: the replacement; `old` must occur exactly `count` times.
    """

    file: str
    marker: str
    reason: str
    old: str
    new: str
    count: int = 1


PATCHES: tuple[Patch, ...] = ()


def patch_for_verilator(name: str, text: str) -> str:
    """Apply the patches for the file called `name`; a text that has them already is returned as it is.

    Raises:
        FlowError: FINN's file no longer has the text that a patch replaces.
    """
    for patch in PATCHES:
        if patch.file != name or patch.marker not in text or patch.new in text:
            continue
        found = text.count(patch.old)
        if found != patch.count:
            raise FlowError(
                f"{name} of FINN's RTL library has changed: the text to be replaced ({patch.reason}) must occur "
                f"{patch.count} times, not {found}; adapt finn_flow/simulation/rtllib_patches.py"
            )
        text = text.replace(patch.old, patch.new)
    return text
