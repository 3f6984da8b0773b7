-- Compares final figures with what was said of them before, for the marks from
-- $4 up to but not including $5, in basis points of the final price.
-- A mark of which nothing was said, or which had no trades, is not compared.
select
    count(*) as final_marks,
    count(drift.bps) as compared,
    count(*) filter (where drift.bps = 0) as equal,
    round(avg(drift.bps), 6)::text as mean_bps,
    round(avg(abs(drift.bps)), 6)::text as mean_absolute_bps,
    round(max(abs(drift.bps)), 6)::text as max_absolute_bps
from vwap_history as figure
cross join lateral (
    select (figure.provisional_price / nullif(figure.price, 0) - 1) * 10000 as bps
) as drift
where
    ($1::text is null or figure.exchange = $1)
    and ($2::text is null or figure.ticker = $2)
    and figure.interval = $3
    and figure.ts >= $4
    and figure.ts < $5
    and figure.is_validated
