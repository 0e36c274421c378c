"""What the benches' Python shares: posting to the API."""

import http.client
import json


def poster(connection, key):
    """A function that posts a body to a path over a connection, and answers what was made; anything else ends the program."""

    def post(path, body):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise SystemExit(f"{path}: {answer.status} {text[:500]!r}")
        return json.loads(text)

    return post


def connect(address):
    return http.client.HTTPConnection(address, timeout=60)
