-- Reads the venue's epoch and keeps it from changing until the transaction ends.
select epoch from leaders where exchange = $1 for share
