"""The `dsode` command: its group, its error messages and exit statuses. One module per command beside this one."""

from finn_flow.cli.group import main

__all__ = ["main"]
