"""Files on Google Drive, which links to it only show."""
from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

DOWNLOAD = 'https://drive.usercontent.google.com/download'
HOSTS = ('drive.google.com', 'docs.google.com')


def direct_link(url: str) -> str:
    """Where the file itself is, if ``url`` is a page of Google Drive.

    Args:
        url (str): Such as ``https://drive.google.com/file/d/ID/view``. Any
            other URL is returned as it is.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    page = re.match('/file/d/([^/]+)', parts.path)
    file = page[1] if page else query.get('id')
    if parts.hostname not in HOSTS or file is None:
        return url
    # Unless confirmed, a large file is a page that warns of viruses.
    wanted = dict(id=file, export='download', confirm='t')
    if 'resourcekey' in query:
        # Files from before September 2021 may be refused without it.
        wanted['resourcekey'] = query['resourcekey']
    return f'{DOWNLOAD}?{urlencode(wanted)}'
