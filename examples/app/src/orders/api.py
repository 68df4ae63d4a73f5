import json

import boto3
import requests


def handler(event, context):
    return {
        "statusCode": 200,
        "body": json.dumps({"boto3": boto3.__version__, "requests": requests.__version__}),
    }
