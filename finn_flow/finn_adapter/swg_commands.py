"""How FINN's parallel window generator gets its read and write commands from registers.

In FINN's text they are compared out of the counters within the cycle, and go on through both handshakes into a FIFO.
Here they are found a cycle ahead, from the distance of the two counters after each of the four things that a cycle can
bring, so that the handshakes only choose. Nothing changes in any cycle but during reset.
"""

import re

WRAPPER_MARKER = "// top-level parameters (set via code-generation)"
_PARAMETERS = 6
PORTS_BEFORE_PARAMETERS = re.compile(
    r"^module (\w+) \((\n.*?)^\);\n\n" + re.escape(WRAPPER_MARKER) + "\n" + r"(parameter \w+ = \d+);\n" * _PARAMETERS,
    re.MULTILINE | re.DOTALL,
)
PARAMETERS_BEFORE_PORTS = "module \\1 #(\n" + ",\n".join(rf"\{n + 3}" for n in range(_PARAMETERS)) + "\n) (\\2);\n"
"""Of the wrapper, whose ports' widths use parameters that FINN's text declares after them."""

_COMMANDS = """\
    uwire  write_cmd     = !(Current_elem > Newest_buffered_elem) && !Writing_done;;
"""
_READ = """\
    uwire  read_cmd     = !reading_done && (Writing_done || Newest_buffered_elem <= Current_elem);
"""
_PROCESS = """\
    // main process for advancing counters
"""
_AHEAD = """\
    // commands of the next cycle
    localparam int unsigned  GAP_WIDTH = $clog2(LAST_READ_ELEM+1) + 2;
    localparam logic signed [GAP_WIDTH-1:0]  FIRST_GAP = -1 - int'(FIRST_WRITE_ELEM);
    logic signed [GAP_WIDTH-1:0]  Gap = FIRST_GAP; // Newest_buffered_elem - Current_elem
    uwire signed [GAP_WIDTH-1:0]  gap_read = Gap + 1;
    uwire signed [GAP_WIDTH-1:0]  gap_write = Gap - addr_incr;
    uwire signed [GAP_WIDTH-1:0]  gap_both = Gap + 1 - addr_incr;
    uwire  last_read  = Newest_buffered_elem == LAST_READ_ELEM - 1;
    uwire  last_write = Current_elem == LAST_WRITE_ELEM;
    uwire  moves      = write_ok && !last_write;
    uwire  ends       = write_ok && last_write;
    uwire  restart    = (read_ok && last_read && (Writing_done || ends)) || (ends && reading_done);
    uwire  ahead      = moves? (read_ok? gap_both >= 0 : gap_write >= 0) : (read_ok? gap_read >= 0 : Gap >= 0);
    uwire  behind     = moves? (read_ok? gap_both <= 0 : gap_write <= 0) : (read_ok? gap_read <= 0 : Gap <= 0);
    always_ff @(posedge ap_clk) begin
        if(!ap_rst_n) begin
            Gap <= FIRST_GAP;
            write_cmd <= 0;
            read_cmd <= 0;
        end
        else begin
            Gap <= restart? FIRST_GAP : moves? (read_ok? gap_both : gap_write) : (read_ok? gap_read : Gap);
            write_cmd <= !restart && !Writing_done && !ends && ahead;
            read_cmd <= restart || (!(read_ok? last_read : reading_done) && (Writing_done || ends || behind));
        end
    end

"""
MARKER = _READ
REPLACEMENTS = (
    (_COMMANDS, "    logic  write_cmd     = 0;\n"),
    (_READ, "    logic  read_cmd     = 0;\n"),
    ("in0_V_V_TREADY = ap_rst_n && read_ok", "in0_V_V_TREADY = read_ok"),
    ("out_V_V_TVALID = ap_rst_n && write_cmd", "out_V_V_TVALID = write_cmd"),
    (_PROCESS, _AHEAD + _PROCESS),
)
"""(FINN's text, what it is replaced by)."""
