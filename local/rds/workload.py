"""Work for a real server, like that of pgbench: transfers, look-ups, reports, mistakes, large and strange texts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from random import Random
from typing import Any, Final

_ACCOUNTS: Final = 200
# In a schema (PostgreSQL) or database (MariaDB) of their own.
_TABLES: Final = (
    "CREATE SCHEMA bank",
    "CREATE TABLE bank.accounts (id INT PRIMARY KEY, balance INT NOT NULL, note TEXT)",
    "CREATE TABLE bank.history (id INT PRIMARY KEY, account INT NOT NULL, delta INT NOT NULL, note TEXT)",
)
_OPEN: Final = "INSERT INTO bank.accounts VALUES (%s, %s, %s)"
_LOOK_UP: Final = "SELECT balance, note FROM bank.accounts WHERE id = %s"
_MOVE: Final = "UPDATE bank.accounts SET balance = balance + %s WHERE id = %s"
_RECORD: Final = "INSERT INTO bank.history VALUES (%s, %s, %s, %s)"
_REPORT: Final = """SELECT a.id, count(*) AS transfers,
       sum(h.delta) AS total
FROM bank.accounts a
    JOIN bank.history h ON h.account = a.id
-- the best customers; größte Kunden ☃
WHERE a.balance > %s
GROUP BY a.id
ORDER BY total DESC
LIMIT 10"""
_MEASURE: Final = "SELECT char_length(%s)"
_NOTES: Final = ("plain", "it's quoted", "größer €", "在庫あり 𝄞", "two\nlines", "CR\r\nLF", "back\\slash", "tab\there")

Connect = Callable[[], Any]


def prepare(connect: Connect) -> None:
    """Make the tables and fill them."""
    with closing(connect()) as connection:
        cursor = connection.cursor()
        for statement in _TABLES:
            cursor.execute(statement)
        cursor.executemany(_OPEN, [(number, 1000, _NOTES[number % len(_NOTES)]) for number in range(_ACCOUNTS)])
        connection.commit()


def work(connect: Connect, seed: int, transactions: int, *, clients: int = 2, large: int = 0) -> None:
    """Let clients do transactions at the same time, each over a connection of its own.

    Args:
        connect: Makes a connection.
        seed: The same seed, the same statements. Ids are taken from it: each works once, and is below 2,000.
        transactions: Of each client, at most 1,000.
        clients: How many, at most 1,000.
        large: Characters of a text that each client writes first; 0: none.
    """
    with ThreadPoolExecutor(clients) as pool:
        jobs = [pool.submit(_client, connect, seed * 1000 + client, transactions, large) for client in range(clients)]
    for job in jobs:
        job.result()


def _client(connect: Connect, number: int, transactions: int, large: int) -> None:
    draw = Random(number)  # noqa: S311 - a load
    with closing(connect()) as connection:
        cursor = connection.cursor()
        if large:
            cursor.execute(_MEASURE, ("x" * large,))
            cursor.fetchall()
        for transaction in range(transactions):
            account = draw.randrange(_ACCOUNTS)
            kind = draw.choices(("transfer", "look up", "report", "mistake"), (60, 30, 5, 5))[0]
            if kind == "transfer":
                delta = draw.randrange(-500, 500)
                cursor.execute(_MOVE, (delta, account))
                cursor.execute(_RECORD, (number * 1000 + transaction, account, delta, draw.choice(_NOTES)))
            elif kind == "mistake":
                with suppress(Exception):
                    cursor.execute(_OPEN, (account, 0, "twice"))
                connection.rollback()
            else:
                cursor.execute(_LOOK_UP if kind == "look up" else _REPORT, (account,))
                cursor.fetchall()
            connection.commit()
