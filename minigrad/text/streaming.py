"""Text as its ids come, one at a time: whole characters only."""

import codecs


class StreamDecoder:
    """Ids to text as they come. A character may need several ids: it is given with its last one.

    Bytes that are no UTF-8 become U+FFFD, as `decode` has it: put together, the texts are equal.

    >>> from minigrad.text import ByteTokenizer
    >>> decoder = StreamDecoder(ByteTokenizer())
    >>> [decoder.add(id) for id in (0xE4, 0xB8, 0xAD, 0x21)]
    ['', '', '中', '!']
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, id):
        """The characters that are complete with this id: often none, or a whole word."""
        return self._decoder.decode(self._tokenizer.decode_bytes([id]))

    def end(self):
        """What is left of a character that never became whole: U+FFFD, or nothing."""
        return self._decoder.decode(b"", final=True)
