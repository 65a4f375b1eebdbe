"""A webhook receiver in 30 lines: checks the signature, prints each event, answers 204.

    python examples/webhook_receiver.py whsec_… [port]
"""

import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = sys.argv[1].encode()
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 9000


def is_ours(header: str, body: bytes) -> bool:
    parts = [part.split("=", 1) for part in header.split(",")]
    sent_at = next(value for name, value in parts if name == "t")
    mark = hmac.new(SECRET, f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    is_recent = abs(time.time() - int(sent_at)) < 300
    return is_recent and any(hmac.compare_digest(mark, value) for name, value in parts if name == "v1")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = is_ours(self.headers["X-Carillon-Signature"], body)
        print("OK " if good else "BAD SIGNATURE ", json.dumps(json.loads(body), ensure_ascii=False), flush=True)
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


HTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
