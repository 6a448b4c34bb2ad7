"""An HTTP server of one folder that can be as bad as real ones."""
from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator


class LocalServer(ThreadingHTTPServer):
    """Serves a folder on a free port.

    Args:
        folder (Path): With the files.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(('127.0.0.1', 0), Answer)
        self.folder = folder
        self.ranges = True
        """Whether it answers requests for the rest of a file."""
        self.cut: int | None = None
        """Bytes after which it breaks a connection."""
        self.hang = threading.Event()
        """Set: it breaks no connection, but leaves it hanging."""
        self.statuses: list[int] = []
        """Of its first answers, before it serves files."""
        self.content_type = 'application/octet-stream'
        self.requests: list[tuple[str, str | None]] = []
        """Path and ``Range`` of each request."""

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.server_port}'


class Answer(BaseHTTPRequestHandler):

    server: LocalServer

    def do_GET(self) -> None:
        server, asked = self.server, self.headers['Range']
        server.requests.append((self.path, asked))
        path = server.folder / self.path.lstrip('/').split('?')[0]
        if server.statuses:
            return self.send_error(server.statuses.pop(0))
        if not path.is_file():
            return self.send_error(404)
        data = path.read_bytes()
        start = int(asked[6:-1]) if asked and server.ranges else 0
        if start and start >= len(data):
            self.send_response(416)
            self.send_header('Content-Range', f'bytes */{len(data)}')
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range',
                             f'bytes {start}-{len(data) - 1}/{len(data)}')
        self.send_header('Content-Type', server.content_type)
        self.send_header('Content-Length', str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:][:server.cut])
        if server.hang.is_set():
            self.wfile.flush()
            self.connection.recv(1)  # until the client is gone

    def log_message(self, *args) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[LocalServer]:
    folder.mkdir(exist_ok=True)
    with LocalServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01, ))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
