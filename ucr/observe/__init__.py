"""What one sees of the running router: summaries, histograms of streams, the live feed, traces."""
