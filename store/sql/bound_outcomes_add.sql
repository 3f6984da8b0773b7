-- Adds to the outcomes of what was said; the level given is the latest.
insert into bound_outcomes as held (exchange, ticker, interval, hour, class, kept, broken, unsaid, level)
select $1, more.ticker, $2, more.hour, more.class, more.kept, more.broken, more.unsaid, more.level
from unnest($3::text[], $4::bigint[], $5::smallint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
    as more (ticker, hour, class, kept, broken, unsaid, level)
on conflict (exchange, ticker, interval, hour, class) do update
set kept = held.kept + excluded.kept,
    broken = held.broken + excluded.broken,
    unsaid = held.unsaid + excluded.unsaid,
    level = excluded.level
