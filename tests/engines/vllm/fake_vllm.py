"""Stands in for an interpreter that has vLLM: it speaks as much of the server's protocol as the engine uses.

Called as `<this> -m vllm.entrypoints.openai.api_server --port ...`. What it was started with goes to the file
FAKE_VLLM_STARTS, a JSON list a line; FAKE_VLLM_MODE says how it behaves: `serve` (default), `never_ready`, `base_only`
(the base answers under every name), or a text that it prints before it ends with status 1.
"""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODELS: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        ready = os.environ.get("FAKE_VLLM_MODE") != "never_ready"
        self.send(200 if ready else 503, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["authorization"] != f"Bearer {os.environ['VLLM_API_KEY']}":
            self.send(401, {"error": {"message": "Unauthorized"}})
        elif self.path == "/v1/load_lora_adapter":
            MODELS[body["lora_name"]] = body["lora_path"]
            self.send(200, "ok")
        elif body["model"] not in MODELS:
            self.send(404, {"error": {"message": f"The model `{body['model']}` does not exist."}})
        else:
            if body["messages"][0]["content"] == "die":
                os._exit(3)
            said = next(iter(MODELS)) if os.environ.get("FAKE_VLLM_MODE") == "base_only" else body["model"]
            text = f"{said} on {os.getpid()}"
            self.send(200, {"model": body["model"], "usage": {"prompt_tokens": 3, "completion_tokens": 2},
                            "choices": [{"message": {"content": text}, "finish_reason": "stop"}]})  # fmt: skip

    def log_message(self, *_: Any) -> None: ...


def main() -> None:
    flags = sys.argv[3:]
    with Path(os.environ["FAKE_VLLM_STARTS"]).open("a") as starts:
        starts.write(json.dumps(flags) + "\n")
    mode = os.environ.get("FAKE_VLLM_MODE", "serve")
    if mode not in ("serve", "never_ready", "base_only"):
        print(mode, flush=True)
        sys.exit(1)
    MODELS[flags[flags.index("--served-model-name") + 1]] = "base"
    server = ThreadingHTTPServer(("127.0.0.1", int(flags[flags.index("--port") + 1])), Handler)
    print(f"serving since {time.time()}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
