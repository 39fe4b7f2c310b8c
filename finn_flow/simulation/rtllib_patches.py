"""What has to change in copies of FINN's RTL library before Verilator accepts them.

Every patch names its file and its reason, and is asserted to match: when FINN's file changes, the build stops with a
message instead of simulating something else. Files of other origin with the same name are left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from finn_flow.errors import FlowError

_PATCHED = "// Copy adapted for Verilator: "


@dataclass(frozen=True)
class Patch:
    """The replacements in one file of finn-rtllib.

    Parameters:
        file: base name of the file.
        marker: text that FINN's file has and no other file of that name.
        reason: why Verilator needs the replacements.
        replacements: (old, new); each `old` must occur exactly once.
    """

    file: str
    marker: str
    reason: str
    replacements: Sequence[tuple[str, str]]


_LEAF_LOADS = """\
		typedef int unsigned  leaf_load_t[2*N-1];
		function leaf_load_t init_leaf_loads();
			automatic leaf_load_t  res;
			for(int unsigned  i = 2*N-1; i-- > N-1;)  res[i] = 1;
			for(int unsigned  i =   N-1; i-- >   0;)  res[i] = res[2*i+1] + res[2*i+2];
			return  res;
		endfunction : init_leaf_loads
		localparam leaf_load_t   LEAF_LOAD = init_leaf_loads();
"""
_OFFSET_TABLE = """\
		typedef addr_t  offset_table_t[SETS];
		function offset_table_t INIT_OFFSET_TABLE();
			automatic offset_table_t  res;
			foreach(res[i])  res[i] = i*DEPTH;
			return  res;
		endfunction : INIT_OFFSET_TABLE
		localparam offset_table_t  OFFSET_TABLE = INIT_OFFSET_TABLE();
"""
_TREE_START = "	uwire [SUM_WIDTH-1:0]  sum0;\n"

PATCHES = (
    Patch(
        "add_multi.sv",
        "module add_multi import mvu_pkg::*",
        "a constant function may not be declared inside a generate block (IEEE 1800-2023 13.4.3)",
        ((_LEAF_LOADS, ""), (_TREE_START, _LEAF_LOADS + _TREE_START)),
    ),
    Patch(
        "memstream.sv",
        "module memstream #(\n	int unsigned  SETS,",
        "a constant function may not be declared inside a generate block (IEEE 1800-2023 13.4.3)",
        ((_OFFSET_TABLE, ""), ("Ptr <= OFFSET_TABLE[sidx];", "Ptr <= addr_t'(sidx * DEPTH);")),
    ),
    Patch(
        "fifo.sv",
        "@brief	Consolidated FIFO with auto-selecting storage implementation.",
        "Verilator does not evaluate constant functions that return unpacked structures",
        (("typedef struct {\n		int unsigned  lo;", "typedef struct packed {\n		int unsigned  lo;"),),
    ),
    Patch(
        "skid.sv",
        "exceeds SRL capacity.",
        "the format asks for an argument that is not given",
        (('exceeds SRL capacity.");', 'exceeds SRL capacity.", FEED_STAGES);'),),
    ),
)


def patch_for_verilator(name: str, text: str) -> str:
    """The text of the file called `name`, with its patches applied; an already patched copy is returned as it is.

    Raises:
        FlowError: FINN's file no longer has the text that a patch replaces.
    """
    for patch in PATCHES:
        if patch.file != name or patch.marker not in text or _PATCHED in text:
            continue
        for old, new in patch.replacements:
            found = text.count(old)
            if found != 1:
                raise FlowError(
                    f"{name} of FINN's RTL library has changed: the text to be replaced ({patch.reason}) must occur "
                    f"once, not {found} times; adapt finn_flow/simulation/rtllib_patches.py"
                )
            text = text.replace(old, new)
        text = f"{text.rstrip()}\n{_PATCHED}{patch.reason}.\n"
    return text
