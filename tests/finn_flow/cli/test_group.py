import errno
import subprocess
import sys

import click
import pytest

from finn_flow.cli import group, main
from finn_flow.errors import FlowError, UserError


def test_help_lists_what_exists_and_imports_none_of_it(capsys):
    code = (
        "import sys; from finn_flow.cli import main; status = main(['--help']); "
        "heavy = {'torch', 'numpy', 'finn', 'onnx', 'rich'} & set(sys.modules); assert not heavy, heavy; "
        "sys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "doctor" in result.stdout
    assert "data" in result.stdout


def test_a_command_without_a_module_is_not_shown(monkeypatch, capsys):
    monkeypatch.setitem(group.COMMANDS, "absent", "Not written.")
    main(["--help"])
    assert "absent" not in capsys.readouterr().out
    assert main(["absent"]) == 2


def test_every_command_has_help_with_an_example(capsys):
    context = click.Context(group.dsode)
    for name in group.dsode.list_commands(context):
        assert main([name, "--help"]) == 0
        assert "Example: dsode" in capsys.readouterr().out, name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["traim"], "error: no such command 'traim'; the commands are doctor, data"),
        (["--wrong"], "error: No such option"),
        (["doctor", "extra"], "error: Got unexpected extra argument (extra) (see `dsode doctor --help`)"),
        (["data", "fetch"], "error: Missing argument 'NAME...'"),
        (["data", "fetch", "mnits"], "error: no data set is called mnits; choose from mnist, usps, fashion-mnist"),
    ],
)
def test_usage_errors(arguments, message, capsys):
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(message)
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_nothing_given_shows_the_help(capsys):
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "status", "message"),
    [
        (UserError("PE must divide 8"), 2, "error: PE must divide 8\n"),
        (FlowError("it hangs"), 1, "error: it hangs\n"),
        (KeyboardInterrupt(), 1, "\nerror: interrupted\n"),
        (
            OSError(errno.ENOSPC, "full", "/x/y"),
            1,
            "error: no space left on the disk while writing /x/y; free some space",
        ),
        (OSError(errno.ENOSPC, "full"), 1, "error: no space left on the disk; free some space and try again\n"),
    ],
)
def test_failures_become_one_line(failure, status, message, monkeypatch, capsys):
    def fail():
        raise failure

    monkeypatch.setattr("finn_flow.cli.doctor.examine", fail)
    assert main(["doctor"]) == status
    printed = capsys.readouterr()
    assert printed.err.startswith(message)
    assert printed.out == ""


def test_a_bug_keeps_its_traceback(monkeypatch):
    def fail():
        raise ZeroDivisionError("bug")

    monkeypatch.setattr("finn_flow.cli.doctor.examine", fail)
    with pytest.raises(ZeroDivisionError, match="bug"):
        main(["doctor"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "x" * 5000], "File name too long"),
        (
            ["export", "--untrained", "dsodenet-tiny", "--out", "m.onnx", "--samples", str(10**12)],
            "not in the range",
        ),
        (["simulate", "b", "--seed", str(2**64)], "not in the range"),
        (["build", "zcu104", "--model", "a\0b", "--out", "o"], "null byte"),
    ],
)
def test_odd_paths_and_numbers_get_one_line(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "dsode, version 0.1.0\n"
