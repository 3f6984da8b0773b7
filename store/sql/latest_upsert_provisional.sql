-- Makes provisional figures the latest of their tickers, with their bounds.
-- One takes the place of an older one only.
insert into latest_vwap_history as held (
    exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades, quarantined_trades,
    bound_tail_ms, bound_bps, bound_unsaid, bound_marks, bound_marks_needed,
    bound_coverage, bound_level, bound_kept, bound_broken,
    is_validated, calculated_at
)
select $1, figure.*, false, $10
from unnest(
    $2::text[], $3::bigint[], $4::bigint[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[], $9::bigint[],
    $11::bigint[], $12::bigint[], $13::numeric[], $14::text[], $15::bigint[], $16::bigint[],
    $17::numeric[], $18::bigint[], $19::bigint[], $20::bigint[]
) as figure
on conflict (exchange, ticker, interval) do update
set ts = excluded.ts,
    price = excluded.price,
    volume = excluded.volume,
    notional = excluded.notional,
    trades = excluded.trades,
    confirmed_trades = excluded.confirmed_trades,
    quarantined_trades = excluded.quarantined_trades,
    bound_tail_ms = excluded.bound_tail_ms,
    bound_bps = excluded.bound_bps,
    bound_unsaid = excluded.bound_unsaid,
    bound_marks = excluded.bound_marks,
    bound_marks_needed = excluded.bound_marks_needed,
    bound_coverage = excluded.bound_coverage,
    bound_level = excluded.bound_level,
    bound_kept = excluded.bound_kept,
    bound_broken = excluded.bound_broken,
    is_validated = excluded.is_validated,
    calculated_at = excluded.calculated_at
where held.ts < excluded.ts
