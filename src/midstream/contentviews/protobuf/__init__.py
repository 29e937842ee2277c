"""Protocol Buffers: messages as text and back, with definitions or without. For the protobuf and gRPC views."""
