"""Prints an orders file of COUNT rows for `tributary import orders`: one order a minute, every fourth customer comes again."""

import csv
import datetime
import sys


def main(count: int) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["external_id", "placed_at", "currency", "total", "customer_id"])
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    for number in range(count):
        placed_at = now - datetime.timedelta(minutes=count - number)
        total = f"{10 + number % 490}.{number % 100:02}"
        customer = number - 3 if number % 4 == 3 else number
        rows.writerow([f"import-{number}", placed_at.isoformat(), "GBP", total, f"customer-{customer}"])


main(int(sys.argv[1]))
