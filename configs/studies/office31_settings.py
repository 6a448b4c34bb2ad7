# Settings of GH and GH++, and other ways to weigh gradients, on two methods of
# office31_features.py.
_base_ = 'office31_features.py'

pairs = {
    '_delete_': True,
    **{
        pair: _base_.pairs[pair]
        for pair in ('A -> W', 'D -> A', 'W -> A', 'A -> D')
    },
}
methods = {
    '_delete_': True,
    **{method: _base_.methods[method]
       for method in ('DANN', 'MDD')},
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
seeds = list(range(5))
