-- Writes provisional figures, replacing provisional ones.
-- A figure that is final is never touched.
insert into vwap_history as held (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, quarantined_trades,
    is_validated, calculated_at
)
select $1, figure.*, false, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[]
) as figure
on conflict (exchange, ticker, interval, ts) do update
set price = excluded.price,
    volume = excluded.volume,
    notional = excluded.notional,
    trades = excluded.trades,
    confirmed_trades = excluded.confirmed_trades,
    quarantined_trades = excluded.quarantined_trades,
    calculated_at = excluded.calculated_at
where not held.is_validated
    and (held.volume, held.notional, held.trades, held.confirmed_trades, held.quarantined_trades)
        is distinct from (
            excluded.volume, excluded.notional, excluded.trades, excluded.confirmed_trades, excluded.quarantined_trades
        )
