-- Counts how often the bounds of provisional figures held, for the marks of
-- the hours that touch the span from $4 up to but not including $5.
select
    coalesce(sum(outcome.kept), 0)::bigint as kept,
    coalesce(sum(outcome.broken), 0)::bigint as broken,
    coalesce(sum(outcome.unsaid), 0)::bigint as unsaid
from tickers_validation_timestamp as standing
join bound_outcomes as outcome
    on outcome.exchange = standing.exchange
    and outcome.ticker = standing.ticker
    and outcome.interval = $3
    and outcome.hour >= div($4::bigint, 3600000)::bigint
    and outcome.hour <= div($5::bigint - 1, 3600000)::bigint
where ($1::text is null or standing.exchange = $1) and ($2::text is null or standing.ticker = $2)
