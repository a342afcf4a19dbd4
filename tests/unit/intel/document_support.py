"""Documents of each kind that mention the same three addresses."""

from __future__ import annotations

import json
import zlib
from email.message import EmailMessage

HASHED = "15JFh88FcE4WL6qeMLgX5VEAFCbRXjc9fr"
SCRIPTED = "34xp4vRoCGJym3xR7yCVPFHoCNxv4Twseo"
SEGWIT = "bc1qq2euq8pw950klpjcawuy4uj39ym43hs6cfsegq"


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Zoë <zoe@sender.example>"
    message["To"] = "desk@bank.example"
    message["Subject"] = f"Rechnung für {SCRIPTED}"
    body = f"Grüße, bitte überweisen Sie heute noch an die folgende Adresse, wie besprochen: {SEGWIT} danke\n\n> {HASHED}\n"
    message.set_content(body, cte="quoted-printable")
    page = f"<html><body><p>Pay\n<a href='bitcoin:{SCRIPTED}?amount=1'>{HASHED[:10]}<wbr>{HASHED[10:]}</a></p></body></html>"
    message.add_alternative(page, subtype="html", cte="base64")
    message.add_attachment(f'id,address\n1,{SCRIPTED}\n2,"x\n{HASHED}"\n', subtype="csv", filename="täglich.csv")
    message.add_attachment(b"\x89PNG\0\0\0", maintype="image", subtype="png", filename="photo.png")
    return message


def telegram() -> dict[str, object]:
    pieces = [
        "pay ",
        {"type": "code", "text": HASHED[:9]},
        HASHED[9:],
        {"type": "text_link", "text": " x", "href": SCRIPTED},
    ]
    return {
        "name": "Deal",
        "type": "personal_chat",
        "id": 1,
        "messages": [
            {"id": 1, "type": "service", "date": "2021-05-08T09:00:00", "actor": "Eve", "text": ""},
            {"id": 2, "type": "message", "date": "2021-05-08T10:00:00", "from": "Eve", "text": pieces},
            {"id": 3, "type": "message", "date": "2021-05-08T11:00:00", "from": "Bob", "text": "ok", "caption": SEGWIT},
            "no message",
        ],
    }


def pdf(*pages: str, link: str = "") -> bytes:
    """A PDF with one line of text a page, written by hand; an empty text is a page without any."""
    objects: list[bytes] = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for text in pages:
        stream = zlib.compress(f"BT /F1 9 Tf 20 100 Td ({text}) Tj ET".encode() if text else b"")
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream))
        action = (
            b"/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(%s)>>>>]" % link.encode() if link else b""
        )
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 200]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R%s>>"
            % (len(objects), action)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(kids))
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return out + head + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
