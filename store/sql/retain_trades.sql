-- Deletes some of the trades that are not kept any more, and tells how far.
-- Of each ticker the oldest go first, and the search begins where it ended the
-- last time ($3 and $4): what was deleted stays in the index until the table is
-- vacuumed, and walking past all of it would take longer from batch to batch.
-- One that somebody writes meanwhile may be left, and goes the next time.
with old as materialized (
    select oldest.*
    from tickers_validation_timestamp as kept
    left join unnest($3::text[], $4::bigint[]) as gone (ticker, until) on gone.ticker = kept.ticker
    cross join lateral (
        select held.ctid as place, held.ticker, held.tradeid, held.ts
        from transactions as held
        where held.exchange = $1
            and held.ticker = kept.ticker
            and held.ts >= coalesce(gone.until, -9223372036854775808)
            and held.ts <= kept.tape_from
        order by held.ts
        limit $2
    ) as oldest
    where kept.exchange = $1
    limit $2
),
let_go as (
    delete from transactions
    where ctid = any (array(select place from old))
    returning ticker, tradeid
)
select
    old.ticker,
    count(let_go.tradeid) as trades,
    coalesce(min(old.ts) filter (where let_go.tradeid is null), max(old.ts)) as until
from old
left join let_go on let_go.ticker = old.ticker and let_go.tradeid = old.tradeid
group by old.ticker
