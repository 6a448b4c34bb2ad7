# A config takes it by `optim_wrapper = {{_base_.gh}}`; the optimizer and all
# other options of its optim wrapper stay.
gh = dict(type='mmgh.GHOptimWrapper', harmonizer=dict(type='mmgh.GH'))
