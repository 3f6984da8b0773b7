-- Tells of which spans of marks, both ends included, something is held already.
-- The offset keeps this one search per span: of one that is settled for the
-- first time there is nothing, however many marks it has.
-- That all lie from $6 to $7 spares the planner the partitions of other days.
select span.ticker, span.interval
from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) as span (ticker, interval, first, last)
where exists (
    select from vwap_history as figure
    where figure.exchange = $1
        and figure.ticker = span.ticker
        and figure.interval = span.interval
        and figure.ts >= span.first
        and figure.ts <= span.last
        and figure.ts between $6 and $7
    offset 0
)
