"""An HTTP server for the compressed files, for clients that decode `Content-Encoding: gzip`."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .build import SOURCES


class Server:
    """Serves a directory on a free port of this machine.

    /encoded/NAME is NAME.gz with `Content-Encoding: gzip`, /plain/NAME is the same without it.
    /page.html is the page with which a browser reads them.
    """

    def __init__(self, folder):
        self.folder = folder
        # The results that pages have posted, by token: the error, and the bytes.
        self.results = {}
        self.posted = threading.Condition()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.owner = self
        self.thread = threading.Thread(target=self.http.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def url(self, path):
        return f"http://127.0.0.1:{self.http.server_port}/{path}"

    def result(self, token, timeout):
        """Waits for the result of the page with this token. Returns `None` after the timeout."""
        with self.posted:
            self.posted.wait_for(lambda: token in self.results, timeout)
            return self.results.pop(token, None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        try:
            super().handle()
        except ConnectionError:
            # A client that rejects a file closes the connection, as does a browser that was killed.
            pass

    def do_GET(self):
        folder, _, name = urlsplit(self.path).path.strip("/").partition("/")
        if folder == "page.html":
            return self.answer(f"{SOURCES}/page.html", "text/html")
        path = os.path.join(self.server.owner.folder, os.path.basename(name) + ".gz")
        if folder not in ("encoded", "plain") or not os.path.exists(path):
            return self.send_error(404)
        return self.answer(path, "application/octet-stream", encoded=folder == "encoded")

    def do_POST(self):
        query = parse_qs(urlsplit(self.path).query)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        owner = self.server.owner
        with owner.posted:
            owner.results[query["token"][0]] = (query.get("error", [""])[0], content)
            owner.posted.notify_all()

    def answer(self, path, kind, encoded=False):
        with open(path, "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if encoded:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass
