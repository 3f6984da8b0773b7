-- Tells whoever listens of which tickers the newest figures may have changed, on commit.
select pg_notify($1::text, told.payload)
from unnest($2::text[]) as told (payload)
