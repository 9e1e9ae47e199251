"""Has a headless browser read a file of the server."""

import os
import signal
import subprocess
import tempfile
import uuid
from urllib.parse import urlencode

# Seconds after which the browser has failed.
PATIENCE = 120


def browse(program, way, url, server, output):
    """Writes what the page read into `output`. Returns what went wrong, empty if nothing did."""
    token = uuid.uuid4().hex
    question = urlencode({"way": way, "url": url, "token": token})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Without its sandbox: containers don't allow it, and it reads our own page alone.
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
            "--no-first-run", f"--user-data-dir={profile}", server.url(f"page.html?{question}"),
        ]  # fmt: skip
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True) as browser:
            try:
                answer = server.result(token, PATIENCE)
            finally:
                # The process and those that it started.
                os.killpg(browser.pid, signal.SIGKILL)
    if answer is None:
        return "no answer"
    error, content = answer
    output.write(content)
    return error
