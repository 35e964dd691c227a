"""What a trader is told who does not look at the screen: rules, hysteresis, a day's budget, and each alert's record."""
