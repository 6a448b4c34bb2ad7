# JAN as in TLlib, on any photographs: as DAN, but for head and forward.
_base_ = 'dan.py'

model = dict(
    uda_head=dict(_delete_=True, type='mmgh.JANHead'),
    domain_forward='joint')
