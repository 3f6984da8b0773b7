-- Deletes some of the restatements of marks at or before the moment.
delete from restatements
where ctid = any (array(
    select ctid
    from restatements
    where exchange = $1 and ts <= $2
    limit $3
))
