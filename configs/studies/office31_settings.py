# Settings of GH and GH++, and other ways to weigh gradients, on three methods
# of office31_features.py.
_base_ = 'office31_features.py'

pairs = {
    '_delete_': True,
    **{
        pair: _base_.pairs[pair]
        for pair in ('A -> W', 'D -> A', 'W -> A', 'A -> D')
    },
}
no_bound = {'optim_wrapper.max_weight': float('inf')}
harmonizers = {
    # As in the published code, which does not bound the weights.
    'GH published': dict(harmonizer=dict(type='mmgh.GH'), options=no_bound),
    'GH++ published': dict(
        harmonizer=dict(type='mmgh.GHPlusPlus', form='published'),
        options=no_bound),
    # Only the alignment is turned.
    'GH++ range 1': dict(
        harmonizer=dict(type='mmgh.GHPlusPlus', harmonic_range=1.)),
    'CAGrad': dict(harmonizer=dict(type='mmgh.TorchJD', name='CAGrad', c=0.4)),
    'MGDA': dict(harmonizer=dict(type='mmgh.TorchJD', name='MGDA')),
}
# The mean weights of GH over the training, from the start: what they are worth
# without its choice of moments.
constants = {
    'DANN': dict(cls=1.18),
    'MDD': dict(alignment=1.07, cls=1.55),
    'MCC': dict(alignment=1.04, cls=1.03),
}
methods = {
    '_delete_': True,
    **{
        method: dict(
            **_base_.methods[method],
            harmonizers=[
                *_base_.harmonizers, *harmonizers, f'mean weights, {method}'
            ])
        for method in constants
    },
}
harmonizers.update({
    f'mean weights, {method}': dict(
        harmonizer=dict(type='mmgh.Constant', weights=weights))
    for method, weights in constants.items()
})
seeds = list(range(5))
