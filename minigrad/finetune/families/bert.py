"""BERT in Hugging Face's files: their names and ours, their settings and our arguments."""

from ...bounded_json import shorten
from ...models import BERT
from .dropout import one_dropout
from .family import Family

TABLE = """
    bert.embeddings.word_embeddings                  tokens                      embedding
    bert.embeddings.position_embeddings              positions                   embedding
    bert.embeddings.token_type_embeddings            segments                    embedding
    bert.embeddings.LayerNorm                        embedding_norm              norm
    bert.encoder.layer.*.attention.self.query        blocks.*.attention.query    linear
    bert.encoder.layer.*.attention.self.key          blocks.*.attention.key      linear
    bert.encoder.layer.*.attention.self.value        blocks.*.attention.value    linear
    bert.encoder.layer.*.attention.output.dense      blocks.*.attention.output   linear
    bert.encoder.layer.*.attention.output.LayerNorm  blocks.*.attention_norm     norm
    bert.encoder.layer.*.intermediate.dense          blocks.*.up                 linear
    bert.encoder.layer.*.output.dense                blocks.*.down               linear
    bert.encoder.layer.*.output.LayerNorm            blocks.*.feed_forward_norm  norm
    bert.pooler.dense                                pooler                      linear
    cls.predictions.transform.dense                  transform                   linear
    cls.predictions.transform.LayerNorm              transform_norm              norm
    cls.predictions.bias                             output_bias                 array
    classifier                                       classifier                  linear
"""
SETTINGS = """
    vocab_size               vocabulary_size
    num_hidden_layers        num_layers
    num_attention_heads      num_heads
    hidden_size              hidden_dim
    intermediate_size        intermediate_dim
    max_position_embeddings  max_sequence_length
    type_vocab_size          num_segments         2
    layer_norm_eps           layer_norm_epsilon   1e-12
"""
FIXED = {
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}
_DROPOUTS = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
_ARCHITECTURES = {
    None: "BertModel",
    "tokens": "BertForMaskedLM",
    "classes": "BertForSequenceClassification",
}


def _more_arguments(settings, head, names):
    found = {"head": head, "dropout": one_dropout(settings, _DROPOUTS)}
    if head == "classes":
        found["labels"] = _labels(settings)
        found["num_classes"] = len(found["labels"] or ()) or settings.get("num_labels", 2)
    if head is None:
        found["use_pooler"] = any(name.endswith("pooler.dense.weight") for name in names)
    return found


def _labels(settings):
    """The names of the outputs, in their order; None if there are none."""
    table = settings.get("id2label", {})
    names = [table.get(str(i)) for i in range(len(table))] if isinstance(table, dict) else [None]
    if not all(isinstance(name, (str, int)) for name in names):
        raise ValueError(
            'id2label has a name for each output, as {"0": "no", "1": "yes"}. '
            f"Received: {shorten(table)}"
        )
    return names or None


def _more_settings(model):
    found = {"architectures": [_ARCHITECTURES[model.head]]}
    found |= dict.fromkeys(_DROPOUTS, model.dropout)
    if model.head == "classes":
        labels = model.labels or [f"LABEL_{i}" for i in range(model.num_classes)]
        found["id2label"] = {str(i): label for i, label in enumerate(labels)}
        found["label2id"] = {label: i for i, label in enumerate(labels)}
    return found


FAMILY = Family(
    BERT,
    kinds=("bert",),
    table=TABLE,
    settings=SETTINGS,
    fixed=FIXED,
    more_arguments=_more_arguments,
    more_settings=_more_settings,
    prefix="bert.",
    heads=("cls.", "classifier.", "qa_outputs.", "head."),
    ignored=("embeddings.position_ids", "embeddings.token_type_ids"),
    tied={
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    },
    renamed={"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"},
)
