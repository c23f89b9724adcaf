"""A reader of the page without a browser: HTTP for what is loaded, the websocket for the rest."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from html import unescape
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

START = "from mscpool.analysis.terminal.cli import main; main()"


class Server:
    """A page that is served by the command, as a user starts it."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-c", START, "explore", "--no-browser", *arguments]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": ""}
        )
        self.said: list[str] = []
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if found := re.search(r"Explore at (\S+)", line):
                self.address = found[1]
                break
        else:
            raise AssertionError(f"not served: {self.said}")
        parts = urlsplit(self.address)
        assert parts.port
        self.port, self.host = parts.port, f"127.0.0.1:{parts.port}"
        self.token = re.search(r"token=([^&]+)", parts.query)[1]
        self.cookie = f"mscpool-{self.port}={self.token}"

    def ask(self, target: str = "/", method: str = "GET", body=None, **headers: str):
        """Make one request with exactly these headers; give status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": self.host, **headers}.items():
                connection.putheader(name.replace("_", "-"), value)
            if isinstance(body, bytes):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if isinstance(body, bytes) else None)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def interrupt(self) -> float:
        """Press Ctrl-C; give the seconds until the server has ended."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        seconds = time.monotonic() - began
        assert self.process.stderr
        with self.process.stderr as rest:
            self.said += rest.read().splitlines()
        return seconds

    def end(self) -> None:
        if self.process.poll() is None:
            self.interrupt()


class Reader:
    """One open page: what its controls hold is sent, what it shows is kept."""

    def __init__(self, server: Server, query: str = "") -> None:
        self.server, self.query = server, query
        self.outputs: dict[str, str] = {}
        self.messages: list[dict] = []
        self.errors: dict[str, object] = {}
        self.address = ""
        self.updates: list[dict] = []

    async def __aenter__(self):
        status, _, html = self.server.ask(f"/?{self.query}", Cookie=self.server.cookie)
        assert status == 200
        held = self.held = controls(html)
        headers = {"Cookie": self.server.cookie}
        self.socket = await connect(
            f"ws://{self.server.host}/websocket/",
            additional_headers=headers,
            origin=f"http://{self.server.host}",
            max_size=None,
        )
        config = json.loads(await self.socket.recv())["config"]
        self.session = config["sessionId"]
        hidden = {
            f".clientdata_output_{name}_hidden": False
            for name in re.findall(r'id="([\w]+)"[^>]*class="[^"]*shiny-html-output', html)
        }
        hidden |= {
            f".clientdata_output_{name}_hidden": False
            for name in re.findall(r'class="[^"]*shiny-html-output[^"]*"[^>]*id="(\w+)"', html)
        }
        search = {".clientdata_url_search": f"?{self.query}" if self.query else ""}
        await self._send("init", {**search, **hidden, **held})
        self.listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_):
        # What is still sent must be read, or the end is never seen.
        await self.socket.close()
        self.listening.cancel()

    async def _send(self, method: str, data: dict) -> None:
        await self.socket.send(json.dumps({"method": method, "data": data}))

    async def call(self, method: str, *arguments):
        """Call a function of the server, and give what it answers."""
        tag = len(self.messages)
        await self.socket.send(json.dumps({"method": method, "args": arguments, "tag": tag}))

        def given():
            return [m["response"] for m in self.messages if m.get("response", {}).get("tag") == tag]

        await self.until(given)
        return given()[0]["value"]

    async def set(self, **values) -> None:
        """Move controls; what is shown follows."""
        self.held |= values
        await self._send("update", values)

    async def _listen(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            self.messages.append(message)
            self.errors.update(message.get("errors") or {})
            for name, value in (message.get("values") or {}).items():
                self.outputs[name] = value["html"] if isinstance(value, dict) else value
            custom = message.get("custom") or {}
            self.address = custom.get("address", self.address)
            for update in message.get("inputMessages") or ():
                self.updates.append(update)
                await self._obey(update)

    async def _obey(self, update: dict) -> None:
        """Do as a browser does when the page sets a control."""
        message = update["message"]
        if "value" in message:
            value = message["value"]
            value = value[0] if isinstance(value, list) else value
            kind = ":shiny.number" if isinstance(value, int | float) else ""
            control = f"{update['id']}{kind}"
            if self.held.get(control) != value:  # as a browser says nothing of what stays
                await self.set(**{control: value})

    async def until(self, condition, seconds: float = 60.0) -> None:
        """Wait until what is shown meets a condition."""
        ends = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends, (self.errors, self.outputs.get("verdict"))
            await asyncio.sleep(0.02)

    def text(self, name: str) -> str:
        return unescape(re.sub(r"<[^>]+>", " ", self.outputs.get(name) or ""))

    def row(self, disease: str) -> str:
        """Text of a disease's row of conclusions."""
        table = self.outputs.get("conclusions") or ""
        rows = re.findall(r'<tr[^>]*data-disease="(\w+)"[^>]*>(.*?)</tr>', table, re.S)
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", dict(rows).get(disease, ""), re.S)
        return "|".join(re.sub(r"<[^>]+>", "", cell).strip() for cell in cells)

    def download(self, name: str):
        target = f"/session/{self.session}/download/{name}?w="
        return self.server.ask(target, Cookie=self.server.cookie)


def controls(html: str) -> dict[str, object]:
    """Give what the controls of a page hold when it has loaded."""
    held: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        about = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if about.get("type") == "number":
            held[f"{about['id']}:shiny.number"] = float(about["value"])
    for name, inside in re.findall(r'<select id="(\w+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]*selected', inside)
        held[name] = unescape(chosen[1]) if chosen else None
    tabs = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<a [^>]*>", html)]
    (held["view"],) = [tab["data-value"] for tab in tabs if "active" in tab.get("class", "")]
    return held
