_base_ = 'gvb_resnet50_1xb36-8k_office-home-art2clipart.py'

optim_wrapper = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GH'),
    pairs=[('alignment', 'cls'), ('bridge_g', 'bridge_d')])
