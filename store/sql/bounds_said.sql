-- Reads what is said of marks that are provisional still, where a price is.
select said.ticker, said.ts, said.price, said.provisional_class, said.provisional_bound_bps, said.provisional_unsaid
from unnest($3::text[], $4::bigint[]) as mark (ticker, ts)
join vwap_history as said
    on said.exchange = $1 and said.ticker = mark.ticker and said.interval = $2 and said.ts = mark.ts
where not said.is_validated and said.price is not null and said.provisional_class is not null
