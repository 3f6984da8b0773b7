-- Deletes some of the refused frames and rows that came at or before the moment.
delete from rejections
where ctid = any (array(
    select ctid
    from rejections
    where exchange = $1 and received_at <= $2
    limit $3
))
