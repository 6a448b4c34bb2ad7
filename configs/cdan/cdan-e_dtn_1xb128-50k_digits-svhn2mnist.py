_base_ = 'cdan_dtn_1xb128-50k_digits-svhn2mnist.py'

model = dict(uda_head=dict(entropy='detached'))
