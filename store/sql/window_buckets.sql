-- Sums a ticker's trades after an instant, second by second, exactly.
-- A trade on the second belongs to it, one a millisecond later to the next.
select
    ceil(ts / 1000.0)::bigint * 1000 as second,
    count(*) filter (where is_validated) as confirmed_trades,
    coalesce(sum(quantity) filter (where is_validated), 0) as confirmed_volume,
    coalesce(sum(price * quantity) filter (where is_validated), 0) as confirmed_notional,
    count(*) filter (where not is_validated) as heard_trades,
    coalesce(sum(quantity) filter (where not is_validated), 0) as heard_volume,
    coalesce(sum(price * quantity) filter (where not is_validated), 0) as heard_notional
from transactions
where exchange = $1 and ticker = $2 and ts > $3
group by 1
order by 1
