# What the harmonized ones compare with: in step C the features minimise the
# classification losses as well.
_base_ = 'mcd-alternating_resnet101_1xb32-10k_visda2017-train2validation.py'

model = dict(generator_tasks=('cls', 'alignment'))
