"""A shop of random orders: four programs under four policies, 300 partners, every kind of rule that a file can meet.

usage: random_orders.py programs HOST:PORT API_KEY     what files cannot make: programs and rules
       random_orders.py files FOLDER ORDERS            partners, promo codes, touches, orders and refunds as CSV
"""

import csv
import datetime
import random
import sys

from api import connect, poster

PARTNERS = 300
POLICIES = {"Books": "promo_then_last_click", "Tools": "split_linear", "Toys": "first_click", "Wine": "lifetime"}
PROGRAMS = list(POLICIES)
RULES = [
    {"percent": "10"},
    {"percent": "15", "group": "Gold"},
    {"percent": "12.5", "customer": "new", "minimum": "20.00", "maximum": "900.00"},
    {"kind": "bonus", "fixed": "50.00", "customer": "new"},
    {"kind": "second_tier", "percent": "5"},
]
TIERS = {"by": "revenue", "mode": "marginal", "steps": [{"from": "0", "percent": "4"}, {"from": "20000", "percent": "6"}, {"from": "90000", "percent": "9"}]}
START = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
MINUTES = 2 * 365 * 24 * 60


def post_programs(address, key):
    post = poster(connect(address), key)
    for name, policy in POLICIES.items():
        post("/v1/programs", {"name": name, "currency": "RUB", "destination_hosts": ["shop.example"], "credit_policy": policy})
        for rule in RULES:
            post("/v1/commission-rules", {"program": name, **rule})
        tiers = {"program": name, "group": "Silver", "tiers": TIERS}
        post("/v1/commission-rules", tiers)


def at(minute, seconds=0):
    return (START + datetime.timedelta(minutes=minute, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(minor):
    return f"{minor // 100}.{minor % 100:02}"


def write_files(folder, count):
    """Orders lie in two years; two in five buyers have touches, some several, some after the order."""
    chance = random.Random(20240101)

    def table(name, header):
        file = open(f"{folder}/{name}.csv", "w", newline="", encoding="utf-8")
        rows = csv.writer(file)
        rows.writerow(header)
        return rows

    partners = table("partners", ["name", "email", "external_id", "kind", "status", "group", "payout_method"])
    codes = table("promo-codes", ["code", "program", "partner", "discount_percent", "starts_at", "max_uses"])
    for number in range(PARTNERS):
        group = ["", "Gold", "Silver"][number % 3]
        partners.writerow([f"Partner {number}", f"p{number}@blog.example", f"partner-{number}", "affiliate", "approved", group, "manual"])
        if number < 60:
            uses = 50 if number % 10 == 0 else ""
            codes.writerow([f"CODE{number}", PROGRAMS[number % 4], f"partner-{number}", "10", at(0), uses])

    touches = table("touches", ["id", "at", "visitor_id", "kind", "url", "partner", "program"])
    orders = table("orders", ["external_id", "placed_at", "currency", "total", "tax", "shipping", "discount", "status", "customer_id", "customer_email", "visitor_id", "promo_codes"])
    refunds = table("refunds", ["order", "refund_id", "amount", "refunded_at"])
    customers = max(1, count * 7 // 10)
    placed = sorted(chance.randrange(60 * 24 * 35, MINUTES) for _ in range(count))
    clicks = []
    for number, minute in enumerate(placed):
        customer = chance.randrange(customers)
        # Some browsers are used by two customers, and some customers have two.
        visitor = f"visitor-{customer // 2 if chance.random() < 0.02 else customer}{'b' if chance.random() < 0.1 else ''}"
        if chance.random() < 0.35:
            for _ in range(chance.choice([1, 1, 1, 2, 3])):
                clicks.append((max(0, minute - chance.randrange(-600, 60 * 24 * 40)), visitor))
        total = chance.randrange(100, 2_000_000)
        status = chance.choices(["approved", "pending", "cancelled"], [96, 2, 2])[0]
        code = f"CODE{chance.randrange(60)}" if chance.random() < 0.02 else ""
        shipping = chance.choice([0, 0, min(total // 3, 30000)])
        orders.writerow([
            f"N-{number}", at(minute), "RUB", money(total), money(total // 6), money(shipping), money(chance.choice([0, total // 9])),
            status, f"customer-{customer}", f"buyer{customer}@mail.example" if chance.random() < 0.7 else "", visitor, code,
        ])
        if status == "approved" and chance.random() < 0.03:
            parts = chance.choice([1, 1, 2])
            for part in range(parts):
                amount = total if parts == 1 and chance.random() < 0.3 else chance.randrange(1, total // parts + 1)
                refunds.writerow([f"N-{number}", f"refund-{part}", money(amount), at(minute + 60 * 24 * chance.randrange(1, 60), part)])
    for number, (minute, visitor) in enumerate(sorted(clicks)):
        partner = chance.randrange(PARTNERS)
        channel = ["", "?utm_source=yandex&utm_medium=cpc&utm_campaign=brand", "?utm_source=vk&utm_medium=social"][number % 3]
        owner = (f"partner-{partner}", PROGRAMS[partner % 4]) if chance.random() < 0.7 else ("", "")
        touches.writerow([f"touch-{number}", at(minute, number % 60), visitor, "click", f"https://shop.example/{channel}", *owner])


if sys.argv[1] == "programs":
    post_programs(sys.argv[2], sys.argv[3])
else:
    write_files(sys.argv[2], int(sys.argv[3]))
