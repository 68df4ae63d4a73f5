"""Speaking to AWS: objects in S3, code of functions, versions of layers. Needs the extra `aws`."""
