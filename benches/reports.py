#!/usr/bin/env python3
"""Asks a service for its reports, and the database for the same over its raw rows; prints the median of several, in ms.

usage: reports.py ask ADDRESS KEY            one line a question: NAME<tab>MILLISECONDS
       reports.py raw DATABASE               DATABASE: a file of SQLite, or postgres://…
"""

import json
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request

QUARTER = "from=2025-06-01&to=2025-08-29"
YEARS = "from=2023-11-14&to=2025-11-13"
QUESTIONS = [
    ("channels, 90 days", f"channels?{QUARTER}"),
    ("channels, 90 days, source and campaign, linear", f"channels?{QUARTER}&model=linear&group_by=source,campaign"),
    ("channels, 90 days, markov", f"channels?{QUARTER}&model=markov"),
    ("channels, 90 days, one channel by campaign and device", f"channels?{QUARTER}&f=channel:is:paid_search&group_by=campaign,device"),
    ("channels, 90 days beside the 90 before", f"channels?{QUARTER}&cmp=prev"),
    ("channels, two years", f"channels?{YEARS}"),
    ("channels, two years, source and campaign, linear", f"channels?{YEARS}&model=linear&group_by=source,campaign"),
    ("channels, two years by month", f"channels?{YEARS}&group_by=month,channel"),
    ("partners, a month", "partners?from=2025-08-01&to=2025-08-31"),
]
RAW = """SELECT t.channel, COUNT(*) FILTER (WHERE t.mark IS NULL), COUNT(DISTINCT t.visitor_id) FROM touches t
    WHERE t.day >= '2025-06-01' AND t.day <= '2025-08-29' AND t.kind IN ('click', 'visit') GROUP BY t.channel"""


def median_of(times, act):
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1_000)
    return statistics.median(taken)


def ask(address, key):
    for name, question in QUESTIONS:
        request = urllib.request.Request(f"http://{address}/v1/reports/{question}", headers={"Authorization": f"Bearer {key}"})
        answered = []

        def act():
            answered.append(json.load(urllib.request.urlopen(request)))

        print(f"{name}\t{median_of(9, act):.1f}", flush=True)
        if not answered[-1]["data"]:
            sys.exit(f"{question} has no rows")


def raw(database):
    if database.startswith("postgres"):
        def act():
            subprocess.run(["psql", "--quiet", database, "--command", RAW], check=True, stdout=subprocess.DEVNULL)
    else:
        store = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

        def act():
            store.execute(RAW).fetchall()
    print(f"{median_of(3, act):.1f}")


if __name__ == "__main__":
    ask(sys.argv[2], sys.argv[3]) if sys.argv[1] == "ask" else raw(sys.argv[2])
