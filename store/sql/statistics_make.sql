-- Lets the planner know what is in the tables that are looked into by key.
analyze transactions, unplaced_trades, feed_faults
