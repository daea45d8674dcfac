"""An hour at half load with a rebalance every two minutes: nothing may grow."""
