_base_ = [
    'dwl_resnet50_1xb32-20k_office31-amazon2webcam.py',
    '../_base_/harmonizers/gh_published.py',
]

# The dynamic weight comes after harmonization, and features alone step by it.
model = dict(uda_head=dict(weigh_after=True))
optim_wrapper = dict(
    _base_.gh_published,
    shared=['backbone', 'neck'],
    apply_to='shared')
