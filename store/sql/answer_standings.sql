-- Tells how far tickers are known, with the newest figure of each.
-- One row per exchange and ticker that match, in their order, at most $4; the
-- exchange is found whatever its case. The ends of the history are read off
-- the index, never by a scan.
select
    standing.exchange,
    standing.ticker,
    standing.validated_until,
    standing.tape_from,
    standing.market_time,
    standing.checked_at,
    standing.time_to_final_p50_ms,
    standing.time_to_final_p99_ms,
    standing.time_to_final_marks,
    newest.ts as newest_mark,
    newest.price,
    newest.volume,
    newest.notional,
    newest.trades,
    newest.confirmed_trades,
    newest.quarantined_trades,
    newest.is_validated,
    newest.bound_tail_ms,
    newest.bound_bps,
    newest.bound_unsaid,
    newest.bound_marks,
    newest.bound_marks_needed,
    newest.bound_coverage,
    newest.bound_level,
    newest.bound_kept,
    newest.bound_broken,
    first_kept.ts as first_mark,
    last_kept.ts as last_mark
from tickers_validation_timestamp as standing
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $3
left join lateral (
    select figure.ts
    from vwap_history as figure
    where figure.exchange = standing.exchange and figure.ticker = standing.ticker and figure.interval = $3
    order by figure.ts
    limit 1
) as first_kept on true
left join lateral (
    select figure.ts
    from vwap_history as figure
    where figure.exchange = standing.exchange and figure.ticker = standing.ticker and figure.interval = $3
    order by figure.ts desc
    limit 1
) as last_kept on true
where
    ($1::text is null or lower(standing.exchange) = lower($1))
    and ($2::text is null or standing.ticker = $2)
order by standing.exchange, standing.ticker
limit $4
