-- Deletes some of the outcomes of hours that ended before the moment.
delete from bound_outcomes
where ctid = any (array(
    select ctid
    from bound_outcomes
    where exchange = $1 and hour <= div($2::bigint, 3600000)::bigint - 1
    limit $3
))
