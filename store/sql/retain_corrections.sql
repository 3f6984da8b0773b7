-- Deletes some of the corrections of trades at or before the moment.
delete from trade_corrections
where ctid = any (array(
    select ctid
    from trade_corrections
    where exchange = $1 and ts <= $2
    limit $3
))
