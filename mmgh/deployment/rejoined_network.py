"""A network that was split into its first and last layers, whole again."""
from __future__ import annotations

from .translations import Weights


def rejoined_network(model: dict,
                     weights: Weights) -> tuple[dict, Weights]:
    """Put the two parts of a backbone together again.

    Args:
        model (dict): Config of a classifier. If its backbone and its first
            neck are :class:`mmgh.models.LayersOf` one network, this network
            becomes the backbone; if not, nothing changes.
        weights (Mapping[str, Tensor]): Of the classifier.

    Returns:
        tuple: Config and weights.
    """
    necks = model['neck'] or ()
    first = model['backbone']
    if not (necks and _is_part(first) and _is_part(necks[0])
            and first['network'] == necks[0]['network']):
        return model, weights
    names = {
        f'{place}.layers.{number}': f'backbone.{layer}'
        for place, part in (('backbone', first), ('neck.0', necks[0]))
        for number, layer in enumerate(part['layers'])
    }
    names.update({
        f'neck.{number}': f'neck.{number - 1}'
        for number in range(1, len(necks))
    })
    return {
        **model, 'backbone': first['network'],
        'neck': necks[1:] or None
    }, {
        _renamed(name, names): value
        for name, value in weights.items()
    }


def _is_part(part: dict) -> bool:
    return str(part['type']).split('.')[-1] == 'LayersOf'


def _renamed(name: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        if name.startswith(f'{old}.'):
            return new + name[len(old):]
    return name
