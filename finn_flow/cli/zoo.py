"""`dsode zoo`: the trained networks that ship."""

import click

from finn_flow.cli.output import console, json_option, print_json


@click.group(name="zoo")
def command() -> None:
    """Trained networks that ship; `zoo:NAME` is their name wherever a checkpoint is asked for.

    Example: dsode export zoo:mnist-usps-quick --out model.onnx
    """


@command.command(name="list")
@json_option
def list_command(as_json: bool) -> None:
    """List the networks with what they were trained for and their accuracy on the target's whole test set.

    Example: dsode zoo list --json
    """
    from brevitas_models.zoo import load_entry, zoo_names

    entries = [load_entry(name) for name in zoo_names()]
    if as_json:
        print_json({"networks": [entry.to_json() for entry in entries]})
        return
    from rich.table import Table

    table = Table(title="Networks of the zoo")
    table.add_column("name", no_wrap=True)
    for heading in ("domains", "network", "bits"):
        table.add_column(heading)
    for heading in ("parameters", "accuracy", "float", "source only", "kB"):
        table.add_column(heading, justify="right")
    for entry in entries:
        size = "x".join(str(side) for side in entry.network["image_size"])
        channels = "-".join(str(count) for count in entry.network["channels"])
        shares = (entry.accuracy, entry.accuracy_float, entry.accuracy_source_only)
        table.add_row(
            f"zoo:{entry.name}",
            f"{entry.source} → {entry.target}",
            f"{entry.kind} {channels}, {size}",
            f"{entry.network['weight_bits']}",
            f"{entry.parameters:,}",
            *(f"{share:.2%}" for share in shares),
            f"{entry.size_bytes / 1000:.0f}",
        )
    console().print(table)
