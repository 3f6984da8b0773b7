-- Adds changes of mind of the exchange to their ledger, with both sides of each.
insert into trade_corrections (
    exchange, ticker, tradeid, kind, ts,
    old_ts, old_price, old_quantity, new_ts, new_price, new_quantity, reason, restated, found_at
)
select $1, correction.*, $13, $14
from unnest(
    $2::text[], $3::text[], $4::text[], $5::bigint[],
    $6::bigint[], $7::numeric[], $8::numeric[], $9::bigint[], $10::numeric[], $11::numeric[], $12::text[]
) as correction
