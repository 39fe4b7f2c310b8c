"""An ssh server on this machine, whose home folder is a board's."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh


@dataclass
class Server:
    """A running server: where it listens, the key that it lets in, and the home folder of its only user."""

    port: int
    key: Path
    home: Path
    environment: dict[str, str]

    @property
    def options(self) -> list[str]:
        """Arguments of `dsode deploy` and `dsode remote` that lead to it."""
        pairs = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR")
        options = ["--port", str(self.port), "--identity", str(self.key)]
        return options + [part for pair in pairs for part in ("--ssh-option", pair)]


@contextmanager
def ssh_server(folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    """Run a server that executes every command with a shell, in `folder`/home, until the block ends."""
    home, key = folder / "home", folder / "key"
    home.mkdir(parents=True)
    private = asyncssh.generate_private_key("ssh-ed25519")
    private.write_private_key(str(key))
    key.chmod(0o600)
    authorized = asyncssh.import_authorized_keys(private.export_public_key().decode())
    loop = asyncio.new_event_loop()
    server = Server(0, key, home, environment)

    async def handle(process: asyncssh.SSHServerProcess) -> None:
        data = await process.stdin.read()
        done = await loop.run_in_executor(
            None,
            lambda: subprocess.run(
                ["sh", "-c", process.command or ""],
                input=data,
                capture_output=True,
                cwd=home,
                env={"PATH": os.environ["PATH"], "HOME": str(home), **server.environment},
                check=False,
            ),
        )
        process.stdout.write(done.stdout)
        process.stderr.write(done.stderr)
        process.exit(done.returncode)

    async def listen() -> asyncssh.SSHAcceptor:
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            authorized_client_keys=authorized,
            process_factory=handle,
            encoding=None,
        )

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    server.port = acceptor.get_port()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(acceptor.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
