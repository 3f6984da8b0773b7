-- Takes out confirmed trades that REST does not have any more.
delete from transactions as held
using unnest($2::text[], $3::text[]) as gone (ticker, tradeid)
where held.exchange = $1
    and held.ticker = gone.ticker
    and held.tradeid = gone.tradeid
    and held.is_validated
