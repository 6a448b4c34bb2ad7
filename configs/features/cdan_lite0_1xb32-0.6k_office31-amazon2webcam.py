_base_ = 'dann_lite0_1xb32-0.6k_office31-amazon2webcam.py'

model = dict(
    uda_head=dict(
        type='mmgh.CDANHead',
        multilinear_map=dict(randomized=True, random_dim=256)))
