-- Counts the settled trades from $3 up to but not including $4 that the
-- exchange changed its mind about, by kind.
select correction.kind, count(*) as trades
from trade_corrections as correction
where
    ($1::text is null or correction.exchange = $1)
    and ($2::text is null or correction.ticker = $2)
    and correction.ts >= $3
    and correction.ts < $4
group by correction.kind
order by correction.kind
