-- Answers for many marks at once: the final figure kept of each, and what is
-- missing in its window. Whoever asks for $1's exchange gets that one's, else
-- one row per exchange that has the ticker, with or without a figure: a mark
-- that is not final, or not kept, is asked for alone. All from one snapshot.
select
    asked.place,
    standing.exchange,
    standing.ticker,
    standing.validated_until,
    standing.tape_from,
    standing.market_time,
    standing.checked_at,
    standing.time_to_final_p50_ms,
    standing.time_to_final_p99_ms,
    standing.time_to_final_marks,
    null::bigint as newest_mark,
    kept.ts is not null as is_kept,
    kept.price,
    kept.is_validated,
    kept.revision,
    kept.final_at,
    kept.volume,
    kept.notional,
    kept.trades,
    kept.confirmed_trades,
    kept.quarantined_trades,
    gap.kinds,
    gap.froms,
    gap.tos,
    gap.details,
    (select pg_current_snapshot()::text) as taken
from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as asked (exchange, ticker, ts, place)
join tickers_validation_timestamp as standing
    on standing.ticker = asked.ticker
    and (asked.exchange is null or lower(standing.exchange) = lower(asked.exchange))
left join vwap_history as kept
    on kept.exchange = standing.exchange
    and kept.ticker = standing.ticker
    and kept.interval = $4
    and kept.ts = asked.ts
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
            and incident.to_ts > asked.ts - $4
            and incident.from_ts <= asked.ts
        order by incident.from_ts, incident.id
        limit 100
    ) as touching
) as gap on true
order by asked.place, standing.exchange
