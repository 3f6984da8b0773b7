-- Writes confirmed trades of which nothing is held.
-- Looking first is far cheaper than asking Postgres to be ready for a conflict
-- at every row, once the planner knows the table; the offset keeps it a look-up
-- per row.
insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at)
select $1, ticker, tradeid, ts, price, quantity, true, received_at
from unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::bigint[])
    as confirmed (ticker, tradeid, ts, price, quantity, received_at)
where not exists (
    select from transactions as held
    where held.exchange = $1 and held.ticker = confirmed.ticker and held.tradeid = confirmed.tradeid
    offset 0
)
