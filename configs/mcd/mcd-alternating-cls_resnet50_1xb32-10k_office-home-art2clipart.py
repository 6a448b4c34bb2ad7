# What the harmonized ones compare with: in step C the features minimise the
# classification losses as well.
_base_ = 'mcd-alternating_resnet50_1xb32-10k_office-home-art2clipart.py'

model = dict(generator_tasks=('cls', 'alignment'))
