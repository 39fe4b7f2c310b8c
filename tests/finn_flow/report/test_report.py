"""What the report says, from whole and partial builds; and bad input."""

import json
import re
import shutil
from itertools import groupby

import pytest

from finn_flow.build_folder import BuildFolder
from finn_flow.cli.group import main
from finn_flow.errors import FlowError, UserError
from finn_flow.netlist import Netlist
from finn_flow.report import write
from finn_flow.report.collect import collect
from finn_flow.report.top_ports import check_top_ports
from finn_flow.report.write import write_report
from tests.finn_flow.netlist.one_block import one_block
from tests.finn_flow.report.builds import TRAINING
from tests.killed import killed_at_each_operation


@pytest.fixture(scope="module")
def data(full):
    return json.loads(BuildFolder(full).page_data.read_text())


def test_nothing_is_missing(data):
    assert data["missing"] == []
    assert [name for name, value in data.items() if value is None] == ["golden", "seen", "seconds_per_step"]
    assert data["training"] == TRAINING


def test_nothing_gets_stuck(data, full):
    netlist = one_block().netlist
    assert data["deadlock"] == {"joins": 5, "fifos": len(netlist.fifos()), "stuck": []}
    assert "no word can wait for ever" in BuildFolder(full).page.read_text()


def test_fifos_that_are_too_shallow_are_named(full, tmp_path):
    folder = one_block().copy(tmp_path / "build")
    shutil.copyfile(BuildFolder(full).estimates, BuildFolder(folder).estimates)
    path = folder / "rtl" / "netlist.json"
    record = json.loads(path.read_text())
    (bypass,) = (node for node in record["nodes"] if node["fifo_depth"] == 257)
    bypass["fifo_depth"] = 33
    path.write_text(json.dumps(record))
    write_report(folder)
    assert "ODELoop_rtl_0_body.global_in_copy1_buffered may wait for ever" in BuildFolder(folder).page.read_text()


def test_headline_is_what_was_simulated(data):
    headline, simulation = data["headline"], data["simulation"]
    assert headline["cycles_source"] == "simulated"
    assert headline["cycles_per_frame"] == simulation["cycles_per_frame"] == 288
    assert headline["frames_per_second"] == pytest.approx(200e6 / 288)
    assert headline["latency_cycles"] == simulation["first_frame_latency_cycles"]
    assert headline["target_cycles"] == 400
    assert (headline["accuracy"], headline["accuracy_of"]) == (0.954, "quantised, on 4,649 images of usps")
    assert simulation["mismatches"] == data["simulation_stalled"]["mismatches"] == 0


def test_every_node_is_in_the_pipeline(data):
    nodes = [node["name"] for node in data["estimates"]["nodes"]]
    found = []
    for node in data["pipeline"]["nodes"]:
        found.append(node["name"])
        found += [inner["name"] for inner in (node["body"] or {"nodes": []})["nodes"]]
    assert found == nodes
    (loop,) = (node for node in data["pipeline"]["nodes"] if node["body"])
    body = loop["body"]
    ends = {end for edge in body["edges"] for end in edge}
    assert ends == {"", *(node["name"] for node in body["nodes"])}
    fork = next(node["name"] for node in body["nodes"] if node["op"] == "Fork_rtl")
    assert sum(producer == fork for producer, _ in body["edges"]) == 2


def test_memory_map_holds_every_constant_and_buffer(data):
    """By hand: 3 channels, 8 x 6 pixels, 4-bit weights, 8-bit state."""
    bits = {(memory["node"], memory["holds"]): memory["bits"] for memory in data["memory"]}
    assert bits["ODELoop_rtl_0_DepthwiseConv_rtl_0", "weights"] == 3 * 9 * 4
    assert bits["ODELoop_rtl_0_DepthwiseConv_rtl_0", "line buffer"] == 2 * 6 * 3 * 4
    assert bits["ODELoop_rtl_0_MVAU_rtl_0", "weights"] == 3 * 3 * 4
    assert bits["ODELoop_rtl_0", "feedback"] == data["estimates"]["loops"][0]["feedback_fifo_bits"]
    assert bits["ODELoop_rtl_0", "next frame"] == 8 * 6 * 3 * 8
    deep = [fifo for fifo in data["fifos"]["fifos"] if fifo["depth"]]
    assert all(bits[fifo["name"], "FIFO"] == fifo["depth"] * fifo["width_bits"] for fifo in deep)
    assert {memory["style"] for memory in data["memory"]} <= {
        "LUTs",
        "shift registers",
        "block RAM",
        "left to synthesis",
    }


def test_multipliers_add_up(data):
    *nodes, everything = data["multipliers"]
    assert everything["macs"] == sum(node["macs"] for node in nodes)
    assert everything["utilisation"] == data["headline"]["multiplier_utilisation"]
    assert 0 < everything["utilisation"] <= 1


def test_resources_have_both_estimates(data):
    luts = data["resources"][0]
    assert luts["resource"] == "LUT"
    assert luts["synthesised"] == pytest.approx(1.1 * luts["estimated"], rel=0.01)
    assert data["resources"][1]["estimated"] is None


def test_slowest_paths_and_nets_of_many_loads_are_on_the_page(full, data):
    assert data["timing"]["worst_ns"] == 3.217
    page = BuildFolder(full).page.read_text()
    assert "The slowest path takes 3.22 ns; 4.0 ns are asked for." in page
    assert "TopK_rtl_0.core.list_q (FDRE)" in page
    assert "1,234" in page


def test_top_has_streams_only(data):
    ports = data["ports"]
    assert ports["only_streams"]
    assert {port["role"] for port in ports["ports"]} == {"clock", "reset", "input stream", "output stream"}
    assert ports["memory_files"] > 0


@pytest.mark.parametrize(
    "change",
    [
        lambda source: source.replace(
            "output wire out0_V_TVALID", "output wire [31:0] m_axi_araddr,\n output wire out0_V_TVALID"
        ),
        lambda source: re.sub(r"\[7:0\] in0_V_TDATA", "[15:0] in0_V_TDATA", source),
    ],
    ids=["memory port", "wider stream"],
)
def test_other_ports_are_found(change, tmp_path):
    folder = one_block().copy(tmp_path / "build") / "rtl"
    netlist = Netlist.load(folder)
    top = folder / netlist.modules[netlist.top].path
    changed = change(re.sub(r" +", " ", top.read_text()))
    assert changed != re.sub(r" +", " ", top.read_text())
    top.write_text(changed)
    ports = check_top_ports(netlist)
    assert not ports["only_streams"]
    assert [port["role"] for port in ports["ports"]].count("unexpected") == 1


def test_same_build_gives_the_same_page(full):
    before = BuildFolder(full).page.read_bytes()
    write_report(full)
    assert BuildFolder(full).page.read_bytes() == before


def test_a_page_that_cannot_be_made_changes_nothing(full, tmp_path, monkeypatch):
    folder = shutil.copytree(full, tmp_path / "build")
    for path in (BuildFolder(folder).page, BuildFolder(folder).page_data):
        path.write_text("old")

    def fail(data):
        raise FlowError("no page")

    monkeypatch.setattr(write, "render", fail)
    with pytest.raises(FlowError, match="no page"):
        write_report(folder)
    assert {path.name: path.read_text() for path in (folder / "report").glob("report.*")} == {
        "report.html": "old",
        "report.json": "old",
    }


def test_killed_at_any_moment_page_and_data_belong_together(full, tmp_path, monkeypatch):
    place = BuildFolder(tmp_path)
    data = collect(full)
    monkeypatch.setattr(write, "collect", lambda folder, training: data)
    old, new = ({**data, "build": name} for name in ("old", "new"))

    def found():
        texts = [path.read_text() for path in (place.page, place.page_data) if path.exists()]
        return [name for name in ("old", "new") for text in texts if f"{name}</h1>" in text or f'"{name}"' in text]

    def write_one(content):
        monkeypatch.setattr(write, "render", lambda found: f"<h1>{content['build']}</h1>" + " " * 100_000)
        monkeypatch.setattr(write, "collect", lambda folder, training: content)
        write_report(tmp_path)

    write_one(old)
    assert found() == ["old", "old"]
    seen = []
    for _ in killed_at_each_operation(lambda: write_one(new)):
        seen.append(found())
        write_one(old)
        assert not list(place.reports.glob(".report.*"))
    # Both at once cannot change places: for a moment the page is there alone.
    assert [names for names, _ in groupby(seen[1:])] == [["old"] * 2, ["old"], ["new"], ["new"] * 2]


def test_page_needs_nothing_else(full):
    page = BuildFolder(full).page.read_text()
    links = re.findall(r'(?:href|src|xlink:href)="([^"]*)"|url\(([^)]*)\)', page)
    assert links
    assert all((first or second).startswith(("#", "data:")) for first, second in links)
    assert str(full.parent) not in page.replace((full / "golden.npz").as_posix(), "")


def test_texts_of_the_build_are_escaped(full, tmp_path):
    folder = one_block().copy(tmp_path / "<b>&")
    (folder / "report").mkdir(exist_ok=True)
    for name in ("estimates.json", "simulation.json"):
        (folder / "report" / name).write_text((full / "report" / name).read_text().replace("golden.npz", "<script>"))
    write_report(folder)
    page = BuildFolder(folder).page.read_text()
    assert page.count("<script") == 1  # the page's own
    assert "<title>&lt;b&gt;&amp;: build report</title>" in page
    assert "<code>&lt;b&gt;&amp;</code>" in page


def test_what_is_missing_comes_with_its_command(estimated, capsys):
    assert main(["report", str(estimated)]) == 0
    printed = capsys.readouterr().out
    assert f"dsode synth {estimated}" in printed
    assert f"dsode timing {estimated}" in printed
    assert f"dsode simulate {estimated}" in printed
    data = collect(estimated)
    assert data["headline"]["cycles_source"] == "estimated"
    assert len(data["estimates"]["loops"]) == 3
    assert data["configuration"]["target_fps"] == 10_000
    assert data["memory"]
    page = BuildFolder(estimated).page.read_text()
    assert all(missing["command"] in page for missing in data["missing"])


def test_json_is_the_data(full, capsys):
    assert main(["report", str(full), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed.pop("page"), printed.pop("data")) == (str(BuildFolder(full).page), str(BuildFolder(full).page_data))
    assert printed == json.loads(BuildFolder(full).page_data.read_text())


def test_a_difference_is_shown(full, tmp_path):
    folder = one_block().copy(tmp_path / "build")
    result = json.loads((full / "report" / "simulation.json").read_text())
    result |= {"mismatches": 3, "first_mismatch": {"frame": 2, "message": "in MVAU_rtl_0"}}
    (folder / "report").mkdir(exist_ok=True)
    BuildFolder(folder).estimates.write_text(BuildFolder(full).estimates.read_text())
    (folder / "report" / "simulation.json").write_text(json.dumps(result))
    write_report(folder)
    assert "Frame 2 differs: in MVAU_rtl_0" in BuildFolder(folder).page.read_text()


def test_a_folder_that_is_no_build(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no build (report/estimates.json is missing)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_training_that_is_none(estimated, tmp_path):
    with pytest.raises(UserError, match=r"holds no training \(metrics.json is missing\)"):
        collect(estimated, tmp_path)


@pytest.mark.parametrize("name", ["report/estimates.json", "rtl/netlist.json"])
def test_damaged_files_are_named(name, full, tmp_path):
    folder = one_block().copy(tmp_path / "build")
    (folder / "report").mkdir(exist_ok=True)
    BuildFolder(folder).estimates.write_text(BuildFolder(full).estimates.read_text())
    (folder / name).write_text("{")
    with pytest.raises(UserError, match=r"not a JSON file|damaged"):
        collect(folder)
