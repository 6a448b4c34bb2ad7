# GH++ as in the published code: by the angle alone. See gh_published.py.
ghpp_published = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GHPlusPlus', form='published'),
    max_weight=float('inf'))
