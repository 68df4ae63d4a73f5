"""A request through the application, a table in memory, a template, a signature, a driver."""

import json

import handler
import jinja2
import psycopg2
import sqlalchemy
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


@handler.app.get("/items/{number}")
def item(number: int) -> dict[str, int]:
    return {"number": number}


event = {
    "version": "2.0", "routeKey": "$default", "rawPath": "/items/7", "rawQueryString": "",
    "headers": {"host": "x"}, "isBase64Encoded": False,
    "requestContext": {"http": {"method": "GET", "path": "/items/7", "sourceIp": "127.0.0.1"}},
}  # fmt: skip
answer = handler.lambda_handler(event, None)
assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"number": 7})


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "things"
    number: Mapped[int] = mapped_column(primary_key=True)


engine = sqlalchemy.create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(Thing(number=3))
    session.flush()
    assert session.scalars(sqlalchemy.select(Thing.number)).all() == [3]
assert sqlalchemy.create_engine("postgresql+psycopg2://u@localhost/d").dialect.driver == "psycopg2"
assert jinja2.Template("{{ a|upper }}").render(a="x") == "X"
key = Fernet.generate_key()
assert Fernet(key).decrypt(Fernet(key).encrypt(b"data")) == b"data"
private = Ed25519PrivateKey.generate()
private.public_key().verify(private.sign(b"m"), b"m")
assert psycopg2.__libpq_version__ > 90000
