_base_ = 'gvb_lenet_1xb32-1k_digits-digits2digitsm.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GHPlusPlus'),
    pairs=[('alignment', 'cls'), ('bridge_g', 'bridge_d')])
