-- Tells whoever listens of which tickers the newest figures may have changed, on commit.
select pg_notify($1::text, $2::text)
