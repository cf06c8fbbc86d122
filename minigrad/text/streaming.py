"""Text as its ids come, one at a time: whole characters only."""

import codecs


class StreamDecoder:
    """Ids to text as they come. A character of several ids is given with the last of them.

    Bytes that are no UTF-8 become U+FFFD as in `decode`: all texts put together are what it gives.

    >>> from minigrad.text import ByteTokenizer
    >>> decoder = StreamDecoder(ByteTokenizer())
    >>> [decoder.add(id) for id in (0xE4, 0xB8, 0xAD, 0x21)]
    ['', '', '中', '!']
    """

    def __init__(self, tokenizer):
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = False

    def add(self, id):
        """The characters that are complete with this id: often none, or a whole word."""
        content = self._tokenizer.content(id)
        if not self._begun:
            content = content.removeprefix(self._tokenizer.word_space.encode())
        self._begun = True
        return self._decoder.decode(content)

    def end(self):
        """What is left of a character that was not completed: U+FFFD, or nothing."""
        return self._decoder.decode(b"", final=True)
