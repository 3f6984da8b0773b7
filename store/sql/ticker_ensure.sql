-- Begins the tape of tickers that have none yet.
-- A watermark that is there is left alone: only an answer of REST moves it.
insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from)
select $1, ticker, begins_after, begins_after
from unnest($2::text[], $3::bigint[]) as new (ticker, begins_after)
on conflict (exchange, ticker) do nothing
