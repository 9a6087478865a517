"""Reports for people: one HTML file each that needs nothing but itself."""
