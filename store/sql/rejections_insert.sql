-- Keeps refused frames and rows as they came.
insert into rejections (exchange, ticker, channel, kind, reason, frame, received_at)
select $1, refused.*
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) as refused
