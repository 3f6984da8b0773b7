"""A tape file to the VWAP of every ticker at every mark, by Polars or DuckDB, in
floats or exactly. One bucket per ticker and second first, then windows over the
buckets: the quickest way we know of in each. Columns are typed, nothing else is
read, and the result is written as Parquet, their quickest format.

    batch.py polars|polars_i128|duckdb|duckdb_decimal TAPE OUT FIRST_MS SECONDS WINDOW_SECONDS
"""

import resource
import sys

PEER, TAPE, OUT = sys.argv[1:4]
FIRST, SECONDS, WINDOW = map(int, sys.argv[4:7])
LAST = FIRST + 1000 * SECONDS


def with_polars(exact):
    import polars as pl

    number = pl.Decimal(18, 8) if exact else pl.Float64
    types = {"ticker": pl.String, "ts": pl.Int64, "quantity": number, "price": number, "tradeid": pl.String}
    tape = pl.scan_csv(TAPE, schema=types)
    price, quantity = pl.col("price"), pl.col("quantity")
    if exact:  # whole numbers: a product of decimals would be rounded
        price, quantity = (column.to_physical().cast(pl.Int128) for column in (price, quantity))
    mark = ((pl.col("ts") + 999) // 1000 * 1000).alias("t")
    buckets = tape.group_by("ticker", mark).agg(
        notional=(price * quantity).sum(), volume=quantity.sum(), trades=pl.len().cast(pl.Int64)
    )
    marks = pl.LazyFrame({"t": pl.int_range(FIRST + 1000, LAST + 1, 1000, eager=True)})
    every = buckets.select(pl.col("ticker").unique()).join(marks, how="cross")
    every = every.join(buckets, on=["ticker", "t"], how="left").sort("ticker", "t")
    if exact:
        total = lambda name: pl.col(name).fill_null(0).cum_sum().over("ticker")
        window = lambda name: pl.col(name) - pl.col(name).shift(WINDOW).over("ticker").fill_null(0)
        sums = every.with_columns(notional=total("notional"), volume=total("volume"))
        sums = sums.with_columns(notional=window("notional"), volume=window("volume")).filter(pl.col("volume") > 0)
        vwap = pl.col("notional").cast(pl.Float64) / pl.col("volume").cast(pl.Float64) / 1e8
    else:
        window = lambda name: pl.col(name).fill_null(0).rolling_sum(WINDOW, min_samples=1).over("ticker")
        sums = every.with_columns(notional=window("notional"), volume=window("volume"), trades=window("trades"))
        sums = sums.filter(pl.col("trades") > 0)
        vwap = pl.col("notional") / pl.col("volume")
    sums.select("ticker", "t", vwap=vwap).collect().write_parquet(OUT)


def with_duckdb(exact):
    import duckdb

    number = "decimal(18, 8)" if exact else "double"
    product = "price::decimal(20, 8) * quantity" if exact else "price * quantity"
    duckdb.connect().execute(f"""
        copy (
            with buckets as (
                select ticker, (ts + 999) // 1000 * 1000 as t, sum({product}) as notional, sum(quantity) as volume, count(*) as trades
                from read_csv('{TAPE}', header = true, columns = {{
                    'ticker': 'varchar', 'ts': 'bigint', 'quantity': '{number}', 'price': '{number}', 'tradeid': 'varchar'}})
                group by all
            ),
            marks as (select unnest(range({FIRST} + 1000, {LAST} + 1, 1000)) as t),
            every as (
                select names.ticker, marks.t, notional, volume, trades
                from (select distinct ticker from buckets) names cross join marks
                left join buckets on buckets.ticker = names.ticker and buckets.t = marks.t
            ),
            windows as (
                select ticker, t, sum(notional) over w as notional, sum(volume) over w as volume, sum(trades) over w as trades
                from every
                window w as (partition by ticker order by t rows between {WINDOW - 1} preceding and current row)
            )
            select ticker, t, notional / volume as vwap from windows where trades > 0
        ) to '{OUT}' (format parquet)""")


{
    "polars": lambda: with_polars(False),
    "polars_i128": lambda: with_polars(True),
    "duckdb": lambda: with_duckdb(False),
    "duckdb_decimal": lambda: with_duckdb(True),
}[PEER]()
print('{"peak_mib": %f}' % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
