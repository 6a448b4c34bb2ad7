# CDAN as in TLlib, on digits of 28 x 28 pixels and from random weights.
_base_ = 'dann_digits.py'

model = dict(uda_head=dict(type='mmgh.CDANHead'))
