"""What the business decided: one strict, typed `kai.yaml`. Secrets are apart."""
