_base_ = 'cdan_lenet_1xb128-50k_digits-usps2mnist.py'

model = dict(uda_head=dict(entropy='detached'))
