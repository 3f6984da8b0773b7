-- Keeps heard trades aside that claim a time already settled.
-- The first copy stays: what was said first is what is judged.
insert into unplaced_trades (exchange, ticker, tradeid, ts, price, quantity, received_at, suspicion)
select $1, ticker, tradeid, ts, price, quantity, received_at, suspicion
from unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::bigint[], $8::text[])
    as heard (ticker, tradeid, ts, price, quantity, received_at, suspicion)
on conflict (exchange, ticker, tradeid) do nothing
returning ticker, tradeid
