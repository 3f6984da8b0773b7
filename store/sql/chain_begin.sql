-- Appends the first entries of chains that have none yet.
insert into chain_heads (exchange, ticker, interval, entry, link)
select $1, step.*
from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bytea[]) as step
on conflict (exchange, ticker, interval) do nothing
