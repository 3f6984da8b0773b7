-- Tells whoever listens that the venue's latest figures changed, on commit.
select pg_notify($1::text, $2::text)
