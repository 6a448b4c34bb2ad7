_base_ = [
    'dwl_resnet101_1xb32-20k_visda2017-train2validation.py',
    '../_base_/harmonizers/ghpp_published.py',
]

# The dynamic weight comes after harmonization, and features alone step by it.
model = dict(uda_head=dict(weigh_after=True))
optim_wrapper = dict(
    _base_.ghpp_published,
    shared=['backbone', 'neck'],
    apply_to='shared')
