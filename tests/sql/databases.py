"""Databases that score the rows of a table by a statement. All rows have a column `row id`."""

import datetime
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from pathlib import Path


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Connected:
    """A database that a connection of Python runs statements in."""

    def score(self, statement: str, columns: list[str]) -> list[tuple]:
        found = ", ".join(quoted(name) for name in columns)
        return self.connection.execute(f"SELECT {found} FROM (\n{statement}) AS s ORDER BY \"row id\"").fetchall()

    def change_type(self, name: str, kind: str, value: str) -> None:
        """Makes a column one of another type, with the same value in all rows."""
        self.connection.execute(f"ALTER TABLE scored DROP COLUMN {quoted(name)}")
        self.connection.execute(f"ALTER TABLE scored ADD COLUMN {quoted(name)} {kind}")
        self.connection.execute(f"UPDATE scored SET {quoted(name)} = {value}")

    def close(self) -> None:
        self.connection.close()


class DuckDb(Connected):
    """DuckDB, which also writes the Parquet file that ordinate predicts."""

    # Types that the features of this type must not have, with a value that a cast would read as another one.
    other_types = {
        "double": [("VARCHAR", "'1_5'"), ("BOOLEAN", "true")],
        "long": [("VARCHAR", "'1_5'"), ("BOOLEAN", "true")],
        "boolean": [("VARCHAR", "'yes'"), ("BIGINT", "7")],
        "date": [("VARCHAR", "'2024-01-01T03:00:00+05:00'"), ("BIGINT", "7")],
    }
    name = "duckdb"
    table = "scored"

    def __init__(self) -> None:
        import duckdb

        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def load(self, names: list[str], types: list[str], rows: list[list], parquet: Path) -> None:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in zip(names, types))
        self.connection.execute(f"CREATE OR REPLACE TABLE scored (\"row id\" BIGINT, {columns})")
        places = ", ".join("?" * (len(names) + 1))
        self.connection.executemany(f"INSERT INTO scored VALUES ({places})", [[id, *row] for id, row in enumerate(rows)])
        self.connection.execute(f"COPY scored TO '{parquet}' (FORMAT parquet)")


class Sqlite(Connected):
    """SQLite of Python: booleans are 1 and 0, dates are text."""

    other_types = {
        "double": [("TEXT", "'1.5'"), ("TEXT", "'1_5'")],
        "long": [("TEXT", "'7'")],
        "boolean": [("TEXT", "'yes'"), ("INTEGER", "7")],
        "date": [("TEXT", f"'{value}'") for value in (
            "2023-02-29", "2024-02-30", "2024-04-31T10:00:00", "1900-02-29", "2024-12-31T24:00:00", "2024-02-30T10:00:00+05:00",
            "2024-13-01", "12:00:00", "now", "2460310.5")] + [("INTEGER", "2460310")],
    }
    name = "sqlite"
    table = "scored"

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")

    def load(self, names: list[str], types: list[str], rows: list[list], parquet: Path) -> None:
        affinity = {"BOOLEAN": "INTEGER", "VARCHAR": "TEXT", "DOUBLE": "REAL", "BIGINT": "INTEGER", "DATE": "TEXT",
                    "TIMESTAMP": "TEXT"}
        columns = ", ".join(f"{quoted(name)} {affinity[kind]}" for name, kind in zip(names, types))
        self.connection.execute("DROP TABLE IF EXISTS scored")
        self.connection.execute(f"CREATE TABLE scored (\"row id\" INTEGER, {columns})")
        places = ", ".join("?" * (len(names) + 1))
        text = lambda value: value.isoformat() if isinstance(value, datetime.date) else value
        self.connection.executemany(
            f"INSERT INTO scored VALUES ({places})", [[id, *map(text, row)] for id, row in enumerate(rows)]
        )


class Postgres(Connected):
    """A PostgreSQL server of its own in a temporary folder."""

    other_types = {
        "double": [("text", "'1.5'"), ("boolean", "true")],
        "long": [("text", "'1.5'"), ("boolean", "true")],
        "boolean": [("text", "'yes'"), ("bigint", "7")],
        "date": [("text", "'2024-01-01T03:00:00+05:00'"), ("bigint", "7")],
    }
    name = "postgres"
    table = "scored"

    def __init__(self) -> None:
        import psycopg

        folders = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
        path = os.pathsep.join([os.environ["PATH"], *folders])
        initdb, server = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
        if not initdb or not server:
            raise SystemExit("PostgreSQL is not installed. On Debian: apt-get install -y postgresql")
        # The server does not run as root.
        user = "postgres" if os.getuid() == 0 else None
        self.folder = tempfile.mkdtemp()
        if user:
            shutil.chown(self.folder, user)
        data = f"{self.folder}/data"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run([initdb, "--pgdata", data, *options], check=True, capture_output=True, user=user, cwd="/")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [server, "-D", data, "-k", self.folder, "-p", str(port), "-h", "127.0.0.1", "-c", "fsync=off"]
        self.server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/")
        address = f"host=127.0.0.1 port={port} user=postgres dbname=postgres options='-c timezone=UTC'"
        for attempt in range(100):
            try:
                self.connection = psycopg.connect(address, autocommit=True)
                break
            except psycopg.OperationalError:
                if attempt == 99:
                    raise
                self.server.poll()
                __import__("time").sleep(0.1)

    def load(self, names: list[str], types: list[str], rows: list[list], parquet: Path) -> None:
        of = {"BOOLEAN": "boolean", "VARCHAR": "text", "DOUBLE": "double precision", "BIGINT": "bigint", "DATE": "date",
              "TIMESTAMP": "timestamp"}
        columns = ", ".join(f"{quoted(name)} {of[kind]}" for name, kind in zip(names, types))
        self.connection.execute("DROP TABLE IF EXISTS scored")
        self.connection.execute(f"CREATE TABLE scored (\"row id\" bigint, {columns})")
        with self.connection.cursor() as cursor, cursor.copy("COPY scored FROM STDIN") as copy:
            for id, row in enumerate(rows):
                copy.write_row([id, *row])

    def close(self) -> None:
        super().close()
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Spark:
    """Spark in this process, with the rows of the Parquet file. The time zone of the session must not matter, nor whether
    timestamps have one: those of DuckDB have none."""

    # Spark casts texts.
    other_types = {}
    name = "spark"
    table = "scored"

    def __init__(self) -> None:
        from pyspark.sql import SparkSession

        # 3:30 hours behind UTC, with daylight saving time.
        builder = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "America/St_Johns")
        builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        self.session = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")

    def load(self, names: list[str], types: list[str], rows: list[list], parquet: Path) -> None:
        self.views = []
        for without_zone in ["true", "false"] if "TIMESTAMP" in types else ["true"]:
            self.session.conf.set("spark.sql.parquet.inferTimestampNTZ.enabled", without_zone)
            self.views.append(self.session.read.parquet(str(parquet)))

    def score(self, statement: str, columns: list[str]) -> list[tuple]:
        tick = lambda name: "`" + name.replace("`", "``") + "`"
        results = []
        for view in self.views:
            view.createOrReplaceTempView("scored")
            scored = self.session.sql(statement)
            results.append([tuple(row) for row in scored.select(*map(tick, columns)).orderBy(tick("row id")).collect()])
        if any(result != results[0] for result in results):
            raise ValueError("timestamps with and without a time zone have other predictions")
        return results[0]

    def close(self) -> None:
        self.session.stop()


ALL = {database.name: database for database in (DuckDb, Sqlite, Postgres, Spark)}
