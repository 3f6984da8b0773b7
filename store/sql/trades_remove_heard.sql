-- Takes out heard trades that do not exist.
-- What REST confirmed stays, whoever asks.
delete from transactions as held
using unnest($2::text[], $3::text[]) as gone (ticker, tradeid)
where held.exchange = $1
    and held.ticker = gone.ticker
    and held.tradeid = gone.tradeid
    and not held.is_validated
