"""Words with their ids, so that each word of a long text is worked out once."""

LARGEST = 1 << 18  # words: then all are forgotten
LONGEST = 64  # characters: longer words seldom come again


class WordCache(dict):
    """{word: its ids}; what is missing, `encode_word` works out."""

    def __init__(self, encode_word):
        self.encode_word = encode_word

    def __missing__(self, word):
        ids = self.encode_word(word)
        if len(word) <= LONGEST:
            if len(self) >= LARGEST:
                self.clear()
            self[word] = ids
        return ids
