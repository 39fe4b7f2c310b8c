"""`dsode data`: fetch and list data sets."""

import click
from rich.table import Table

from brevitas_models.data.fetching import CORRUPT, MISSING, PRESENT, data_dir, fetch, file_states
from brevitas_models.data.sources import SOURCES, DataSource
from finn_flow.cli.output import console, json_option, print_json, progress
from finn_flow.errors import UserError


@click.group(name="data")
def command() -> None:
    """Fetch and list data sets.

    Example: dsode data fetch mnist usps
    """


@command.command(name="fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
def fetch_command(names: tuple[str, ...], as_json: bool) -> None:
    """Bring data sets into the cache, checksums verified; what is there and right is kept.

    The cache is $DSODE_CACHE, or the user's cache folder. An interrupted fetch goes on where it stopped.

    Example: dsode data fetch mnist usps
    """
    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        raise UserError(f"no data set is called {', '.join(unknown)}; choose from {', '.join(SOURCES)}")
    folders = {name: str(fetch(name, progress)) for name in names}
    if as_json:
        print_json({"folders": folders})


@command.command(name="list")
@json_option
def list_command(as_json: bool) -> None:
    """List the data sets that can be fetched, and whether they are in the cache and whole.

    Example: dsode data list --json
    """
    states = {name: file_states(source) for name, source in SOURCES.items()}
    if as_json:
        print_json({"data_sets": [_as_json(source, states[name]) for name, source in SOURCES.items()]})
        return
    table = Table("name", "content", "package", "MB", "state", title="Data sets")
    for name, source in SOURCES.items():
        size_mb = sum(file.size_bytes for file in source.files) / 1e6
        table.add_row(name, source.content, str(source.package), f"{size_mb:.1f}", _summary(states[name]))
    console().print(table)
    corrupt = [data_dir(name) / file for name in SOURCES for file, state in states[name].items() if state == CORRUPT]
    for path in corrupt:
        progress(f"corrupt: {path}; run `dsode data fetch {path.parent.name}` to replace it")


def _summary(states: dict[str, str]) -> str:
    for state in (CORRUPT, MISSING):
        if state in states.values():
            count = sum(value == PRESENT for value in states.values())
            return f"{state} ({count} of {len(states)} files are right)" if count else state
    return PRESENT


def _as_json(source: DataSource, states: dict[str, str]) -> dict[str, object]:
    return {
        "name": source.name,
        "content": source.content,
        "package": {"client": source.package.client, "name": source.package.name, "version": source.package.version},
        "folder": str(data_dir(source.name)),
        "files": [
            {"name": file.name, "size_bytes": file.size_bytes, "state": states[file.name]} for file in source.files
        ],
    }
