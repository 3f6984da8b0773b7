-- Adds to what is known of how wrong provisional figures were.
insert into bound_evidence as held (exchange, ticker, interval, hour, class, error_bin, marks)
select $1, more.ticker, $2, more.hour, more.class, more.error_bin, more.marks
from unnest($3::text[], $4::bigint[], $5::smallint[], $6::smallint[], $7::bigint[])
    as more (ticker, hour, class, error_bin, marks)
on conflict (exchange, ticker, interval, hour, class, error_bin) do update
set marks = held.marks + excluded.marks
