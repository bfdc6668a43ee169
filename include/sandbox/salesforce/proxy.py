"""A CONNECT proxy that leads every ``*.salesforce.com`` name to this org, for clients that build such addresses."""

import asyncio
import contextlib
import re

_CONNECT = re.compile(rb"CONNECT ([\w.-]+):(\d+) HTTP/1\.[01]\r\n")
_LONGEST_HEAD = 16_384


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        with contextlib.suppress(OSError):
            writer.close()


async def start(port: int, https_port: int) -> asyncio.Server:
    """Listen on 127.0.0.1 and tunnel CONNECT requests for Salesforce's and local names to the HTTPS port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            writer.close()
            return
        match = _CONNECT.match(head)
        host = match[1].decode() if match else ""
        if not (host.endswith(".salesforce.com") or host in ("127.0.0.1", "localhost")):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", https_port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        copies = [asyncio.create_task(_copy(reader, inner_writer)), asyncio.create_task(_copy(inner_reader, writer))]
        # When one side is done, so is the other: a half-open TLS connection would hold up the server's end.
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        inner_writer.close()
        writer.close()
        await asyncio.wait(copies)

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=_LONGEST_HEAD)
