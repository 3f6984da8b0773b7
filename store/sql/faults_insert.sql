-- Adds faults of the socket to the ledger, with both sides of each.
insert into feed_faults (
    exchange, ticker, tradeid, kind, ts,
    heard_ts, heard_price, heard_quantity, true_ts, true_price, true_quantity, received_at, found_at
)
select $1, fault.*, $13
from unnest(
    $2::text[], $3::text[], $4::text[], $5::bigint[],
    $6::bigint[], $7::numeric[], $8::numeric[], $9::bigint[], $10::numeric[], $11::numeric[], $12::bigint[]
) as fault
