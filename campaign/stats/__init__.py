"""Numbers only: histograms, confidence limits, downsampling. Nothing here knows what a campaign is."""
