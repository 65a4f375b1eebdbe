"""A client of the SMS API written from the guide v2.8 alone: prepare, test, send, report, cancel, blacklist, upload.

    python examples/client.py http://127.0.0.1:8000/MediasflowApi/v1 alice@example.com password
"""

import json
import sys
import time
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

LIST = "SMS;FIRSTNAME;REF\r\n0632545312;Anne;A-1\r\n0632545313;Bob;B-2\r\n"


class Client:
    def __init__(self, base: str, username: str, password: str) -> None:
        self.base = base.rstrip("/")
        self.bearer = ""
        with self.open("POST", "/auth/login", {"username": username, "password": password}) as answer:
            self.bearer = answer.headers["Authorization"]  # "Bearer …", the word included

    def open(self, method: str, path: str, body: object = None, content_type: str = "application/x-www-form-urlencoded"):
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode("utf-8")
        headers = {"Content-Type": content_type} | ({"Authorization": self.bearer} if self.bearer else {})
        return urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers, method=method), timeout=60)

    def call(self, method: str, path: str, body: object = None, **extra: str):
        with self.open(method, path, body, **extra) as answer:
            return json.load(answer)

    def text(self, path: str) -> str:
        with self.open("GET", path) as answer:
            return answer.read().decode("utf-8-sig")

    def inject(self, **parameters: object):
        return self.call("POST", "/campaigns/inject", parameters)

    def upload(self, name: str, content: str):
        mark = "----------guide"
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="filename"\r\n\r\n{name}\r\n']
        parts += [f'--{mark}\r\nContent-Disposition: form-data; name="File"; filename="{name}.csv"\r\n']
        parts += [f"Content-Type: text/csv\r\n\r\n{content}\r\n--{mark}--\r\n"]
        return self.call("POST", "/lists/upload", "".join(parts).encode(), content_type=f"multipart/form-data; boundary={mark}")


def main(base: str, username: str, password: str) -> None:
    client = Client(base, username, password)

    prepared = client.inject(
        listRecipient=[{"mobile": "0632545311", "extendedKeys": [{"keyName": "REF", "keyValue": "My reference"}]}],
        msg="Your order ${REF} is ready.",
        typeSelect="NOTIFICATION",
        startNow=False,
    )
    print("prepared", prepared["id"], prepared["status"], prepared["creditCount"], "credit")

    changed = client.call("PUT", f"/campaigns/{prepared['id']}/sender", {"sender": "MyShop"})
    client.call("PUT", f"/campaigns/{prepared['id']}/test", {"phoneNumbers": "33685812475; 33685812476"})
    print("sender", changed["sender"], "and a test to two numbers")

    sent = client.inject(campaignId=prepared["id"], startNow=True)
    print("sent", sent["id"], sent["status"])

    analysis = client.upload("clients", LIST)
    print("list", analysis["id"], analysis["validNumberMOBILE"], "valid of", analysis["size"])
    by_list = client.inject(
        listsId=[analysis["id"]], msg="Hello ${FIRSTNAME}, ref ${REF}", typeSelect="NOTIFICATION", startNow="TRUE"
    )

    when = datetime.now(timezone.utc) + timedelta(hours=2)
    later = client.inject(
        listsId=[analysis["id"]], msg="See you soon, ${FIRSTNAME}", typeSelect="NOTIFICATION", startNow=True,
        scheduleOn=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )  # fmt: skip
    cancelled = client.call("PUT", f"/campaigns/{later['id']}/cancel")
    print("scheduled", later["status"], "then cancelled:", cancelled["status"])

    client.call("POST", "/blacklist", {"item": "+33632545313", "typeItem": "MOBILE", "createdDescription": "In-store complaint"})
    print("blacklist", [entry["item"] for entry in client.call("GET", "/blacklist")])

    for _ in range(60):  # the network answers when it answers
        rows = client.call("GET", f"/campaigns/reportjson/{by_list['id']}")
        if all(row["STATUS_CODE"] not in ("1", "9", "24") for row in rows):
            break
        time.sleep(1)
    print("report", [(row["INT_MOBILE"], row["STATUS_CODE"], row["STATUS_TEXT"]) for row in rows])
    print(client.text(f"/campaigns/report/{sent['id']}?details=REF").splitlines()[0])

    today = datetime.now().strftime("%Y-%m-%d")
    search = urllib.parse.quote("item==0632545312")
    found = client.call("GET", f"/campaigns/reportjson/?from={today}&search={search}")
    print("period", [row["INT_MOBILE"] for row in found])


if __name__ == "__main__":
    main(*sys.argv[1:4])
