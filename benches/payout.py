#!/usr/bin/env python3
"""Fills a store with a month of commissions, by SQL alone: copies of the one order that is in it.

usage: payout.py DATABASE COMMISSIONS PARTNERS PERIOD released|held      DATABASE: a file of SQLite, or postgres://…
       payout.py DATABASE payees METHOD         every line of the only run is paid by METHOD: to measure its file

The orders lie in the first ten days of the month, their holds of 14 days end in it, and each partner has as many of them.
`released`: the clockwork has released what was held; `held`: it has not.
"""

import datetime
import json
import sqlite3
import subprocess
import sys

BANK = {
    "method": "bank_ru", "country": "RU", "kind": "sole_trader", "account": "40802810100000005678", "bik": "044525974",
    "inn": "005826107187",
}
METHODS = {
    "bank_ru": ("RUB", BANK),
    "sepa": ("EUR", {"method": "sepa", "iban": "DE36210501700024690959"}),
    "paypal": ("EUR", {"method": "paypal"}),
    "wise": ("EUR", {"method": "wise"}),
}


class Store:
    """Runs SQL in one transaction on either database."""

    def __init__(self, database):
        self.postgres = database.startswith("postgres")
        self.url = database
        self.script = []
        if not self.postgres:
            self.store = sqlite3.connect(database, isolation_level=None)
            self.store.execute("PRAGMA synchronous = OFF")
            self.store.execute("PRAGMA cache_size = -400000")
            self.store.execute("PRAGMA foreign_keys = OFF")
            self.store.execute("BEGIN")

    def columns(self, table):
        if not self.postgres:
            return [row[1] for row in self.store.execute(f"PRAGMA table_info({table})")]
        sql = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        answer = subprocess.run(["psql", "--quiet", "--tuples-only", "--no-align", self.url, "--command", sql], capture_output=True, text=True, check=True)
        return answer.stdout.split()

    def run(self, sql):
        if self.postgres:
            self.script.append(sql + ";")
        else:
            self.store.execute(sql)

    def copy(self, table, count, where, **changed):
        """Copies a row `count` times; `changed` are the columns that differ, by the number `i`."""
        columns = [name for name in self.columns(table) if changed.get(name) != "default"]
        values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
        numbers = f"GENERATE_SERIES(1, {count}) AS n(i)" if self.postgres else "n"
        prefix = "" if self.postgres else f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) "
        system = " OVERRIDING SYSTEM VALUE" if self.postgres and "id" in columns else ""
        self.run(f"INSERT INTO {table} ({', '.join(columns)}){system} {prefix}SELECT {values} FROM {table} t, {numbers} WHERE {where} ORDER BY n.i")

    def end(self):
        if self.postgres:
            settings = ["SET synchronous_commit = off;", "SET maintenance_work_mem = '512MB';", "SET session_replication_role = replica;", "BEGIN;"]
            script = [*settings, *self.script, "COMMIT;", "VACUUM ANALYZE;"]
            subprocess.run(["psql", "--quiet", "--set", "ON_ERROR_STOP=1", self.url], input="\n".join(script), text=True, check=True, stdout=subprocess.DEVNULL)
        else:
            self.store.execute("COMMIT")
            self.store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.store.execute("PRAGMA optimize = 0x10002")
            self.store.close()


def fill(database, commissions, partners, period, released):
    store = Store(database)
    year, month = map(int, period.split("-"))
    first = datetime.datetime(year, month, 1, tzinfo=datetime.timezone.utc)
    step = 10 * 86_400_000_000 // commissions
    placed = int(first.timestamp()) * 1_000_000
    if store.postgres:
        at = lambda days: f"(TIMESTAMPTZ 'epoch' + ({placed} + CAST(n.i AS BIGINT) * {step}) * INTERVAL '1 microsecond' + INTERVAL '{days} days')"
        day = lambda days: f"CAST({at(days)} AT TIME ZONE 'Europe/Moscow' AS DATE)"
    else:
        at = lambda days: f"({placed + days * 86_400_000_000} + n.i * {step})"
        day = lambda days: f"DATE({at(days)} / 1000000 + 10800, 'unixepoch')"
    payout = json.dumps(BANK, ensure_ascii=False)
    payout = f"CAST('{payout}' AS JSONB)" if store.postgres else f"'{payout}'"
    partner = f"2 + n.i % {partners}"
    store.copy("partners", partners, "t.id = 1", id="1 + n.i", external_id="NULL", name="'ИП Партнёр ' || n.i",
               email="'p' || n.i || '@blog.example'", email_hash="NULL", payout=payout)
    store.copy("partner_statuses", partners, "t.partner_id = 1", partner_id="1 + n.i")
    store.copy("orders", commissions, "t.id = 1", id="1 + n.i", external_id="'B-' || n.i", placed_at=at(0), day=day(0))
    store.copy("payable_decisions", commissions, "t.order_id = 1", order_id="1 + n.i", partner_id=partner, basis="NULL")
    state = "'approved'" if released else "'pending'"
    store.copy("commissions", commissions, "t.id = 1", id="1 + n.i", order_id="1 + n.i", partner_id=partner, hold_until=at(14),
               period=f"'{period}'", state=state)
    more = {"hash": "NULL"} if "hash" in store.columns("journals") else {}
    store.copy("journals", commissions, "t.id = 1", id="1 + n.i", order_id="1 + n.i", commission_id="1 + n.i", at=at(0), day=day(0), **more)
    whose = f"CASE WHEN t.partner_id IS NOT NULL THEN {partner} END"
    store.copy("ledger_entries", commissions, "t.journal_id = 1", id="default", journal_id="1 + n.i", partner_id=whose, day=day(0))
    if released:
        last = 1 + commissions
        store.copy("journals", commissions, "t.id = 1", id=f"{last} + n.i", kind="'released'", order_id="1 + n.i",
                   commission_id="1 + n.i", at=at(14), day=day(14), **more)
        store.copy("ledger_entries", commissions, "t.journal_id = 1", id="default", journal_id=f"{last} + n.i", partner_id=partner,
                   account="CASE WHEN t.account = 'held' THEN 'available' ELSE 'held' END", day=day(14))
    store.run("DELETE FROM settings WHERE key = 'ledger_chained'")
    if store.postgres:
        for table in ("partners", "orders", "commissions", "journals"):
            store.run(f"SELECT SETVAL(PG_GET_SERIAL_SEQUENCE('{table}', 'id'), (SELECT MAX(id) FROM {table}))")
    store.end()


def pay_by(database, method):
    currency, payout = METHODS[method]
    store = Store(database)
    text = json.dumps(payout)
    store.run(f"UPDATE payout_runs SET currency = '{currency}'")
    store.run(f"UPDATE payout_run_lines SET partner_name = 'Partner ' || partner_id, payout = " + (f"CAST('{text}' AS JSONB)" if store.postgres else f"'{text}'"))
    store.run("DELETE FROM payout_exports")
    store.end()


if __name__ == "__main__":
    if sys.argv[2] == "payees":
        pay_by(sys.argv[1], sys.argv[3])
    else:
        fill(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5] == "released")
