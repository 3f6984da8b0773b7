-- Reads what is held of a ticker's settled trades in ($3, $4], and whatever is
-- held under the names $5; and how much of the tape is settled and kept.
-- One statement, so that trades let go of meanwhile are not missed: then the
-- tape begins later too. There is one row at least for a ticker that is known.
-- The limit and the offset keep both searches in the index, from the beginning
-- of the span and from name to name: without, all of the tape is read. A market
-- that has forgotten what it is asked for may answer with rows from much later:
-- of all that is held in between the beginning is enough to be told so, as much
-- as twice what it told and a thousand.
select
    standing.tape_from,
    standing.validated_until,
    held.tradeid is not null as is_held,
    standing.ticker,
    held.tradeid,
    held.ts,
    held.price,
    held.quantity,
    held.is_validated,
    held.received_at,
    held.suspicion
from tickers_validation_timestamp as standing
left join lateral (
    select spanned.tradeid, spanned.ts, spanned.price, spanned.quantity, spanned.is_validated, spanned.received_at,
        spanned.suspicion
    from (
        select trade.*
        from transactions as trade
        where trade.exchange = $1
            and trade.ticker = $2
            and trade.ts > greatest($3, standing.tape_from)
            and trade.ts <= least($4, standing.validated_until)
        order by trade.ts
        limit 1000 + 2 * cardinality($5::text[])
    ) as spanned
    union
    select named.tradeid, named.ts, named.price, named.quantity, named.is_validated, named.received_at,
        named.suspicion
    from unnest($5::text[]) as asked (tradeid)
    cross join lateral (
        select trade.*
        from transactions as trade
        where trade.exchange = $1 and trade.ticker = $2 and trade.tradeid = asked.tradeid
        offset 0
    ) as named
) as held on true
where standing.exchange = $1 and standing.ticker = $2
order by held.ts, held.tradeid
