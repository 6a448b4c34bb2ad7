# A target that has ten of the 31 classes of the source, at the strength of the
# config and at ten times that.
_base_ = 'office31_strengths.py'

pairs = {
    '_delete_': True,
    **{
        f'{pair}, 10 classes': dict(
            config=entry.config,
            options={
                **entry.options,
                'train_dataloader.dataset.target.keep_classes': 10,
                'val_dataloader.dataset.keep_classes': 10,
                'test_dataloader.dataset.keep_classes': 10,
            })
        for pair, entry in _base_.pairs.items()
    },
}
methods = {
    '_delete_': True,
    'no UDA loss': dict(
        config=_base_.methods.DANN.config,
        harmonizers=['none'],
        options={'model.uda_head.loss_weight': 0.}),
    **{
        name: _base_.methods[name]
        for name in ('DANN', 'DANN x10', 'CDAN+E', 'CDAN+E x10', 'MDD',
                     'MDD x10')
    },
}
