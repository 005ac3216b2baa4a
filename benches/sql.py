#!/usr/bin/env python3
"""Measures 1,000,000 rows of a Parquet file: SQL in DuckDB and Spark, and `ordinate predict`.

    .venv-sql/bin/python benches/sql.py target/cli/ordinate [ROWS]

Prints the median of three runs each, after one that is not counted; every run reads Parquet and writes Parquet. Needs the
packages of tools/sql.txt and tools/sql-servers.txt.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = """
SELECT *, age * 2 + score + visits + noise AS y FROM (SELECT random() * 10 AS noise, random() * 60 + 20 AS age, CASE WHEN random() < 0.05 THEN NULL ELSE random() * 1e5 END AS income,
  random() * 100 AS score, CAST(random() * 20 AS BIGINT) AS visits, random() < 0.3 AS smoker,
  chr(97 + CAST(floor(random() * 20) AS INTEGER)) AS region, DATE '2015-01-01' + CAST(random() * 3000 AS INTEGER) AS since
FROM range({rows}))
"""


def measure(name: str, run) -> None:
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    print(f"{name}: {statistics.median(seconds[1:]):.2f} s", flush=True)


def main() -> None:
    binary, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rows, model, out = folder / "rows.parquet", folder / "model.json", folder / "out.parquet"
        connection = duckdb.connect()
        connection.execute("SELECT setseed(0.5)")
        connection.execute(f"COPY ({ROWS.format(rows=count)}) TO '{rows}' (FORMAT parquet)")
        sample = folder / "sample.parquet"
        connection.execute(f"COPY (SELECT * FROM '{rows}' LIMIT 10000) TO '{sample}' (FORMAT parquet)")
        command = [binary, "train", str(sample), "--target", "y", "--exclude", "noise", "--missing-indicator", "--out", str(model)]
        subprocess.run(command, check=True, capture_output=True)
        export = lambda dialect, table: subprocess.run(
            [binary, "export", str(model), "--to", "sql", "--dialect", dialect, "--table", table],
            check=True, capture_output=True, text=True,
        ).stdout
        predict = [binary, "predict", str(model), str(rows), "--quiet", "--out", str(out)]
        measure("ordinate predict", lambda: subprocess.run(predict, check=True, capture_output=True))
        statement = export("duckdb", f"read_parquet('{rows}')")
        measure("DuckDB", lambda: connection.execute(f"COPY (\n{statement}) TO '{out}' (FORMAT parquet)"))

        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
        spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        spark.read.parquet(str(rows)).createOrReplaceTempView("rows")
        statement = export("spark", "rows")
        measure("Spark", lambda: spark.sql(statement).write.mode("overwrite").parquet(str(folder / "spark")))
        spark.stop()


if __name__ == "__main__":
    main()
