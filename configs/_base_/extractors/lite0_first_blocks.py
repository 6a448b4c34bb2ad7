# EfficientNet-Lite0 of timm up to its last block and layer, which are trained
# behind it in ../../studies/office31_last_block.py. Without a connection a
# file of its weights goes into model.backbone.network.checkpoint_path.
_base_ = 'lite0.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmgh.LayersOf',
        network=dict(
            type='TIMMBackbone',
            model_name='tf_efficientnet_lite0',
            pretrained=True),
        layers=[
            'timm_model.conv_stem', 'timm_model.bn1',
            *(f'timm_model.blocks.{number}' for number in range(6))
        ],
        flatten=True),
    neck=None)
