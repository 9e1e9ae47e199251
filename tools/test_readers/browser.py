"""Reads a file from the server with a headless browser."""

import os
import signal
import subprocess
import tempfile
import uuid
from urllib.parse import urlencode

# Seconds until a reader has failed.
TIMEOUT = 120


def browse(program, method, url, server, output):
    """Writes the bytes that the page read to `output`. Returns the error, or an empty string."""
    token = uuid.uuid4().hex
    query = urlencode({"method": method, "url": url, "token": token})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # No sandbox: containers don't allow it, and the browser only reads our own page.
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-proxy-server", "--no-first-run", f"--user-data-dir={profile}",
            server.url(f"page.html?{query}"),
        ]  # fmt: skip
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        with subprocess.Popen(command, start_new_session=True, **quiet) as browser:
            try:
                answer = server.result(token, TIMEOUT)
            finally:
                # Ends the process and those that it started.
                os.killpg(browser.pid, signal.SIGKILL)
    if answer is None:
        return "no answer"
    error, content = answer
    output.write(content)
    return error
