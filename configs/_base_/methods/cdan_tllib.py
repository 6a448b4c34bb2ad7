# CDAN as in TLlib, on any photographs. The map is exact, however large.
_base_ = 'dann_tllib.py'

model = dict(
    uda_head=dict(
        type='mmgh.CDANHead', multilinear_map=dict(randomized=False)))
