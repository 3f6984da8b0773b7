-- Writes final figures of marks of which nothing was said.
-- Looking first is far cheaper than asking Postgres to be ready for a conflict
-- at every row; the offset keeps it a look-up per row.
insert into vwap_history (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades,
    entry, link, final_watermark, is_validated, calculated_at, final_at
)
select $1, figure.*, true, $10, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[], $12::bytea[], $13::bigint[]
) as figure (
    ticker, interval, ts, price, volume, notional, trades, confirmed_trades, entry, link, final_watermark
)
where not exists (
    select from vwap_history as held
    where held.exchange = $1
        and held.ticker = figure.ticker
        and held.interval = figure.interval
        and held.ts = figure.ts
    offset 0
)
