"""The CA, minted leaves, trust for upstream servers, and plain words for what went wrong. Option values are arguments."""
