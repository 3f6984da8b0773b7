-- Reads which epoch the venue is in.
select epoch from leaders where exchange = $1
