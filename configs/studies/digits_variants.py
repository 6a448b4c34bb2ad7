# Settings of GH and GH++ compared; the methods and pairs of digits.py.
_base_ = 'digits.py'

harmonizers = {
    'GH max 10': dict(
        suffix='-gh', options={'optim_wrapper.max_weight': 10.}),
    'GH++ max 10': dict(
        suffix='-ghpp', options={'optim_wrapper.max_weight': 10.}),
    'GH shared': dict(
        suffix='-gh', options={'optim_wrapper.apply_to': 'shared'}),
    'GH++ shared': dict(
        suffix='-ghpp', options={'optim_wrapper.apply_to': 'shared'}),
    'GH features': dict(
        suffix='-gh', options={'optim_wrapper.probe': 'features'}),
    'GH++ features': dict(
        suffix='-ghpp', options={'optim_wrapper.probe': 'features'}),
    'GH++ published': dict(
        suffix='-ghpp', options={'optim_wrapper.harmonizer.form': 'published'}),
}
