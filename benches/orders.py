"""Makes what an order is owed by: a program with a rule and a partner's link, and clicks through it. Prints their ids.

usage: orders.py HOST:PORT API_KEY CLICKS
"""

import sys
import time
import urllib.parse

from api import connect, poster

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


def main(address: str, key: str, clicks: int) -> None:
    connection = connect(address)
    post = poster(connection, key)
    program = post("/v1/programs", {"name": "Bench", "currency": "GBP", "destination_hosts": ["shop.example"]})["id"]
    partner = post("/v1/partners", {"name": "A partner", "email": "partner@shop.example", "kind": "affiliate", "status": "approved"})["id"]
    post("/v1/commission-rules", {"program": program, "on": "order", "percent": "10", "starts_at": "2020-01-01T00:00:00Z"})
    post("/v1/links", {"program": program, "partner": partner, "code": "bench", "url": "https://shop.example/"})

    def click(number: int) -> str | None:
        # Each from an address of its own: many from one are a burst, which is not paid for.
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        connection.request("GET", "/r/bench", headers={"User-Agent": BROWSER, "X-Forwarded-For": address})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 302:
            return None
        return urllib.parse.parse_qs(urllib.parse.urlsplit(answer.headers["Location"]).query)["trb_click"][0]

    for _ in range(100):
        if click(0):
            break
        time.sleep(0.1)
    for number in range(clicks):
        print(click(number))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
