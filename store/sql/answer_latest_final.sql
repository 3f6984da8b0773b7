-- Answers with the newest final figure of a ticker and what is missing in its
-- window. One row per exchange that has the ticker, whether it has a final
-- figure or not, all from one snapshot. The newest is read off the key, from
-- the watermark back; the window is open on the left, closed on the right.
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
    final.ts as final_mark,
    final.price,
    final.volume,
    final.notional,
    final.trades,
    final.confirmed_trades,
    0::bigint as quarantined_trades,
    final.is_validated,
    final.revision,
    final.final_at,
    gap.kinds,
    gap.froms,
    gap.tos,
    gap.details,
    pg_current_snapshot()::text as taken
from tickers_validation_timestamp as standing
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $3
left join lateral (
    select figure.*
    from vwap_history as figure
    where
        figure.exchange = standing.exchange
        and figure.ticker = standing.ticker
        and figure.interval = $3
        and figure.ts <= standing.validated_until
        and figure.is_validated
    order by figure.ts desc
    limit 1
) as final on true
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
            and incident.to_ts > final.ts - final.interval
            and incident.from_ts <= final.ts
        order by incident.from_ts, incident.id
        limit 100
    ) as touching
) as gap on true
where standing.ticker = $2 and ($1::text is null or lower(standing.exchange) = lower($1))
