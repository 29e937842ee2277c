"""What has to be so before any of these clients is imported."""

import os

# gRPC's threads and the programs that tests start do not go together otherwise: its handlers run in each fork.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
