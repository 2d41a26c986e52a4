#!/usr/bin/env python3
"""Grows the usage of a journal.db to so many readings, with plain SQL: grow.py JOURNAL [READINGS]

Makes tokens of four generations each, whose readings are spread as two years of readings are kept: a fortnight of
every quarter of an hour, half a year of hours, the rest of days, and the sums of each day. The journal is one that keyturn has
made; what is in it stays."""

import sqlite3
import sys
import time

EACH = 14 * 96 + 169 * 24 + 547
QUARTER = 900_000


def main(path, wanted):
    db = sqlite3.connect(path)
    db.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")
    begun = time.time()
    meters = -(-wanted // EACH)
    now = int(time.time() * 1000)
    today = now // 86_400_000
    iso = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    with db:
        db.execute("CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 6000) SELECT i FROM n")
        db.execute(
            f"""INSERT OR IGNORE INTO token (name, environment, gateway, serial, failures, needs_person, current)
            SELECT printf('grown%04d', i), 'env' || (i % 5), (SELECT coalesce(min(gateway), 'laozhang') FROM token), 4, 0, 0,
                printf('grown%04d-4', i) FROM n WHERE i < ?""", (-(-meters // 4),))
        db.execute(
            f"""INSERT OR IGNORE INTO generation (gateway, name, token, state, intended_at, created_at, signature, foreign_ids, failures,
                needs_person)
            SELECT token.gateway, token.name || '-' || (i + 1), token.name, iif(i = 3, 'held', 'revoked'), {iso}, {iso}, '', '[]', 0, 0
            FROM token, n WHERE token.name LIKE 'grown%' AND i < 4""")
        db.execute(
            f"""INSERT OR IGNORE INTO meter (gateway, generation, token, currency, first_at, read_at, today, month, unconfirmed, largest,
                is_new, hourly_to, daily_to)
            SELECT gateway, name, token, 'USD', '2024-01-01 00:00:00.000', {iso}, 1000000000, 9000000000, 0, 100000000, 0, ?, ?
            FROM generation WHERE token LIKE 'grown%' LIMIT ?""",
            (now - 14 * 86_400_000, now - 183 * 86_400_000, meters))
        for number, in db.execute("SELECT number FROM meter WHERE token LIKE 'grown%'").fetchall():
            for count, step, age in [(14 * 96, QUARTER, 0), (169 * 24, 3_600_000, 14), (547, 86_400_000, 183)]:
                db.execute(
                    "INSERT OR IGNORE INTO reading SELECT ?1, ?2 - ?3 * i, i * 1000000, i * 3000000 FROM n WHERE i < ?4",
                    (number, now - age * 86_400_000, step, count))
        db.execute(
            """INSERT OR IGNORE INTO spent SELECT ? - i, number, 'env' || (number / 4 % 5), 1000000007 * (1 + (number + i) % 7)
            FROM meter, n WHERE token LIKE 'grown%' AND i < 730""", (today,))
    readings, = db.execute("SELECT count(*) FROM reading").fetchone()
    sums, = db.execute("SELECT count(*) FROM spent").fetchone()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(f"{readings} readings and {sums} sums of a day, of {meters} generations, in {time.time() - begun:.0f} s")


main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000)
