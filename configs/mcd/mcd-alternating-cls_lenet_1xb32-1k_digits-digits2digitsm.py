# What the harmonized ones compare with: in step C the features minimise the
# classification losses as well.
_base_ = 'mcd-alternating_lenet_1xb32-1k_digits-digits2digitsm.py'

model = dict(generator_tasks=('cls', 'alignment'))
