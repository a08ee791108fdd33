"""Amazon Bedrock: the frames of its streams, and its Converse API for providers."""
