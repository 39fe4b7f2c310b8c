"""The command group: loads a command's module only when it is called, and turns failures into messages and statuses.

Exit statuses: 0 it worked; 1 it failed (a tool, a disk, an interrupt); 2 bad input (options, files, configurations).
"""

import errno
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import click

import finn_flow
from finn_flow.cli.display import Display, shown_by
from finn_flow.cli.levels import add_level_options
from finn_flow.errors import FlowError, UserError

_BAD_PATHS = (errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EACCES, errno.EPERM)
"""What is wrong with a path as it was typed."""

FAILED = 1
BAD_INPUT = 2

# Name of a command -> what it does, in the order of the help page. The command `x` is `finn_flow.cli.x.command`.
COMMANDS = {
    "doctor": "Show which tools and versions are here, and what will therefore work.",
    "data": "Fetch and list data sets.",
    "parameters": "Compare the number of parameters of ODENet and dsODENet.",
    "train": "Train a quantised network with domain adaptation.",
    "zoo": "List the trained networks that ship.",
    "export": "Export a trained network to QONNX with golden inputs and outputs.",
    "build": "Take a QONNX model through the FINN flow.",
    "simulate": "Simulate the whole accelerator in Verilator.",
    "synth": "Estimate the accelerator's resources by open synthesis.",
    "timing": "Estimate the slowest paths, and so the clock, of the accelerator.",
    "timeline": "Show over time which iteration every node works on, from the simulation.",
    "report": "Write one page with tables and plots about a build.",
    "compare": "Show builds side by side.",
    "package": "Make the deployment package for the board.",
    "board": "Run the package's driver on a simulated board.",
    "adapt": "Make a profile for new surroundings from pictures without labels.",
    "deploy": "Copy the package to a board and validate it there.",
    "remote": "Run the package's driver on a board.",
    "explore": "Explore networks, foldings and clocks, on one machine or many.",
    "finn": "Run FINN's own command line without Vivado.",
    "demo": "Train, export and build a small network on real images, from nothing.",
}


def _module_name(command: str) -> str:
    return f"finn_flow.cli.{command}"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; its help page imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if importlib.util.find_spec(_module_name(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(_module_name(cmd_name)).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{_module_name(cmd_name)}.command must be a click command, not {type(command).__name__}")
        add_level_options(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but a wrong name is answered without importing every command to look for a similar one."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            ctx.fail(f"no such command {name!r}; the commands are {', '.join(self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(finn_flow.__version__, prog_name="dsode")
def dsode() -> None:
    """From a quantised dsODENet to a streaming accelerator on the ZCU104.

    Example: dsode doctor
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; messages go to standard error, one line each.

    Parameters
    ----------
    arguments
        What stands after `dsode`; the process's own arguments when None.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if any("\0" in argument for argument in given):
        return _fail("an argument holds a null byte, which no path and no value may", BAD_INPUT)
    try:
        with shown_by(Display(sys.stderr)):
            return _status(dsode.main(arguments, prog_name="dsode", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD_INPUT
    except click.UsageError as error:
        hint = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
        return _fail(error.format_message() + hint, BAD_INPUT)
    except click.ClickException as error:
        return _fail(error.format_message(), BAD_INPUT)
    except UserError as error:
        return _fail(" ".join(str(error).split("\n")), BAD_INPUT)
    except FlowError as error:
        return _fail(str(error), FAILED)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", FAILED)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            where = f"{error.filename}: " if error.filename else ""
            return _fail(f"{where}{error.strerror or error}", BAD_INPUT if error.errno in _BAD_PATHS else FAILED)
        where = f" while writing {error.filename}" if error.filename else ""
        return _fail(f"no space left on the disk{where}; free some space and try again", FAILED)
    except (RecursionError, MemoryError) as error:
        what = "is nested too deeply" if isinstance(error, RecursionError) else "needs more memory than there is"
        return _fail(f"what was given {what}", FAILED)


def _fail(message: str, status: int) -> int:
    click.echo(f"error: {message}", err=True)
    return status


def _status(result: Any) -> int:
    """`ctx.exit(n)` and a command that returns a number give it back as their status; any other result is success."""
    return result if isinstance(result, int) and not isinstance(result, bool) else 0
