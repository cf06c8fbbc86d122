"""BERT in Hugging Face's files: their names and ours, their config.json and our arguments."""

from ...models import BERT
from .family import Family

TABLE = """
    bert.embeddings.word_embeddings                 tokens                      table
    bert.embeddings.position_embeddings             positions                   table
    bert.embeddings.token_type_embeddings           segments                    table
    bert.embeddings.LayerNorm                       embedding_norm              norm
    bert.encoder.layer.*.attention.self.query       blocks.*.attention.query    linear
    bert.encoder.layer.*.attention.self.key         blocks.*.attention.key      linear
    bert.encoder.layer.*.attention.self.value       blocks.*.attention.value    linear
    bert.encoder.layer.*.attention.output.dense     blocks.*.attention.output   linear
    bert.encoder.layer.*.attention.output.LayerNorm blocks.*.attention_norm     norm
    bert.encoder.layer.*.intermediate.dense         blocks.*.up                 linear
    bert.encoder.layer.*.output.dense               blocks.*.down               linear
    bert.encoder.layer.*.output.LayerNorm           blocks.*.feed_forward_norm  norm
    bert.pooler.dense                               pooler                      linear
    classifier                                      classifier                  linear
    cls.predictions.transform.dense                 transform                   linear
    cls.predictions.transform.LayerNorm             transform_norm              norm
    cls.predictions.bias                            output_bias                 array
"""


def arguments(settings):
    """The arguments of a BERT that config.json describes, but for its head."""
    settings.check(
        hidden_act=("gelu",),
        position_embedding_type=("absolute", None),
        is_decoder=(False, None),
        add_cross_attention=(False, None),
        tie_word_embeddings=(True, None),
    )
    return {
        "vocabulary_size": settings.need("vocab_size"),
        "num_layers": settings.need("num_hidden_layers"),
        "num_heads": settings.need("num_attention_heads"),
        "hidden_dim": settings.need("hidden_size"),
        "intermediate_dim": settings.need("intermediate_size"),
        "max_sequence_length": settings.need("max_position_embeddings"),
        "num_segments": settings.get("type_vocab_size", 2),
        "layer_norm_epsilon": settings.get("layer_norm_eps", 1e-12),
        "dropout": settings.get("hidden_dropout_prob", 0.1),
    }


def config(model):
    """What config.json says of a BERT."""
    return {}


FAMILY = Family(
    BERT,
    kinds=("bert",),
    table=TABLE,
    prefix="bert.",
    arguments=arguments,
    config=config,
    heads=("cls.*", "classifier.*", "qa_outputs.*"),
    ignored=("embeddings.position_ids",),
    tied={
        "cls.predictions.decoder.weight": "tokens.weight",
        "cls.predictions.decoder.bias": "output_bias",
    },
)
