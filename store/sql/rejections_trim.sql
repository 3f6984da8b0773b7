-- Lets go of all but the latest refused frames and rows of the venue.
delete from rejections
where id in (
    select id
    from rejections
    where exchange = $1
    order by received_at desc, id desc
    offset $2
    limit 10000
)
