"""Starts a server again and again and prints the time until /healthz answers, and the memory it holds at rest.

usage: startup.py HOST:PORT COMMAND…
"""

import http.client
import statistics
import subprocess
import sys
import time

STARTS = 5
LIMIT_S = 30
REST_S = 3


def answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def resident_mib(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise SystemExit("startup: /proc has no VmRSS")


def start_once(address: str, command: list[str], rest_s: float) -> tuple[float, float]:
    start = time.perf_counter()
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(address):
            if server.poll() is not None:
                raise SystemExit(f"startup: the server ended with exit code {server.returncode}")
            if time.perf_counter() - start > LIMIT_S:
                raise SystemExit(f"startup: no answer within {LIMIT_S} s")
            time.sleep(0.001)
        elapsed_ms = (time.perf_counter() - start) * 1000
        time.sleep(rest_s)
        return elapsed_ms, resident_mib(server.pid)
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def main(address: str, command: list[str]) -> None:
    first_ms, _ = start_once(address, command, 0)
    later = [start_once(address, command, REST_S if start == 0 else 0) for start in range(STARTS)]
    later_ms = [elapsed_ms for elapsed_ms, _ in later]
    print(f"start-up: {first_ms:.0f} ms until /healthz on a fresh store, then median {statistics.median(later_ms):.0f} ms")
    print(f"memory at rest: {later[0][1]:.1f} MiB resident, {REST_S} s after the start")


main(sys.argv[1], sys.argv[2:])
