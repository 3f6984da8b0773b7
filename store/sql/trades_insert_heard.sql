-- Adds trades heard on the socket and names the new ones.
-- A trade already present is left alone: what REST confirmed must never be
-- replaced by a late or altered copy from the faulty channel. One that is kept
-- aside has been heard before and is not new either.
insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at, suspicion)
select $1, ticker, tradeid, ts, price, quantity, false, received_at, suspicion
from unnest($2::text[], $3::text[], $4::bigint[], $5::numeric[], $6::numeric[], $7::bigint[], $8::text[])
    as heard (ticker, tradeid, ts, price, quantity, received_at, suspicion)
where not exists (
    select from unplaced_trades as aside
    where aside.exchange = $1 and aside.ticker = heard.ticker and aside.tradeid = heard.tradeid
    offset 0
)
on conflict (exchange, ticker, tradeid) do nothing
returning ticker, tradeid
