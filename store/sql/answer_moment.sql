-- Answers for one moment of a ticker: the figure kept of it when $7 allows and
-- there is one, else the exact sums of its trades, never rounded here. Those
-- are not added up one by one where the final figure of the last settled second
-- tells most of them: only the trades since it and those that left the window
-- since are, so that it costs the same however many are in between.
-- Everything comes from one snapshot, so that sums, watermark and incidents
-- agree. The window is ($4, $5]; that the final figure lies in it, too, is said
-- for the days of the history that are left out. Up to the watermark every trade is confirmed,
-- so only those after it are asked whether they are, and whether they are suspected.
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
    kept.ts is not null as is_kept,
    kept.price,
    kept.is_validated,
    kept.revision,
    kept.final_at,
    kept.provisional_tail_ms as bound_tail_ms,
    kept.provisional_bound_bps as bound_bps,
    kept.provisional_unsaid as bound_unsaid,
    null::bigint as bound_marks,
    null::bigint as bound_marks_needed,
    newest.bound_coverage,
    null::bigint as bound_level,
    newest.bound_kept,
    newest.bound_broken,
    coalesce(kept.volume, coalesce(base.volume, 0) + settled.volume - left_out.volume + heard.volume) as volume,
    coalesce(kept.notional, coalesce(base.notional, 0) + settled.notional - left_out.notional + heard.notional)
        as notional,
    coalesce(kept.trades, coalesce(base.trades, 0) + settled.trades - left_out.trades + heard.trades) as trades,
    coalesce(
        kept.confirmed_trades, coalesce(base.trades, 0) + settled.trades - left_out.trades + heard.confirmed_trades
    ) as confirmed_trades,
    coalesce(kept.quarantined_trades, heard.quarantined_trades) as quarantined_trades,
    gap.kinds,
    gap.froms,
    gap.tos,
    gap.details,
    pg_current_snapshot()::text as taken
from tickers_validation_timestamp as standing
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $6
left join vwap_history as kept
    on $7
    and kept.exchange = standing.exchange
    and kept.ticker = standing.ticker
    and kept.interval = $3
    and kept.ts = $5
    and (kept.is_validated or kept.ts > standing.validated_until)
left join vwap_history as base
    on kept.ts is null
    and $3 = $6
    and base.exchange = standing.exchange
    and base.ticker = standing.ticker
    and base.interval = $3
    and base.ts = least($5, standing.validated_until) / 1000 * 1000
    and base.is_validated
    and base.ts > $4
    and base.ts <= $5
    and base.ts - base.interval >= standing.tape_from
cross join lateral (
    select
        count(*) as trades,
        coalesce(sum(trade.quantity), 0) as volume,
        coalesce(sum(trade.price * trade.quantity), 0) as notional
    from transactions as trade
    where
        kept.ts is null
        and trade.exchange = standing.exchange
        and trade.ticker = standing.ticker
        and trade.ts > coalesce(base.ts, $4)
        and trade.ts <= least($5, standing.validated_until)
) as settled
cross join lateral (
    select
        count(*) as trades,
        coalesce(sum(trade.quantity), 0) as volume,
        coalesce(sum(trade.price * trade.quantity), 0) as notional
    from transactions as trade
    where
        base.ts is not null
        and trade.exchange = standing.exchange
        and trade.ticker = standing.ticker
        and trade.ts > base.ts - base.interval
        and trade.ts <= $4
) as left_out
cross join lateral (
    select
        count(*) filter (where trade.suspicion is null) as trades,
        count(*) filter (where trade.is_validated) as confirmed_trades,
        count(*) filter (where trade.suspicion is not null) as quarantined_trades,
        coalesce(sum(trade.quantity) filter (where trade.suspicion is null), 0) as volume,
        coalesce(sum(trade.price * trade.quantity) filter (where trade.suspicion is null), 0) as notional
    from transactions as trade
    where
        kept.ts is null
        and trade.exchange = standing.exchange
        and trade.ticker = standing.ticker
        and trade.ts > greatest($4, standing.validated_until)
        and trade.ts <= $5
) as heard
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
            and incident.to_ts > $4
            and incident.from_ts <= $5
        order by incident.from_ts, incident.id
        limit 100
    ) as touching
) as gap on true
where standing.ticker = $2 and ($1::text is null or lower(standing.exchange) = lower($1))
