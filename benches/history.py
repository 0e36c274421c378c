#!/usr/bin/env python3
"""Fills a store that `tributary migrate` made with two years of touches and orders, by SQL alone.

usage: history.py DATABASE TOUCHES ORDERS [PARTNERS]      DATABASE: a file of SQLite, or postgres://…

PARTNERS: touches have campaigns, devices and countries too, those of `affiliate` one of so many partners, who are in the store
with the program and rule 1; orders that end with one are owed to that partner, with a commission of a tenth; each campaign has
its cost every day.

Five touches a visitor on average, one in twenty marked, three in a hundred of nobody known; every order has the visitor and
customer id of its person, one person in ten orders twice, one in ten comes by two browsers.
"""

import random
import sqlite3
import subprocess
import sys
import uuid

CHANNELS = [
    ("organic_search", 30), ("paid_search", 20), ("direct", 15), ("email", 8), ("organic_social", 6), ("affiliate", 6),
    ("paid_social", 5), ("referral", 4), ("display", 2), ("messenger", 2), ("ai_assistant", 1), ("unassigned", 1),
]
IDENTIFIER = "kind value person_id proved customers".split()
START = 1_700_000_000
SPAN = 730 * 86_400
TOUCH = "id at day kind visitor_id customer_id channel partner_id mark mark_reason consent_denied".split()
ORDER = (
    "external_id status placed_at day currency total_minor tax_minor shipping_minor discount_minor items customer_id "
    "visitor_id promo_codes utm metadata person_id created_at updated_at"
).split()

names = [name for name, _ in CHANNELS]
shares = [share for _, share in CHANNELS]
rnd = random.Random(1)
PARTNERS = int(sys.argv[4]) if len(sys.argv) > 4 else 0
# Campaigns of a channel; with the others' few they make about a hundred origins.
CAMPAIGNS = {"paid_search": 40, "paid_social": 20, "email": 15, "display": 10, "affiliate": 5, "organic_social": 3}
SOURCES = {"paid_search": ("yandex", "cpc"), "paid_social": ("vk", "cpc"), "email": ("news", "email"), "display": ("rtb", "display"), "affiliate": ("blog", "affiliate"), "organic_social": ("vk", "social")}
ORIGINS = {}
if PARTNERS:
    TOUCH += ["origin_id", "device", "country"]
    for channel, count in CAMPAIGNS.items():
        for number in range(count):
            ORIGINS[channel, number] = (len(ORIGINS) + 1, *SOURCES[channel], f"{channel}-{number}")
DECISION = "order_id decided_at policy partner_id program_id via reason trace other_policies rules".split()
COMMISSION = (
    "kind order_id partner_id program_id rule_id rule_version period currency state amount_minor explanation hold_until needs_approval "
    "created_at updated_at"
).split()
COST = "day source medium campaign channel amount_minor currency impressions clicks".split()


def day_of(second):
    days = second // 86_400
    # Howard Hinnant's civil_from_days.
    z = days + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1_460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return f"{yoe + era * 400 + (month <= 2):04d}-{month:02d}-{doy - (153 * mp + 2) // 5 + 1:02d}"


days = {second: day_of(second) for second in range(START // 86_400 * 86_400, START + 2 * SPAN, 86_400)}


def history(touches, orders):
    """Yields ("touch", row), ("person", row), ("identifier", row) and ("order", row)."""
    visitors = touches // 5
    buyers = orders * 10 // 11
    every = max(1, visitors // buyers)
    picked = [names.index(name) for name in rnd.choices(names, shares, k=1 << 16)]
    left, number, person, order = touches, 0, 0, 0
    for channel, campaign in ORIGINS:
        ident, source, medium, name = ORIGINS[channel, campaign]
        yield "origin", (ident, str(uuid.UUID(int=ident)), source, medium, name)
        for second in range(START // 86_400 * 86_400, START + SPAN, 86_400):
            if channel.startswith("paid") or channel == "display":
                yield "cost", (days[second], source, medium, name, channel, rnd.randrange(10_000, 90_000), "RUB", rnd.randrange(500, 5_000), rnd.randrange(10, 90))
    while left > 0:
        number += 1
        first = START + rnd.randrange(SPAN)
        count = min(left, 1 + int(rnd.expovariate(1 / 4.5)))
        left -= count
        buys = number % every == 0 and person < buyers
        nobody = not buys and rnd.random() < 0.15
        stamp = first * 1_000 << 16 | number & 0xFFFF
        own = [str(uuid.UUID(int=stamp << 64 | 0x7 << 76 | rnd.getrandbits(60) | 1 << 63))]
        if buys and number % 10 == 0:
            own.append(str(uuid.UUID(int=rnd.getrandbits(128))))
        at = first
        for turn in range(count):
            at = first + (turn and rnd.randrange(40 * 86_400))
            micros = at * 1_000_000 + rnd.randrange(1_000_000)
            ident = uuid.UUID(int=(micros // 1_000 << 80) | (0x7 << 76) | (1 << 63) | rnd.getrandbits(62))
            marked = rnd.random() < 0.05
            channel = names[picked[rnd.getrandbits(16)]]
            partner = 1 + rnd.randrange(PARTNERS) if PARTNERS and channel == "affiliate" else None
            more = ()
            if PARTNERS:
                origin = ORIGINS.get((channel, rnd.randrange(CAMPAIGNS.get(channel, 1))))
                more = (origin and origin[0], "desktop" if number % 3 else "mobile", "RU" if number % 10 else "KZ")
            yield "touch", (
                ident, micros, days[at // 86_400 * 86_400], "click" if channel == "affiliate" else "visit",
                None if nobody else own[turn % len(own)], None, channel, partner, "bot" if marked else None, "name" if marked else None, 0, *more,
            )
        if not buys:
            continue
        person += 1
        yield "person", (person, first * 1_000_000)
        for visitor in own:
            yield "identifier", ("visitor", visitor, person, 1, 1)
        yield "identifier", ("customer", f"c{person}", person, 1, 1)
        for turn in range(2 if person % 10 == 0 else 1):
            placed = (at + 3_600 + turn * 20 * 86_400) * 1_000_000
            total = rnd.randrange(100, 900_000)
            yield "order", (
                f"H-{person}-{turn}", "approved", placed, days[placed // 86_400_000_000 * 86_400], "RUB", total, total // 6, 0, 0, "[]",
                f"c{person}", own[0], "[]", "{}", "{}", person, placed, placed,
            )
            order += 1
            if partner:
                # Its explanation is the least that can be read; nobody looks at it here.
                yield "decision", (order, placed, "last_touch", partner, 1, "click", "latest_click_in_window", "[]", "{}", "[]")
                yield "commission", ("order", order, partner, 1, 1, 1, days[placed // 86_400_000_000 * 86_400][:7], "RUB", "approved", total // 10, "{}", placed, 0, placed, placed)


COUNTED = """INSERT INTO touch_days (day, kind, channel, origin_id, link_id, partner_id, country, device, counted, not_counted)
    SELECT day, kind, channel, COALESCE(origin_id, 0), 0, COALESCE(partner_id, 0), COALESCE(country, ''), COALESCE(device, ''),
        COUNT(*) FILTER (WHERE mark IS NULL), COUNT(*) FILTER (WHERE mark IS NOT NULL)
    FROM touches GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"""
# SQLite's triggers keep it.
COST_MONTHS = """INSERT INTO cost_months SELECT TO_CHAR(day, 'YYYY-MM'), source, medium, campaign, channel, currency, SUM(amount_minor),
    SUM(impressions), SUM(clicks) FROM costs GROUP BY 1, 2, 3, 4, 5, 6"""
MARKED = "INSERT INTO stale_days (what, day) SELECT DISTINCT 'touches', day FROM touch_days UNION SELECT DISTINCT 'credit', day FROM orders"


def into_sqlite(path, rows):
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA synchronous = OFF")
    store.execute("PRAGMA cache_size = -400000")
    indexes = store.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('touches', 'orders', 'identifiers') AND sql IS NOT NULL").fetchall()
    triggers = store.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_credit'").fetchall()
    store.execute("BEGIN")
    for name, _ in indexes:
        store.execute(f"DROP INDEX {name}")
    for name, _ in triggers:
        store.execute(f"DROP TRIGGER {name}")
    def statement(table, columns):
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"

    statements = {
        "touch": statement("bulk", TOUCH),
        "person": statement("persons", ["id", "created_at"]),
        "identifier": statement("identifiers", IDENTIFIER),
        "order": statement("orders", ORDER),
        "origin": statement("origins", ["id", "hash", "source", "medium", "campaign"]),
        "cost": statement("costs", COST),
        "decision": statement("payable_decisions", DECISION),
        "commission": statement("commissions", COMMISSION),
    }
    # Touches lie in the order of their ids, which is that of time; they are made visitor by visitor.
    store.execute(f"CREATE TEMP TABLE bulk ({', '.join(TOUCH)})")
    waiting = {kind: [] for kind in statements}
    for kind, row in rows:
        batch = waiting[kind]
        if kind == "touch":
            row = (row[0].bytes, *row[1:])
        elif kind == "origin":
            row = (row[0], uuid.UUID(row[1]).bytes, *row[2:])
        batch.append(row)
        if len(batch) == 20_000:
            store.executemany(statements[kind], batch)
            batch.clear()
    for kind, batch in waiting.items():
        store.executemany(statements[kind], batch)
    store.execute(f"INSERT INTO touches ({', '.join(TOUCH)}) SELECT * FROM bulk ORDER BY id")
    store.execute("DROP TABLE bulk")
    if PARTNERS:
        store.execute(COUNTED)
    store.execute(MARKED)
    for _, sql in indexes + triggers:
        store.execute(sql)
    store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.execute("PRAGMA optimize = 0x10002")
    store.close()


def into_postgres(url, rows):
    files = {}
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        kinds = ("person", "identifier", "order", "origin", "cost", "decision", "commission", "touch")
        for kind in kinds:
            files[kind] = open(f"{folder}/{kind}", "w", encoding="utf-8")
        for kind, row in rows:
            files[kind].write("\t".join("\\N" if value is None else str(value) for value in row) + "\n")
        for file in files.values():
            file.close()
        def at(column):
            return f"TIMESTAMPTZ 'epoch' + {column} * INTERVAL '1 microsecond'"

        listed = {"touch": ("touches", TOUCH), "person": ("persons", ["id", "created_at"]), "identifier": ("identifiers", IDENTIFIER), "order": ("orders", ORDER), "origin": ("origins", ["id", "hash", "source", "medium", "campaign"]), "cost": ("costs", COST), "decision": ("payable_decisions", DECISION), "commission": ("commissions", COMMISSION)}
        casts = {"hash": "CAST(hash AS UUID)", "trace": "CAST(trace AS JSONB)", "other_policies": "CAST(other_policies AS JSONB)", "rules": "CAST(rules AS JSONB)", "explanation": "CAST(explanation AS JSONB)", "needs_approval": "needs_approval <> '0'", "id": "CAST(id AS UUID)", "day": "CAST(day AS DATE)", "consent_denied": "consent_denied <> '0'", "proved": "proved <> '0'", "items": "CAST(items AS JSONB)", "promo_codes": "CAST(promo_codes AS JSONB)", "utm": "CAST(utm AS JSONB)", "metadata": "CAST(metadata AS JSONB)"}
        # As a superuser may: whatever triggers would mark is marked in the end.
        script = ["SET session_replication_role = replica;", "SET synchronous_commit = off;", "SET work_mem = '256MB';", "SET maintenance_work_mem = '512MB';"]
        script.append("DO $$ DECLARE m DATE; BEGIN FOR m IN SELECT GENERATE_SERIES(DATE '2023-10-01', DATE '2026-06-01', INTERVAL '1 month') LOOP "
                      "IF TO_REGCLASS('touches_' || TO_CHAR(m, 'YYYY_MM')) IS NULL THEN EXECUTE FORMAT('CREATE TABLE touches_%s PARTITION OF touches FOR VALUES FROM (%L) TO (%L)', "
                      "TO_CHAR(m, 'YYYY_MM'), m || ' 00:00:00+00', (m + INTERVAL '1 month')::DATE || ' 00:00:00+00'); END IF; END LOOP; END $$;")
        for kind in kinds:
            table, columns = listed[kind]
            script.append(f"CREATE UNLOGGED TABLE bulk_{kind} ({', '.join(f'{c} TEXT' for c in columns)});")
            script.append(f"\\copy bulk_{kind} FROM '{folder}/{kind}'")
            chosen = []
            for column in columns:
                if column in ("at", "placed_at", "created_at", "updated_at", "decided_at", "hold_until"):
                    chosen.append(at(f"CAST({column} AS BIGINT)"))
                elif kind == "touch" and column == "id" or column in casts and column != "id":
                    chosen.append(casts[column])
                elif column.endswith("_minor") or column in ("id", "person_id", "partner_id", "customers", "origin_id", "order_id", "program_id", "rule_id", "rule_version", "impressions", "clicks"):
                    chosen.append(f"CAST({column} AS BIGINT)")
                else:
                    chosen.append(column)
            system = "OVERRIDING SYSTEM VALUE" if kind in ("person", "origin") else ""
            script.append(f"INSERT INTO {table} ({', '.join(columns)}) {system} SELECT {', '.join(chosen)} FROM bulk_{kind};")
            script.append(f"DROP TABLE bulk_{kind};")
        script += [COUNTED + ";", COST_MONTHS + ";"] if PARTNERS else []
        script.append(MARKED + ";")
        script.append("VACUUM ANALYZE;")
        subprocess.run(["psql", "--quiet", "--set", "ON_ERROR_STOP=1", url], input="\n".join(script), text=True, check=True)


if __name__ == "__main__":
    database, touches, orders = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    into = into_postgres if database.startswith("postgres") else into_sqlite
    into(database, history(touches, orders))
