# A study for `mmgh study`: each method with each harmonizer on each pair of
# domains, with each seed. Paths are relative to this file, or
# `mmgh::dann/...py` from anywhere; `options` are as for --cfg-options.
# A harmonizer's `suffix` names the method's config, or its `harmonizer` (a
# config, a name, or none) takes the place of what that has.
# Without `null = False` each study also has the null control, which is named
# null. A method may be `of` another one, with its alignment of another
# `strength`.
# Data sets, preprocessing and evaluation are those of the pair; batch size,
# workers and all else are the method's. So the pairs of one study should have
# images of one size and one number of classes, or `options` that say so.
pairs = {
    'Digits -> DigitsM': dict(config='../_base_/datasets/digits2digitsm.py'),
    'MNIST -> USPS': dict(config='../_base_/datasets/mnist10k2usps.py'),
    'USPS -> MNIST': dict(config='../_base_/datasets/usps2mnist10k.py'),
}
lenet = 'lenet_1xb32-1k_digits-digits2digitsm.py'
vit = 'vit-tiny_1xb32-1k_digits-digits2digitsm.py'
methods = {
    'source-only': dict(
        config=f'../source_only/source-only_{lenet}', harmonizers=['none']),
    # Both domains go through the network, and nothing is aligned: what the
    # other methods are to be compared with.
    'no UDA loss': dict(
        config=f'../dann/dann_{lenet}',
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.}),
    'no UDA loss, joint': dict(
        config=f'../mcc/mcc_{lenet}',
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.}),
    'DANN': dict(config=f'../dann/dann_{lenet}'),
    'CDAN': dict(config=f'../cdan/cdan_{lenet}'),
    'CDAN+E': dict(config=f'../cdan/cdan-e_{lenet}'),
    'GVB': dict(config=f'../gvb/gvb_{lenet}'),
    'MCD': dict(config=f'../mcd/mcd_{lenet}'),
    'MCD, alternating': dict(config=f'../mcd/mcd-alternating-cls_{lenet}'),
    'DWL': dict(config=f'../dwl/dwl_{lenet}'),
    'DAN': dict(config=f'../dan/dan_{lenet}'),
    'JAN': dict(config=f'../jan/jan_{lenet}'),
    'Deep CORAL': dict(config=f'../deep_coral/deep-coral_{lenet}'),
    'AFN': dict(config=f'../afn/afn_{lenet}'),
    'MDD': dict(config=f'../mdd/mdd_{lenet}'),
    'MCC': dict(config=f'../mcc/mcc_{lenet}'),
    'BSP': dict(config=f'../bsp/bsp_{lenet}'),
    'source-only, ViT': dict(
        config=f'../source_only/source-only_{vit}', harmonizers=['none']),
    'SSRT': dict(config=f'../ssrt/ssrt_{vit}'),
}
harmonizers = {
    'none': dict(),
    'GH': dict(suffix='-gh'),
    'GH++': dict(suffix='-ghpp'),
}
baseline = 'none'
seeds = [0, 1, 2, 3, 4]
# The last iteration counts; there is nothing to be chosen.
options = {'train_cfg.val_interval': 1000}
