"""Reports for people: what their pages share. One HTML file each that needs nothing but itself."""
