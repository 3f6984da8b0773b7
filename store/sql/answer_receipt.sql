-- Answers what is kept of one moment of a ticker, for its receipt: the final
-- figure where $7 allows and there is one, its place in the chain as it stands
-- now, the link before that, and the watermark that made it final. The window
-- is ($4, $5]; of a moment that is no mark, the mark after it tells the watermark.
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
    kept.volume,
    kept.notional,
    kept.trades,
    kept.revision,
    made_final.final_watermark,
    case when kept.revision = 0 then kept.entry else restated.entry end as entry,
    case when kept.revision = 0 then kept.link else restated.link end as link,
    case when kept.revision = 0 then previous.link else restated.previous_link end as previous_link,
    gap.kinds,
    gap.froms,
    gap.tos,
    gap.details
from tickers_validation_timestamp as standing
left join latest_vwap_history as newest
    on newest.exchange = standing.exchange and newest.ticker = standing.ticker and newest.interval = $6
left join vwap_history as kept
    on $7
    and kept.exchange = standing.exchange
    and kept.ticker = standing.ticker
    and kept.interval = $3
    and kept.ts = $5
    and kept.is_validated
left join vwap_history as made_final
    on made_final.exchange = standing.exchange
    and made_final.ticker = standing.ticker
    and made_final.interval = $6
    and made_final.ts = ($5::bigint + 999) / 1000 * 1000
    and made_final.is_validated
left join restatements as restated
    on restated.exchange = kept.exchange
    and restated.ticker = kept.ticker
    and restated.interval = kept.interval
    and restated.ts = kept.ts
    and restated.revision = kept.revision
-- The entry before is normally that of the mark before; else a restatement;
-- else, after a pause of the chain, that of an earlier mark.
left join lateral (
    select before.link
    from (
        select mark.link, mark.entry
        from vwap_history as mark
        where
            mark.exchange = kept.exchange
            and mark.ticker = kept.ticker
            and mark.interval = kept.interval
            and mark.ts = kept.ts - 1000
            and mark.entry = kept.entry - 1
        union all
        select entry.link, entry.entry
        from restatements as entry
        where
            entry.exchange = kept.exchange
            and entry.ticker = kept.ticker
            and entry.interval = kept.interval
            and entry.entry = kept.entry - 1
        union all
        (
            select mark.link, mark.entry
            from vwap_history as mark
            where
                mark.exchange = kept.exchange
                and mark.ticker = kept.ticker
                and mark.interval = kept.interval
                and mark.ts < kept.ts - 1000
                and mark.entry is not null
            order by mark.ts desc
            limit 1
        )
    ) as before
    where before.entry = kept.entry - 1
    limit 1
) as previous on true
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
