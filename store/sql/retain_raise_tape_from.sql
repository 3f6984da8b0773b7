-- Raises the moment after which the trades of each ticker are kept.
-- Never past the watermark: what is not settled is kept, however old.
update tickers_validation_timestamp
set tape_from = least($2::bigint, validated_until)
where exchange = $1 and tape_from < least($2::bigint, validated_until)
