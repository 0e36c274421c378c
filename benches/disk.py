"""Prints the disk's own price of durability: the median time to append 4 KiB to a file in FOLDER and sync it."""

import os
import statistics
import sys
import time

ROUNDS = 500


def main(folder: str) -> None:
    path = os.path.join(folder, "disk-probe")
    times_ms = []
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(ROUNDS):
            start = time.perf_counter()
            os.write(file, bytes(4096))
            os.fdatasync(file)
            times_ms.append((time.perf_counter() - start) * 1000)
    finally:
        os.close(file)
        os.unlink(path)
    p99 = statistics.quantiles(times_ms, n=100)[98]
    print(f"disk: append 4 KiB + fdatasync, median {statistics.median(times_ms):.3f} ms, p99 {p99:.3f} ms")


main(sys.argv[1])
