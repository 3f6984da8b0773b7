-- Reads what is said of marks that are provisional still, where a price is:
-- of each ticker within a span, both ends included.
-- The offset keeps this one search per ticker: of a span that is settled for
-- the first time there is next to nothing yet, however many marks it has.
-- That all lie from $6 to $7 spares the planner the partitions of other days.
select said.ticker, said.ts, said.price, said.provisional_class, said.provisional_bound_bps, said.provisional_unsaid
from unnest($3::text[], $4::bigint[], $5::bigint[]) as span (ticker, first, last)
cross join lateral (
    select figure.*
    from vwap_history as figure
    where figure.exchange = $1
        and figure.ticker = span.ticker
        and figure.interval = $2
        and figure.ts >= span.first
        and figure.ts <= span.last
        and figure.ts between $6 and $7
    offset 0
) as said
where not said.is_validated and said.price is not null and said.provisional_class is not null
