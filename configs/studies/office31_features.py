# Photographs: Office-31 on frozen features of a network that was pretrained on
# ImageNet, see ../features. A run takes seconds. digits.py tells what a study
# may say.
domains = dict(A='amazon', D='dslr', W='webcam')
pairs = {
    f'{source} -> {target}': dict(
        config='../_base_/datasets/features.py',
        options={
            'train_dataloader.dataset.source.domain': domains[source],
            'train_dataloader.dataset.target.domain': domains[target],
            'val_dataloader.dataset.domain': domains[target],
            'test_dataloader.dataset.domain': domains[target],
        })
    for source, target in ('AW', 'DA', 'WA', 'AD', 'DW', 'WD')
}
ending = 'lite0_1xb32-0.6k_office31-amazon2webcam.py'
names = {
    'DANN': 'dann',
    'CDAN+E': 'cdan-e',
    'MDD': 'mdd',
    'CDAN': 'cdan',
    'JAN': 'jan',
    'MCC': 'mcc',
    'GVB-GD': 'gvb',
}
methods = {
    # Both domains go through the batch norm, and nothing is aligned.
    'no UDA loss': dict(
        config=f'../features/dann_{ending}',
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.}),
    **{
        method: dict(config=f'../features/{name}_{ending}')
        for method, name in names.items()
    },
}
harmonizers = {
    'none': dict(),
    'GH': dict(harmonizer=dict(type='mmgh.GH')),
    'GH++': dict(harmonizer=dict(type='mmgh.GHPlusPlus')),
    'RelativeClip': dict(harmonizer=dict(type='mmgh.RelativeClip')),
}
baseline = 'none'
seeds = list(range(10))
# The last iteration counts; there is nothing to be chosen.
options = {'train_cfg.val_interval': 600}
