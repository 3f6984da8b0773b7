-- Deletes some of the incidents that ended at or before the moment.
delete from incidents
where ctid = any (array(
    select ctid
    from incidents
    where exchange = $1 and to_ts <= $2
    limit $3
))
