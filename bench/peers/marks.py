"""Counts the figures of a peer's Parquet file and tells some of them, as ticker,t,vwap.

    marks.py PARQUET STEP
"""

import sys

import duckdb

path, step = sys.argv[1], int(sys.argv[2])
rows = duckdb.sql(f"select ticker, t, vwap::varchar from '{path}' order by ticker, t").fetchall()
print(len(rows))
for ticker, t, vwap in rows[::step]:
    print(f"{ticker},{t},{vwap}")
