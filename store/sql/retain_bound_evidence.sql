-- Deletes some of the evidence of hours that no longer count: those that ended
-- a day before the moment $2, which is the present.
delete from bound_evidence
where ctid = any (array(
    select ctid
    from bound_evidence
    where exchange = $1 and hour < div($2::bigint, 3600000)::bigint - 24
    limit $3
))
