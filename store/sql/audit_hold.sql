-- Keeps the beginning of a ticker's tape where it is until the transaction ends.
select from tickers_validation_timestamp where exchange = $1 and ticker = $2 for share
