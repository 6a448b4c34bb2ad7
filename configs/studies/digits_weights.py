# Losses that were weighted for Digits -> DigitsM, with smaller weights, where
# they are too strong for another pair.
_base_ = 'digits.py'

methods = {
    '_delete_': True,
    'MCD, loss_weight=0.2': dict(
        config=f'../mcd/mcd_{_base_.lenet}',
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.2}),
    'DWL, discrepancy_weight=0.2': dict(
        config=f'../dwl/dwl_{_base_.lenet}',
        harmonizers=['none'],
        options={'model.uda_head.discrepancy_weight': 0.2}),
    'AFN, loss_weight=0.005': dict(
        config=f'../afn/afn_{_base_.lenet}',
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.005}),
}
