# As office31_features.py, with the last block and layer of the network trained
# as well, at a tenth of the rate, and with the statistics of batch
# normalisation that it was pretrained with. They start from what the blocks
# before them make of the images: ../_base_/extractors/lite0_first_blocks.py is
# for that.
# Without a connection a file of the weights goes into `network`, as
# checkpoint_path.
_base_ = 'office31_features.py'

network = dict(
    type='TIMMBackbone', model_name='tf_efficientnet_lite0', pretrained=True)
data_root = 'data/features/office31_lite0_first_blocks'
max_iters = 300
pairs = {
    '_delete_': True,
    **{pair: _base_.pairs[pair]
       for pair in ('A -> W', 'W -> A')},
}
limit = 'model.uda_head.reversal.max_coefficient'
methods = {
    '_delete_': True,
    **{method: _base_.methods[method]
       for method in ('DANN', 'MDD')},
    # Ten times the alignment, as in office31_strengths.py.
    'MDD x10': dict(
        config=_base_.methods.MDD.config,
        of='MDD',
        strength=10.,
        options={limit: 1.}),
}
options = {
    'train_dataloader.dataset.source.data_root': data_root,
    'train_dataloader.dataset.target.data_root': data_root,
    'val_dataloader.dataset.data_root': data_root,
    'test_dataloader.dataset.data_root': data_root,
    'model.neck': [
        dict(
            type='mmgh.LayersOf',
            network=network,
            layers=[
                'timm_model.blocks.6', 'timm_model.conv_head', 'timm_model.bn2'
            ],
            in_shape=(192, 5, 5),
            norm_eval=True),
        dict(type='GlobalAveragePooling'),
        dict(type='mmgh.Bottleneck', in_channels=1280, norm_act=True),
    ],
    'optim_wrapper.paramwise_cfg': dict(
        custom_keys={'neck.0': dict(lr_mult=0.1)}),
    'train_cfg.max_iters': max_iters,
    'train_cfg.val_interval': max_iters,
    'param_scheduler.gamma': 10 / max_iters,
    'model.uda_head.reversal.warmup_iters': max_iters,
    'default_hooks.checkpoint.interval': max_iters,
}
seeds = [0, 1, 2]
