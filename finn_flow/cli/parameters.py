"""`dsode parameters`: the table of parameters, ODENet against dsODENet."""

import click

from finn_flow.cli.output import console, json_option, print_json


@click.command(name="parameters")
@click.argument("networks", nargs=-1, metavar="[CONFIG|PRESET]...")
@json_option
def command(networks: tuple[str, ...], as_json: bool) -> None:
    """Compare the number of parameters of ODENet and dsODENet.

    Each network (a JSON file or a preset; all sizes of the presets when none is named) is counted with dense and with
    depthwise-separable convolutions, whole and without its first and last layers.

    Example: dsode parameters dsodenet-small my_network.json
    """
    from brevitas_models.config import PRESETS, load_network_config
    from brevitas_models.parameters import PAPER_REDUCTION_PERCENT, compare

    names = networks or tuple(name for name in PRESETS if name.startswith("dsodenet"))
    comparisons = [compare(name, load_network_config(name)) for name in names]
    if as_json:
        found = [comparison.to_json() for comparison in comparisons]
        print_json({"networks": found, "paper_reduction_percent_middle": list(PAPER_REDUCTION_PERCENT)})
        return
    from rich.table import Table

    table = Table(title="Learned parameters, ODENet against dsODENet")
    table.add_column("network")
    table.add_column("part")
    for heading in ("ODENet", "dsODENet", "fewer", "ODENet weights", "dsODENet weights"):
        table.add_column(heading, justify="right")
    for comparison in comparisons:
        for name, part, bits in (
            (comparison.name, "total", "weight_bits"),
            ("", "middle", "middle_weight_bits"),
        ):
            table.add_row(
                name,
                "whole" if part == "total" else "without first and last layer",
                f"{getattr(comparison.odenet, part):,}",
                f"{getattr(comparison.dsodenet, part):,}",
                f"{comparison.reduction_percent(part):.1f} %",
                f"{getattr(comparison.odenet, bits) / 8:,.0f} bytes",
                f"{getattr(comparison.dsodenet, bits) / 8:,.0f} bytes",
                end_section=part == "middle",
            )
    low, high = PAPER_REDUCTION_PERCENT
    table.add_row("paper", "without first and last layer", "", "", f"{low} % to {high} %", "", "")
    console().print(table)
