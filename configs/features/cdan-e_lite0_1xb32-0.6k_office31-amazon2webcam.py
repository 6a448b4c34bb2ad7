_base_ = 'cdan_lite0_1xb32-0.6k_office31-amazon2webcam.py'

model = dict(uda_head=dict(entropy='reversed'))
