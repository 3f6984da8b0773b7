-- Answers with the newest figure of a ticker and what is missing in its window.
-- One row per exchange that has the ticker, whether it has a figure or not,
-- all from one snapshot. The window is open on the left, closed on the right.
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
    kept.revision,
    kept.final_at,
    newest.bound_tail_ms,
    newest.bound_bps,
    newest.bound_unsaid,
    newest.bound_marks,
    newest.bound_marks_needed,
    newest.bound_coverage,
    newest.bound_level,
    newest.bound_kept,
    newest.bound_broken,
    gap.kinds,
    gap.froms,
    gap.tos,
    gap.details,
    pg_current_snapshot()::text as taken
from tickers_validation_timestamp as standing
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $3
left join vwap_history as kept
    on newest.is_validated
    and kept.exchange = newest.exchange
    and kept.ticker = newest.ticker
    and kept.interval = newest.interval
    and kept.ts = newest.ts
    and kept.is_validated
left join lateral (
    select
        array_agg(touching.kind order by touching.from_ts, touching.id) as kinds,
        array_agg(touching.from_ts order by touching.from_ts, touching.id) as froms,
        array_agg(touching.to_ts order by touching.from_ts, touching.id) as tos,
        array_agg(touching.detail order by touching.from_ts, touching.id) as details
    from (
        select incident.id, incident.kind, incident.from_ts, incident.to_ts, incident.detail
        from incidents as incident
        where
            incident.exchange = standing.exchange
            and incident.ticker in (standing.ticker, '')
            and incident.to_ts > newest.ts - newest.interval
            and incident.from_ts <= newest.ts
        order by incident.from_ts, incident.id
        limit 100
    ) as touching
) as gap on true
where standing.ticker = $2 and ($1::text is null or lower(standing.exchange) = lower($1))
