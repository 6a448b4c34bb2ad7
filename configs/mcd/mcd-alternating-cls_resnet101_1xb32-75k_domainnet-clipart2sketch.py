# What the harmonized ones compare with: in step C the features minimise the
# classification losses as well.
_base_ = 'mcd-alternating_resnet101_1xb32-75k_domainnet-clipart2sketch.py'

model = dict(generator_tasks=('cls', 'alignment'))
