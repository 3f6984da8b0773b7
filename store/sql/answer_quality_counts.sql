-- Counts what the socket brought from minute $3 up to but not including $4, by
-- kind. The rate is per trade that REST confirmed; without any there is none.
-- Each ticker is read off the key, so that the span asked for is what it costs.
with asked as (
    select standing.exchange, standing.ticker
    from tickers_validation_timestamp as standing
    where ($1::text is null or standing.exchange = $1) and ($2::text is null or standing.ticker = $2)
    union
    select distinct standing.exchange, ''
    from tickers_validation_timestamp as standing
    where ($1::text is null or standing.exchange = $1) and $2::text is null
),

counted as (
    select counts.kind, sum(counts.trades)::bigint as trades
    from asked
    join feed_counts as counts
        on counts.exchange = asked.exchange
        and counts.ticker = asked.ticker
        and counts.minute >= $3
        and counts.minute < $4
    group by counts.kind
)

select
    counted.kind,
    counted.trades,
    round(
        counted.trades
        / nullif(sum(counted.trades) filter (where counted.kind in ('matched', 'altered', 'missing')) over (), 0),
        6
    )::text as rate
from counted
order by counted.kind
