terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_iam_role" "api" {
  name = "orders-api"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_lambda_function" "api" {
  function_name    = "orders-api"
  role             = aws_iam_role.api.arn
  filename         = local.artifact
  source_code_hash = local.manifest.artifact.code_sha256
  handler          = local.manifest.function.handler
  runtime          = local.manifest.target.runtime
  architectures    = [local.manifest.target.architecture]
}
