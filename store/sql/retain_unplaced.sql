-- Deletes some of the trades kept aside that can find no place any more.
-- One heard after that moment may yet be confirmed elsewhere.
delete from unplaced_trades
where ctid = any (array(
    select aside.ctid
    from tickers_validation_timestamp as kept
    join unplaced_trades as aside
        on aside.exchange = $1
        and aside.ticker = kept.ticker
        and aside.ts <= kept.tape_from
        and aside.received_at <= kept.tape_from
    where kept.exchange = $1
    limit $2
))
