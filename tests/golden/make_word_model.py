"""Writes word_model.safetensors: what TF-IDF and logistic regression of scikit-learn find.

    python -m tests.golden.make_word_model    (from the root of the repository)

features (n, v), weights (v + 1, c) with the bias in the last row, probabilities (m, c), float64.
Needs scikit-learn; the tests read the file.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

FILE = Path(__file__).with_name("word_model.safetensors")
C = 3.0
TEXTS = [
    "Return the mean of data.",
    "Return the median, the middle of the data; the data are sorted.",
    "Open a file, and return a stream.",
    "Close the file.",
    "Send an e-mail to a server.",
    "Log in to the mail server, and fetch mail.",
    "Büro, café and naïve are words of 1 text.",
]
LABELS = [0, 0, 1, 1, 2, 2, 1]
OTHERS = ["Fetch the data of a FILE.", "zebra", "The mean mail server, mail and mean."]


def main():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer()
    features = vectorizer.fit_transform(TEXTS)
    model = LogisticRegression(C=C, tol=1e-12, max_iter=10**5, solver="newton-cg")
    model.fit(features, LABELS)
    save_file(
        {
            "features": features.toarray(),
            "weights": np.vstack([model.coef_.T, model.intercept_]),
            "probabilities": model.predict_proba(vectorizer.transform(OTHERS)),
        },
        FILE,
    )


if __name__ == "__main__":
    main()
