_base_ = [
    'dwl_lenet_1xb32-1k_digits-digits2digitsm.py',
    '../_base_/harmonizers/gh_published.py',
]

# The dynamic weight comes after harmonization, and features alone step by it.
model = dict(uda_head=dict(weigh_after=True))
optim_wrapper = dict(
    _base_.gh_published,
    shared=['backbone'],
    apply_to='shared')
