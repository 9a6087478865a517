"""The report of finished runs: one HTML file that opens anywhere and says whether the lake is complete."""
