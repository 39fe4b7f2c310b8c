"""`serve`: a page in the browser on which one drops pictures and sees their classes, by Python's own server."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .accelerator import Accelerator
from .errors import DriverError, InputError
from .images import decode_picture
from .live_page import PAGE, SCRIPT, STYLE

MOST_BYTES = 32 << 20
"""Of a picture that is sent."""
LOCAL_HOST, DEFAULT_PORT = "127.0.0.1", 8000
_OK, _BAD, _NOT_FOUND, _TOO_LARGE, _FAILED = 200, 400, 404, 413, 500


class LiveServer(ThreadingHTTPServer):
    """Answers with the page, and classifies what is posted to `classify`, one picture after the other.

    Parameters
    ----------
    accelerator
        Classifies.
    host, port
        Where to listen; port 0: a free one. Whoever reaches it may use the accelerator.
    """

    daemon_threads = True

    def __init__(self, accelerator: Accelerator, host: str = LOCAL_HOST, port: int = DEFAULT_PORT) -> None:
        if accelerator.manifest.values is not None:
            raise InputError("the live page is for networks that classify, and this one gives values")
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise InputError(f"cannot listen at {host}:{port}: {error.strerror or error}") from None
        self.accelerator = accelerator
        self.served = 0
        self._one = threading.Lock()
        digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
        self.policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src blob: data:; connect-src 'self'; "
            f"script-src 'sha256-{digest}'"
        )

    @property
    def page(self) -> bytes:
        """The page."""
        manifest = self.accelerator.manifest
        rate = manifest.clock_mhz * 1e6 / manifest.cycles_per_frame
        about = (
            f"{len(manifest.class_names)} classes: {', '.join(manifest.class_names)}. The hardware takes "
            f"{manifest.cycles_per_frame:,.0f} cycles per frame, {rate:,.0f} frames/s at {manifest.clock_mhz:g} MHz; "
            "the times below are those of one picture with everything around it."
        )
        return PAGE.format(style=STYLE, script=SCRIPT, about=html.escape(about)).encode()

    def classify(self, content: bytes) -> dict[str, Any]:
        """Return classes, the best first, and the time of one picture file."""
        picture = decode_picture("the picture", content, self.accelerator.manifest.preprocessing)
        with self._one:
            labels = self.accelerator.classify([picture])[0]
            milliseconds = 1e3 * self.accelerator.timing.total
            self.served += 1
        names = self.accelerator.manifest.class_names
        classes = [int(label) for label in labels]
        return {"classes": classes, "class_names": [names[label] for label in classes], "milliseconds": milliseconds}


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: LiveServer
    timeout = 30

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(_OK, self.server.page, "text/html; charset=utf-8")
        else:
            self._json(_NOT_FOUND, {"error": "there is only one page, /"})

    def do_POST(self) -> None:
        if self.path != "/classify":
            self._json(_NOT_FOUND, {"error": "post a picture to /classify"})
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self._json(_TOO_LARGE, {"error": f"a picture must have at most {MOST_BYTES >> 20} MiB"})
            return
        try:
            self._json(_OK, self.server.classify(self.rfile.read(int(length))))
        except InputError as error:
            self._json(_BAD, {"error": str(error)})
        except DriverError as error:
            self._json(_FAILED, {"error": str(error)})

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", self.server.policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the page shows it."""


def serve(accelerator: Accelerator, host: str, port: int) -> dict[str, Any]:
    """Serve the page until the keyboard interrupts, and return how many pictures were classified."""
    with LiveServer(accelerator, host, port) as server:
        print(f"http://{host}:{server.server_address[1]}/ (stop with Ctrl-C)", file=sys.stderr, flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)
        return {"images": server.served}
