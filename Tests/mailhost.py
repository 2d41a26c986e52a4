"""A mail server on loopback for the tests: what it accepts becomes a file each, NUMBER.eml, with its envelope beside it.

mailhost.py FOLDER [--tls starttls|smtps] [--cert PEM --key PEM] [--login USER:PASSWORD] [--refuse CODE]

The envelope's file also has what Python's own parser of mail makes of it. Prints its port. Needs Debian's python3-aiosmtpd.
"""
import argparse, asyncio, email, email.policy, json, os, ssl
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

options = argparse.ArgumentParser()
options.add_argument("folder")
options.add_argument("--tls", choices=["starttls", "smtps"])
options.add_argument("--cert")
options.add_argument("--key")
options.add_argument("--login")
options.add_argument("--refuse")
options = options.parse_args()


class Handler:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        # A file FOLDER/refuse answers for a while.
        try:
            with open(os.path.join(options.folder, "refuse")) as file: return file.read().strip()
        except FileNotFoundError: pass
        if options.refuse: return options.refuse
        Handler.count += 1
        path = os.path.join(options.folder, "%03d" % Handler.count)
        facts = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": options.tls == "smtps" or session.ssl is not None, "login": bool(session.authenticated)}
        with open(path + ".json", "w") as file: json.dump(facts | parsed(envelope.original_content), file)
        with open(path + ".new", "wb") as file: file.write(envelope.original_content)
        os.rename(path + ".new", path + ".eml")
        return "250 taken"


def parsed(content):
    mail = email.message_from_bytes(content, policy=email.policy.SMTP)
    parts = list(mail.walk())
    texts = {part.get_content_type(): part.get_content() for part in parts if part.get_content_maintype() == "text"}
    defects = [str(defect) for part in parts for defect in part.defects] + [
        str(defect) for part in parts for header in part.values() for defect in getattr(header, "defects", [])]
    lines = content.split(b"\r\n")
    return {
        "headers": {name.lower(): str(value) for name, value in mail.items()}, "names": mail.keys(), "text": texts.get("text/plain", ""),
        "html": texts.get("text/html", ""), "defects": defects, "longest": max(map(len, lines)),
        "ascii": content.isascii(), "bare": any(b"\n" in line or b"\r" in line for line in lines)}


def authenticate(server, session, envelope, mechanism, data):
    user, password = options.login.split(":", 1)
    good = isinstance(data, LoginPassword) and data.login == user.encode() and data.password == password.encode()
    # Not handled: the server itself says no.
    return AuthResult(success=good, handled=False)


async def main():
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    arguments = {"enable_SMTPUTF8": False}
    if options.login: arguments |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": options.tls is not None}
    if options.tls == "smtps": arguments["auth_require_tls"] = False
    if options.tls == "starttls": arguments |= {"tls_context": context, "require_starttls": True}
    loop = asyncio.get_running_loop()
    handler = Handler()
    server = await loop.create_server(
        lambda: SMTP(handler, loop=loop, **arguments), "127.0.0.1", 0, ssl=context if options.tls == "smtps" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
