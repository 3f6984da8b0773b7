-- Answers with the figures kept of the given marks, in their order.
-- The cost depends on how many marks are asked for, not on how far apart they
-- are. A mark that is not kept is left out.
select
    figure.ts,
    figure.price,
    figure.volume,
    figure.notional,
    figure.trades,
    figure.confirmed_trades,
    figure.quarantined_trades,
    figure.is_validated,
    figure.revision,
    figure.final_at,
    exists (
        select
        from incidents as incident
        where
            incident.exchange = figure.exchange
            and incident.ticker in (figure.ticker, '')
            and incident.to_ts > figure.ts - figure.interval
            and incident.from_ts <= figure.ts
    ) as is_touched
from unnest($4::bigint[]) as mark (ts)
join vwap_history as figure
    on figure.exchange = $1 and figure.ticker = $2 and figure.interval = $3 and figure.ts = mark.ts
order by figure.ts
