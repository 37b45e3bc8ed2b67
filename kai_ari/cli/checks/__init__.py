"""What `kai-ari check` looks at: small functions, listed in `table`."""
