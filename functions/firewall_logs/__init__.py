"""Raw Cloudflare firewall events into a partitioned parquet lake that proves itself complete."""
