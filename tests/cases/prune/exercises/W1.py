"""Validates an event, answers a route, signs and decrypts, reads a path, makes a client."""

import json

import boto3
import fastjsonschema
import handler
import jwt
import pydantic
import requests
from aws_lambda_powertools.utilities.validation import validate
from cryptography.fernet import Fernet
from jsonpath_ng import parse


class Order(pydantic.BaseModel):
    number: int


assert Order.model_validate_json('{"number": "7"}').number == 7
validate(event={"a": 1}, schema={"type": "object", "required": ["a"]})
assert fastjsonschema.compile({"type": "integer"})(3) == 3
assert [each.value for each in parse("$.a[*]").find({"a": [1, 2]})] == [1, 2]
key = Fernet.generate_key()
assert Fernet(key).decrypt(Fernet(key).encrypt(b"data")) == b"data"
assert jwt.decode(jwt.encode({"a": 1}, "k" * 32, "HS256"), "k" * 32, ["HS256"]) == {"a": 1}
assert requests.Request("GET", "http://localhost/").prepare().url == "http://localhost/"
session = boto3.Session("AKIA", "x" * 40, region_name="eu-west-1")
client = session.client("s3")
assert "Signature" in client.generate_presigned_url(
    "get_object", Params={"Bucket": "b", "Key": "k"}
)
assert session.resource("dynamodb").Table("t").name == "t"
app = handler.APIGatewayRestResolver()


@app.get("/hello")
def hello() -> dict[str, int]:
    return {"a": 1}


event = {"path": "/hello", "httpMethod": "GET", "headers": {}, "requestContext": {"path": "/hello"}}
assert json.loads(app.resolve(event, None)["body"]) == {"a": 1}
assert handler.lambda_handler({}, None)["statusCode"] == 200
