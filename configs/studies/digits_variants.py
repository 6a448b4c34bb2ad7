# Settings of GH and GH++ compared; the pairs and methods of digits.py, and
# some of these with another optimizer and with a stronger alignment.
_base_ = 'digits.py'

sgd = {
    'optim_wrapper.optimizer.type': 'SGD',
    'optim_wrapper.optimizer.lr': 0.01,
    'optim_wrapper.optimizer.momentum': 0.9,
}
strong = {'model.uda_head.loss_weight': 5.}
dann = f'../dann/dann_{_base_.lenet}'
cdan_e = f'../cdan/cdan-e_{_base_.lenet}'
mdd = f'../mdd/mdd_{_base_.lenet}'
methods = {
    'DANN, SGD': dict(config=dann, options=sgd),
    'CDAN+E, SGD': dict(config=cdan_e, options=sgd),
    'MDD, SGD': dict(config=mdd, options=sgd),
    # What turning towards the alignment does on the whole.
    'MDD, loss_weight=1.5': dict(
        config=mdd, options={'model.uda_head.loss_weight': 1.5}),
    'DANN, loss_weight=5': dict(config=dann, options=strong),
    'CDAN+E, loss_weight=5': dict(config=cdan_e, options=strong),
}
shared = {'optim_wrapper.apply_to': 'shared'}
features = {'optim_wrapper.probe': 'features'}
harmonizers = {
    'GH++ published': dict(
        suffix='-ghpp',
        options={'optim_wrapper.harmonizer.form': 'published'}),
    'GH shared': dict(suffix='-gh', options=shared),
    'GH++ shared': dict(suffix='-ghpp', options=shared),
    'GH features': dict(suffix='-gh', options=features),
    'GH++ features': dict(suffix='-ghpp', options=features),
    # Only the classification, or only the alignment, is turned.
    'GH++ range 0': dict(
        suffix='-ghpp',
        options={'optim_wrapper.harmonizer.harmonic_range': 0.}),
    'GH++ range 1': dict(
        suffix='-ghpp',
        options={'optim_wrapper.harmonizer.harmonic_range': 1.}),
    'GH max 10': dict(
        suffix='-gh', options={'optim_wrapper.max_weight': 10.}),
    'GH++ max 10': dict(
        suffix='-ghpp', options={'optim_wrapper.max_weight': 10.}),
}
