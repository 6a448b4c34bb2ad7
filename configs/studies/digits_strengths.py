# Ten times the alignment of DANN and MDD on digits, as office31_strengths.py
# has it on photographs.
_base_ = 'digits.py'

limit = 'model.uda_head.reversal.max_coefficient'
strengths = {'DANN': 1., 'MDD': 0.5}
methods = {
    '_delete_': True,
    **{method: _base_.methods[method]
       for method in strengths},
    **{
        f'{method} x10': dict(
            config=_base_.methods[method].config,
            of=method,
            strength=10.,
            options={limit: 10 * value})
        for method, value in strengths.items()
    },
}
harmonizers = {
    '_delete_': True,
    'none': dict(),
    'GH': dict(harmonizer=dict(type='mmgh.GH')),
    'GH++': dict(harmonizer=dict(type='mmgh.GHPlusPlus')),
    'RelativeClip': dict(harmonizer=dict(type='mmgh.RelativeClip')),
}
seeds = [0, 1, 2]
