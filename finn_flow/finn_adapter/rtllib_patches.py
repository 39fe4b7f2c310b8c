"""What has to change in copies of FINN's RTL library before Verilator and the open synthesis tool accept them.

Every patch names its file and its reason, and is asserted to match: when FINN's file changes, the build stops with a
message instead of simulating something else. Files of other origin with the same name are left alone. Synthesis gets
what is simulated: Verilator's patches, and then its own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from finn_flow.errors import FlowError
from finn_flow.finn_adapter import swg_commands

_CORRECTION = "correct results"
_CLOCK = "a faster clock"
_STANDARD = "the standard"
_VERILATOR = "Verilator"
_SYNTHESIS = "open synthesis"


@dataclass(frozen=True)
class Patch:
    """The replacements in one file of finn-rtllib.

    Parameters
    ----------
    file
        Base name of the file, with `*` for what differs from node to node.
    marker
        Text that FINN's file has and no other file of that name.
    reason
        Why the tool needs the replacements.
    replacements
        (old, new); each `old` must occur exactly once. It may be a pattern, and `new` a template, where nodes differ.
    tool
        "Verilator"; "open synthesis" for what only that needs; "correct results" for a defect in FINN's file; "a faster
        clock" for a slow path; "the standard" for what IEEE 1800 forbids, so that every front end may refuse it.
    """

    file: str
    marker: str
    reason: str
    replacements: Sequence[tuple[str | re.Pattern[str], str]]
    tool: str = _VERILATOR

    @property
    def note(self) -> str:
        """The last line of a patched copy, by which it is known."""
        return f"// Copy adapted for {self.tool}: {self.reason}."


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

_STARTUP_WATCH = """\
		initial begin
			#100ns;
			Dirty <= 0;
		end
"""
_DESCENDING = "only shift arrays that are declared downwards become shift-register LUTs"
_ATTRIBUTE = "only arrays with a `ram_style` attribute, in lower case, become memories"

# When a full-speed stream of results (one per cycle: SIMD = MW) is stopped, one result waits in the queue, one more
# comes in the cycle in which the lock is set, and as many as the compute core has stages follow. FINN's queue is two
# results too short for that, and takes the core for one stage shorter than it is where SIMD is no power of two.
_MVU_QUEUE = "localparam int unsigned  MAX_IN_FLIGHT = CORE_PIPELINE_DEPTH;"

PATCHES = (
    Patch(
        "mvu_vvu_axi.sv",
        "module mvu_vvu_axi #(",
        "the output queue overflows when a stream of one result per cycle is stopped",
        ((_MVU_QUEUE, _MVU_QUEUE.replace(";", " + 2;")),),
        _CORRECTION,
    ),
    Patch(
        "*_impl.sv",
        swg_commands.MARKER,
        "comparing the window generator's counters within the handshakes takes too long",
        swg_commands.REPLACEMENTS,
        _CLOCK,
    ),
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
    Patch(
        "*_wrapper.v",
        swg_commands.WRAPPER_MARKER,
        "the ports' widths use parameters before they are declared (IEEE 1800-2023 6.21)",
        ((swg_commands.PORTS_BEFORE_PARAMETERS, swg_commands.PARAMETERS_BEFORE_PORTS),),
        _STANDARD,
    ),
    Patch(
        "vpc.sv",
        "@brief	Vector pack converter between different lane parallelism.",
        "`default_nettype may not stand inside a module (IEEE 1800-2023 22.8)",
        (("`default_nettype none\n", ""), ("`default_nettype wire\n", "")),
        _STANDARD,
    ),
    Patch(
        "fifo.sv",
        "@brief	Consolidated FIFO with auto-selecting storage implementation.",
        "`default_nettype may not stand inside a module (IEEE 1800-2023 22.8)",
        (("`default_nettype none\n", ""), ("`default_nettype wire\n", "")),
        _STANDARD,
    ),
    Patch(
        "fifo.sv",
        "@brief	Consolidated FIFO with auto-selecting storage implementation.",
        _DESCENDING,
        (
            ("dat_t  A[DEPTH_IMPL];", "dat_t  A[DEPTH_IMPL-1:0];"),
            ("A <= { idat, A[0:DEPTH_IMPL-2] };", "A <= { A[DEPTH_IMPL-2:0], idat };"),
        ),
        _SYNTHESIS,
    ),
    Patch(
        "fifo.sv",
        "@brief	Consolidated FIFO with auto-selecting storage implementation.",
        _ATTRIBUTE,
        (
            ('(* RAM_STYLE = "distributed" *)', '(* ram_style = "distributed" *)'),
            ("(* RAM_STYLE = RAM_STYLE_EFF *)", "(* ram_style = RAM_STYLE_EFF *)"),
            ("(* RAM_STYLE = RAM_STYLE_HI *)", "(* ram_style = RAM_STYLE_HI *)"),
        ),
        _SYNTHESIS,
    ),
    Patch(
        "memstream.sv",
        "module memstream #(\n	int unsigned  SETS,",
        _DESCENDING,
        (
            ("data_t  OSrl[FULL_CREDIT-1];", "data_t  OSrl[FULL_CREDIT-2:0];"),
            ("OSrl <= { Dat3, OSrl[0:FULL_CREDIT-3] };", "OSrl <= { OSrl[FULL_CREDIT-3:0], Dat3 };"),
        ),
        _SYNTHESIS,
    ),
    Patch(
        "memstream.sv",
        "module memstream #(\n	int unsigned  SETS,",
        _ATTRIBUTE,
        (("(* RAM_STYLE = RAM_STYLE *)", "(* ram_style = RAM_STYLE *)"),),
        _SYNTHESIS,
    ),
    Patch(
        "thresholding.sv",
        "@brief	Pipelined thresholding by binary search.",
        _DESCENDING,
        (("ADat[A_DEPTH];", "ADat[A_DEPTH-1:0];"),),
        _SYNTHESIS,
    ),
    Patch(
        "thresholding.sv",
        "@brief	Pipelined thresholding by binary search.",
        _ATTRIBUTE,
        (
            (
                'DONT_TOUCH = USE_CONFIG? "TRUE" : "FALSE", RAM_STYLE =',
                'DONT_TOUCH = USE_CONFIG? "TRUE" : "FALSE", ram_style =',
            ),
            ("			(* RAM_STYLE = RAM_STYLE *)\n", ""),
        ),
        _SYNTHESIS,
    ),
    Patch(
        "thresholding.sv",
        "@brief	Pipelined thresholding by binary search.",
        "the part select of the first stage has its bounds reversed, even where it is not used",
        (("p.ptr[M-1:SN+1] < 2**stage", "(p.ptr[M-1:0] >> (SN+1)) < 2**stage"),),
        _SYNTHESIS,
    ),
    Patch(
        "mvu.sv",
        "@brief	Matrix Vector Unit (MVU) core compute kernel utilizing DSP48.",
        "a delay in an initial block is for simulation only",
        ((_STARTUP_WATCH, f"`ifndef SYNTHESIS\n{_STARTUP_WATCH}`endif\n"),),
        _SYNTHESIS,
    ),
    Patch(
        "mvu_vvu_axi.sv",
        "module mvu_vvu_axi #(",
        _DESCENDING,
        (
            ("output_t  OBuf[0:MAX_IN_FLIGHT];", "output_t  OBuf[MAX_IN_FLIGHT:0];"),
            ("OBuf <= { odat, OBuf[0:MAX_IN_FLIGHT-1] };", "OBuf <= { OBuf[MAX_IN_FLIGHT-1:0], odat };"),
        ),
        _SYNTHESIS,
    ),
    Patch(
        "replay_buffer.sv",
        "@brief	Replay buffer for counted sequences on an AXI-lite stream.",
        _ATTRIBUTE,
        (("data_t  Mem[2**AWIDTH];", '(* ram_style = "auto" *)\n		data_t  Mem[2**AWIDTH];'),),
        _SYNTHESIS,
    ),
)


def patch_for_verilator(name: str, text: str) -> str:
    """Return the text of the file called `name`, corrected and patched; an already patched copy is returned as it is.

    Raises
    ------
    FlowError
        FINN's file no longer has the text that a patch replaces.
    """
    for tool in (_CORRECTION, _CLOCK, _STANDARD, _VERILATOR):
        text = _patch(name, text, tool)
    return text


def patch_for_synthesis(name: str, text: str) -> str:
    """As `patch_for_verilator`, with what open synthesis needs besides; `text` may be patched for Verilator already.

    Raises
    ------
    FlowError
        FINN's file no longer has the text that a patch replaces.
    """
    return _patch(name, patch_for_verilator(name, text), _SYNTHESIS)


def _patch(name: str, text: str, tool: str) -> str:
    for patch in PATCHES:
        if not fnmatch(name, patch.file) or patch.tool != tool or patch.marker not in text or patch.note in text:
            continue
        for old, new in patch.replacements:
            pattern = re.compile(re.escape(old)) if isinstance(old, str) else old
            found = len(pattern.findall(text))
            if found != 1:
                raise FlowError(
                    f"{name} of FINN's RTL library has changed: the text to be replaced ({patch.reason}) must occur "
                    f"once, not {found} times; adapt finn_flow/finn_adapter/rtllib_patches.py"
                )
            text = text.replace(old, new) if isinstance(old, str) else pattern.sub(new, text)
        text = f"{text.rstrip()}\n{patch.note}\n"
    return text
