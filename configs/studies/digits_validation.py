# Which metric without target labels to trust: several methods, validated on
# both domains at each hundredth iteration.
_base_ = 'digits.py'

pairs = {
    name: dict(config=f'../_base_/evaluation/{file}.py')
    for name, file in {
        'Digits -> DigitsM': 'digits2digitsm',
        'MNIST -> USPS': 'mnist10k2usps',
        'USPS -> MNIST': 'usps2mnist10k',
    }.items()
}
methods = dict(
    _delete_=True,
    **{
        name: _base_.methods[name]
        for name in ('no UDA loss', 'DANN', 'CDAN+E', 'JAN', 'MDD')
    })
seeds = [0, 1, 2]
metric = 'oracle/accuracy/top1'
options = {
    'train_cfg.val_interval': 100,
    'model.predict_features': True,
}
