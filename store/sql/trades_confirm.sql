-- Writes trades as REST confirmed them.
-- What was held against a heard copy is dropped: it counts from now on.
-- The time of the first hearing stays; a row that says all this already is spared.
insert into transactions as held (exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at)
select $1, ticker, tradeid, ts, price, quantity, true, received_at
from unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::bigint[])
    as confirmed (ticker, tradeid, ts, price, quantity, received_at)
on conflict (exchange, ticker, tradeid) do update
set ts = excluded.ts,
    price = excluded.price,
    quantity = excluded.quantity,
    is_validated = true,
    suspicion = null,
    received_at = coalesce(held.received_at, excluded.received_at)
where not held.is_validated
    or (held.ts, held.price, held.quantity) is distinct from (excluded.ts, excluded.price, excluded.quantity)
    or held.received_at is null and excluded.received_at is not null
