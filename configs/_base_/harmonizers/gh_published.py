# GH as in the published code: its weights have no bound. See gh.py; what else
# a method needs for that stands in its configs.
gh_published = dict(
    type='mmgh.GHOptimWrapper',
    harmonizer=dict(type='mmgh.GH'),
    max_weight=float('inf'))
