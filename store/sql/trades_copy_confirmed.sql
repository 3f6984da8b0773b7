-- Writes confirmed trades of which nothing is held.
-- That is not looked up: the key refuses a name that is there, and with it all
-- of them, for whoever looks to write the others.
copy transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
from stdin (format binary)
