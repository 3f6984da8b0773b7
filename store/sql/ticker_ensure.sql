-- Begins the tape of tickers that have none yet, and tells whoever listens: what
-- one exchange had alone, several may have now.
-- A watermark that is there is left alone: only an answer of REST moves it.
with begun as (
    insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from)
    select $1::text, ticker, begins_after, begins_after
    from unnest($2::text[], $3::bigint[]) as new (ticker, begins_after)
    on conflict (exchange, ticker) do nothing
    returning 1
)
select pg_notify($4::text, $1::text)
where exists (select from begun)
