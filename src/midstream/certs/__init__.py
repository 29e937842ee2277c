"""The CA, minted leaves, trust for upstream servers, and plain words for failures. Option values are arguments."""
