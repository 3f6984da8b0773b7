-- Answers with the newest figures of many tickers and what is missing in their
-- windows, as answer_latest.sql does of one: of every venue or that of $2, all
-- tickers or those of $3, at most $4. All from one snapshot, which is told
-- even when there is no ticker: as a row without one.
select
    snapshot.taken,
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
    gap.details
from (select pg_current_snapshot()::text as taken) as snapshot
left join (
    select known.*
    from tickers_validation_timestamp as known
    where
        ($2::text is null or known.exchange = $2)
        and ($3::text[] is null or known.ticker = any ($3))
    order by known.exchange, known.ticker
    limit $4
) as standing on true
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $1
left join lateral (
    select history.revision, history.final_at
    from vwap_history as history
    where
        newest.is_validated
        and history.exchange = newest.exchange
        and history.ticker = newest.ticker
        and history.interval = newest.interval
        and history.ts = newest.ts
        and history.is_validated
) as kept on true
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
