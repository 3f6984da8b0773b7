-- Lets the server notice within half a minute that a leader's host is gone.
set tcp_keepalives_idle = 10;
set tcp_keepalives_interval = 5;
set tcp_keepalives_count = 3;
