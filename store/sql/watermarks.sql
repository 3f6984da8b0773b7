-- Reads how far each ticker of the venue is confirmed.
select ticker, validated_until, position_tradeid, tape_from, market_time
from tickers_validation_timestamp
where exchange = $1
order by ticker
