# What an alignment that is too weak or too strong does, and what protects from
# it: methods of office31_features.py at 0.3 to 30 times their strength. That
# is the limit of the gradient reversal, where there is one, so that the
# adversary itself learns as fast as before.
_base_ = 'office31_features.py'

pairs = {
    '_delete_': True,
    **{pair: _base_.pairs[pair]
       for pair in ('A -> W', 'D -> A')},
}
limit = 'model.uda_head.reversal.max_coefficient'
strengths = {
    'DANN': (limit, 1.),
    'CDAN+E': (limit, 1.),
    'MDD': (limit, 0.1),
    'GVB-GD': (limit, 1.),
    'JAN': ('model.uda_head.loss_weight', 1.),
}
methods = {
    '_delete_': True,
    **{method: _base_.methods[method]
       for method in strengths},
    **{
        f'{method} x{factor:g}': dict(
            config=_base_.methods[method].config,
            of=method,
            strength=factor,
            options={option: value * factor})
        for factor in (0.3, 3., 10., 30.)
        for method, (option, value) in strengths.items()
    },
}
harmonizers = {
    'RelativeClip, GH++': dict(
        harmonizer=dict(
            type='mmgh.RelativeClip',
            harmonizer=dict(type='mmgh.GHPlusPlus'))),
}
seeds = list(range(5))
