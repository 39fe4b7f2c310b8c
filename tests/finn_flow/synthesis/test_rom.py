"""Read-only memories in open synthesis: as many LUTs as the device needs, and with the right contents."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import custom_ops
from finn_flow.synthesis import synthesise
from finn_flow.synthesis.script import TECHMAPS

OPS = Path(custom_ops.__file__).parent
SOURCES = [OPS / "mvau" / "rtl" / "weight_rom.sv", OPS / "rtl_common" / "stream_checker.sv"]


def write_words(file: Path, bits: int, depth: int) -> None:
    """Write random words."""
    words = np.random.default_rng(depth).integers(0, 1 << bits, depth)
    file.write_text("".join(f"{word:x}\n" for word in words))


@pytest.mark.parametrize(
    ("style", "bits", "depth", "memory_luts", "bram36"),
    [("distributed", 30, 32, 15, 0), ("distributed", 30, 100, 60, 0), ("block", 30, 100, 0, 0.5)],
)
def test_luts_and_blocks(style, bits, depth, memory_luts, bram36, tmp_path):
    write_words(tmp_path / "words.dat", bits, depth)
    parameters = {"DATA_WIDTH": bits, "DEPTH": depth, "MEMORY_FILE": "words.dat", "ROM_STYLE": style}
    found = synthesise("weight_rom", SOURCES, parameters=parameters, data_files=[tmp_path / "words.dat"])
    # The counter takes some more.
    assert memory_luts <= found.lut_total <= memory_luts + 8
    assert found.bram36 == bram36


PROVE = """
from pyosys import libyosys
design = libyosys.Design()
for line in open("script.ys"):
    libyosys.Pass.call(design, line.strip())
"""
ROM = """
module rom(input [{address}:0] a, output [{word}:0] q);
  (* rom_style = "distributed" *) reg [{word}:0] m[0:{last}];
  initial $readmemh("words.dat", m);
  assign q = m[a];
endmodule
"""
SCRIPT = f"""\
read_verilog -lib -specify +/xilinx/cells_sim.v
read_verilog -sv rom.v
proc
memory -nomap
copy rom gold
techmap -map {TECHMAPS / "rom.v"} rom/t:$mem_v2
select -assert-none rom/t:$mem_v2
techmap -map +/xilinx/cells_sim.v rom
memory_map gold
flatten rom
opt_clean
miter -equiv -flatten gold rom miter
sat -verify -prove trigger 0 miter
"""


@pytest.mark.parametrize(("bits", "depth"), [(7, 16), (8, 27), (3, 64), (5, 100), (2, 300), (2, 700)])
def test_luts_hold_the_contents(bits, depth, tmp_path):
    """Proven for all addresses; words beyond the last are unknown."""
    write_words(tmp_path / "words.dat", bits, depth)
    source = ROM.format(address=(depth - 1).bit_length() - 1, word=bits - 1, last=depth - 1)
    (tmp_path / "rom.v").write_text(source)
    (tmp_path / "script.ys").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-c", PROVE], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "no model found: SUCCESS" in done.stdout
