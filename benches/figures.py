"""Keeps the figures of rounds and prints what follows from them.

usage: figures.py note FILE LABEL CPU_US      reads a line of JSON from load --json, adds it to FILE, prints it in words
       figures.py median FIELD FILE           the median of a field over the rounds of a file
       figures.py conserved FILE STORED       acknowledged minus stored; a request without an answer may be stored or not
       figures.py table FILE                  the table; FILE has a row a line, its cells separated by tabs
"""

import json
import statistics
import sys

HEAD = ["work", "ours", "reference", "ratio", "target"]


def note(path: str, label: str, cpu_us: str) -> None:
    round_ = json.load(sys.stdin)
    round_["cpu_us"] = float(cpu_us) / max(round_["acknowledged"], 1)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(round_) + "\n")
    unexpected = {status: count for status, count in round_["statuses"].items() if int(status) >= 400}
    trouble = [f"{count} × {status}" for status, count in unexpected.items()]
    trouble += [f"{round_[name]} {name}" for name in ("broken", "unanswered", "unsent") if round_[name]]
    print(
        f"{label:<34} {round_['rate']:>9,.0f}/s  p50 {round_['p50_ms']:.3f}  p99 {round_['p99_ms']:.3f}"
        f"  p99.9 {round_['p999_ms']:.3f} ms  {round_['cpu_us']:.1f} µs CPU a request  {', '.join(trouble)}".rstrip(),
        flush=True,
    )


def median(field: str, path: str) -> None:
    with open(path, encoding="utf-8") as file:
        print(statistics.median(json.loads(line)[field] for line in file))


def conserved(path: str, stored: str) -> None:
    with open(path, encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    acknowledged = sum(round_["acknowledged"] for round_ in rounds)
    unanswered = sum(round_["unanswered"] for round_ in rounds)
    missing = max(0, acknowledged - int(stored)) - max(0, int(stored) - acknowledged - unanswered)
    print(f"{missing}, of {acknowledged} acknowledged, {unanswered} unanswered and {stored} stored")


def table(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        rows = [HEAD] + [(line.rstrip("\n").split("\t") + [""] * 5)[:5] for line in file]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:4], widths[1:])] + [row[4]]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


{"note": note, "median": median, "conserved": conserved, "table": table}[sys.argv[1]](*sys.argv[2:])
