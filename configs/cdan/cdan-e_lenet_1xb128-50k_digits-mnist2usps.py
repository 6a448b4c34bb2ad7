_base_ = 'cdan_lenet_1xb128-50k_digits-mnist2usps.py'

model = dict(uda_head=dict(entropy='detached'))
