"""Llama, Qwen2 and Qwen3 in Hugging Face's files: their names and ours, their settings and ours."""

from ...models import Llama
from .family import Family, Settings

TABLE = """
    model.embed_tokens                       tokens                      embedding
    model.layers.*.input_layernorm           blocks.*.attention_norm     norm
    model.layers.*.self_attn.q_proj          blocks.*.query              linear
    model.layers.*.self_attn.k_proj          blocks.*.key                linear
    model.layers.*.self_attn.v_proj          blocks.*.value              linear
    model.layers.*.self_attn.q_norm          blocks.*.query_norm         norm
    model.layers.*.self_attn.k_norm          blocks.*.key_norm           norm
    model.layers.*.self_attn.o_proj          blocks.*.output             linear
    model.layers.*.post_attention_layernorm  blocks.*.feed_forward_norm  norm
    model.layers.*.mlp.gate_proj             blocks.*.gate               linear
    model.layers.*.mlp.up_proj               blocks.*.up                 linear
    model.layers.*.mlp.down_proj             blocks.*.down               linear
    model.norm                               final_norm                  norm
    lm_head                                  output                      linear
"""
SETTINGS = """
    vocab_size               vocabulary_size
    num_hidden_layers        num_layers
    num_attention_heads      num_heads
    hidden_size              hidden_dim
    intermediate_size        intermediate_dim
    num_key_value_heads      num_key_value_heads  null
    head_dim                 head_dim             null
    max_position_embeddings  max_sequence_length
    rms_norm_eps             layer_norm_epsilon   1e-6
    tie_word_embeddings      tie_embeddings       false
"""
FIXED = {
    "hidden_act": ("silu",),
    "attention_bias": (False,),
    "attention_dropout": (0.0, 0),
    "mlp_bias": (False,),
    "use_sliding_window": (False, None),
    "partial_rotary_factor": (1.0, 1, None),
}
_SCALING = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")


def _more_arguments(settings, head, names):
    settings.check(tie_word_embeddings=(False, True, None))
    kind = settings.get("model_type")
    layers = settings.get("layer_types", [])
    if not isinstance(layers, list) or any(layer != "full_attention" for layer in layers):
        raise ValueError(
            f"{settings.place}: minigrad's Llama has layer_types='full_attention' alone. "
            f"Received: layer_types={layers!r:.80}"
        )
    return {
        "use_qkv_bias": kind == "qwen2",
        "use_qk_norm": kind == "qwen3",
        **_rotation(settings),
    }


def _rotation(settings):
    """The arguments for the angles, of `rope_parameters`; of what older files have in its place."""
    older = {"rope_theta": settings.get("rope_theta", 10000.0)}
    scaling = settings.get("rope_scaling", {})
    found = settings.get("rope_parameters", scaling)
    place = f"{settings.place}: rope_parameters"
    rotation = Settings({**older, **found} if isinstance(found, dict) else found, place)
    kind = rotation.get("rope_type", rotation.get("type", "default"))
    rotation.check(partial_rotary_factor=FIXED["partial_rotary_factor"])
    if kind not in ("default", "llama3"):
        raise ValueError(
            f"{place}: minigrad's Llama has rope_type='default' or 'llama3'. "
            f"Received: rope_type={kind!r:.80}"
        )
    return {
        "rope_max_wavelength": rotation.get("rope_theta"),
        "rope_scaling": {name: rotation.get(name) for name in _SCALING}
        if kind == "llama3"
        else None,
    }


def _more_settings(model):
    if model.use_qkv_bias and model.use_qk_norm:
        raise ValueError(
            "no model of theirs has biases and normalizations of queries and keys, as this Llama "
            f"does. Received: use_qkv_bias={model.use_qkv_bias}, use_qk_norm={model.use_qk_norm}"
        )
    kind = "Qwen2" if model.use_qkv_bias else "Qwen3" if model.use_qk_norm else "Llama"
    rotation = {"rope_type": "default", **(model.rope_scaling or {})}
    if model.rope_scaling:
        rotation["rope_type"] = "llama3"
    return {
        "model_type": kind.lower(),
        "architectures": [f"{kind}ForCausalLM"],
        "rope_theta": model.rope_max_wavelength,  # for versions of transformers before 5
        "rope_scaling": rotation if model.rope_scaling else None,
        "rope_parameters": {"rope_theta": model.rope_max_wavelength, **rotation},
    }


FAMILY = Family(
    Llama,
    kinds=("llama", "qwen2", "qwen3"),
    table=TABLE,
    settings=SETTINGS,
    fixed=FIXED,
    more_arguments=_more_arguments,
    more_settings=_more_settings,
    prefix="model.",
    heads=("score.", "classifier.", "qa_outputs.", "head."),
    ignored=("layers.*.self_attn.rotary_emb.inv_freq",),
    tied={"lm_head.weight": "model.embed_tokens.weight"},
    renamed={},
)
