"""Posts COUNT orders to a running Tributary over THREADS kept-alive connections and prints how many a second it took.

usage: orders.py LABEL HOST:PORT API_KEY COUNT THREADS
"""

import datetime
import http.client
import json
import statistics
import sys
import threading
import time


def body_of(number: int) -> bytes:
    placed_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    order = {
        "external_id": f"bench-{number}",
        "placed_at": placed_at,
        "currency": "GBP",
        "total": "100.00",
        "customer": {"id": f"customer-{number}"},
    }
    return json.dumps(order).encode()


def post_all(address: str, key: str, numbers: range, times_ms: list[float], failures: list[str]) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        for number in numbers:
            start = time.perf_counter()
            connection.request("POST", "/v1/orders", body_of(number), headers)
            answer = connection.getresponse()
            text = answer.read()
            times_ms.append((time.perf_counter() - start) * 1000)
            if answer.status != 201:
                failures.append(f"{answer.status} {text[:300]!r}")
    except (OSError, http.client.HTTPException) as error:
        failures.append(f"connection: {error!r}")
    finally:
        connection.close()


def main(label: str, address: str, key: str, count: int, threads: int) -> None:
    times_ms: list[float] = []
    failures: list[str] = []
    workers = [
        threading.Thread(target=post_all, args=(address, key, range(first, count, threads), times_ms, failures))
        for first in range(threads)
    ]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start
    if failures:
        print(f"orders, {label}: {len(failures)} answers were not 201, the first: {failures[0]}")
    if len(times_ms) > 1:
        p99 = statistics.quantiles(times_ms, n=100)[98]
        print(
            f"orders, {label}: {len(times_ms)} in {seconds:.2f} s = {len(times_ms) / seconds:,.0f}/s"
            f" ({threads} connections; median {statistics.median(times_ms):.2f} ms, p99 {p99:.2f} ms)"
        )


main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
