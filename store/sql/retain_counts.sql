-- Deletes some of the counts of minutes that ended before the moment.
delete from feed_counts
where ctid = any (array(
    select ctid
    from feed_counts
    where exchange = $1 and minute <= $2::bigint - 60000
    limit $3
))
