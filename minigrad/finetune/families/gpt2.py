"""GPT-2 in Hugging Face's files: their names and ours, their settings and our arguments."""

from ...models import GPT
from .dropout import one_dropout
from .family import Family

TABLE = """
    transformer.wte              tokens                      embedding
    transformer.wpe.weight       positions                   array
    transformer.h.*.ln_1         blocks.*.attention_norm     norm
    transformer.h.*.attn.c_attn  blocks.*.query_key_value    conv1d
    transformer.h.*.attn.c_proj  blocks.*.output             conv1d
    transformer.h.*.ln_2         blocks.*.feed_forward_norm  norm
    transformer.h.*.mlp.c_fc     blocks.*.up                 conv1d
    transformer.h.*.mlp.c_proj   blocks.*.down               conv1d
    transformer.ln_f             final_norm                  norm
"""
SETTINGS = """
    vocab_size          vocabulary_size
    n_layer             num_layers
    n_head              num_heads
    n_embd              hidden_dim
    n_inner             intermediate_dim     null
    n_positions         max_sequence_length  1024
    layer_norm_epsilon  layer_norm_epsilon   1e-5
"""
FIXED = {
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True,),
}
_DROPOUTS = {"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1}


def _more_arguments(settings, head, names):
    return {"dropout": one_dropout(settings, _DROPOUTS)}


def _more_settings(model):
    return {"architectures": ["GPT2LMHeadModel"], **dict.fromkeys(_DROPOUTS, model.dropout)}


FAMILY = Family(
    GPT,
    kinds=("gpt2",),
    table=TABLE,
    settings=SETTINGS,
    fixed=FIXED,
    more_arguments=_more_arguments,
    more_settings=_more_settings,
    prefix="transformer.",
    heads=("score.", "classifier.", "qa_outputs.", "head."),
    ignored=("h.*.attn.bias", "h.*.attn.masked_bias"),  # which tokens precede which
    tied={"lm_head.weight": "transformer.wte.weight"},
    renamed={},
)
