"""What a file is, from its first bytes alone. Names and content types are never believed.

Standard library only, so that the web process can refuse what no worker should ever open: a
playlist, a script or any other format that makes a decoder open further files has no entry here.
"""

from __future__ import annotations

HEAD_BYTES = 64 * 1024

_MPEG_BITRATES = {  # kbit/s by (MPEG-1?, layer), ISO 11172-3 table and its 13818-3 extension
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MPEG_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def sniff(head: bytes) -> str | None:
    """Name the container of a file as FFmpeg's demuxers are named.

    Args:
        head: the first bytes of the file, `HEAD_BYTES` of them if there are so many.

    Returns:
        `ogg`, `flac`, `wav`, `aiff`, `mov`, `matroska`, `mp3` or `aac`; None for anything else.
    """
    head = _without_id3(head)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mov"
    for magic, name in ((b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1a\x45\xdf\xa3", "matroska")):
        if head.startswith(magic):
            return name
    if _adts_frames(head):
        return "aac"
    return "mp3" if _mpeg_frames(head) else None


def _without_id3(head: bytes) -> bytes:
    """Skip a leading ID3v2 tag; a tag longer than the head leaves its claim: mp3 by custom."""
    if head[:3] != b"ID3" or len(head) < 10:
        return head
    size = 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
    )
    return head[size:] if size < len(head) else b"\xff\xfb\x90\x00" * 1000


def _adts_frames(head: bytes) -> bool:
    """Two ADTS headers in a row, the second where the first says (ISO 14496-3)."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 0x03) << 11 | head[4] << 3 | head[5] >> 5
    following = head[length : length + 2]
    return length > 7 and len(following) == 2 and following == head[:2]


def _mpeg_frames(head: bytes) -> bool:
    """Two MPEG audio headers in a row anywhere in the head (leading garbage is common)."""
    position = head.find(b"\xff")
    while 0 <= position < len(head) - 4:
        length = _mpeg_frame_length(head[position : position + 4])
        if length and _mpeg_frame_length(head[position + length : position + length + 4]):
            return True
        position = head.find(b"\xff", position + 1)
    return False


def _mpeg_frame_length(header: bytes) -> int:
    """Length in bytes of the MPEG audio frame with this 4-byte header, 0 if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate_index, rate_index, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate_index in (0, 15) or rate_index == 3:
        return 0
    bitrate = 1000 * _MPEG_BITRATES[version == 3, layer][bitrate_index - 1]
    rate = _MPEG_RATES[version][rate_index]
    if layer == 1:
        return (12 * bitrate // rate + padding) * 4
    samples = 576 if layer == 3 and version != 3 else 1152
    return samples // 8 * bitrate // rate + padding
