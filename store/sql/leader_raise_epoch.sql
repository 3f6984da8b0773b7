-- Begins a new epoch of the venue.
-- It waits for transactions of the epoch before: each holds this row.
insert into leaders as led (exchange, epoch, since)
values ($1, 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)
on conflict (exchange) do update
set epoch = led.epoch + 1, since = excluded.since
returning epoch
