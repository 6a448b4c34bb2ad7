model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch='base',
        img_size=224,
        patch_size=16,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/'
            'vit/finetune/vit-base-p16_in21k-pre-3rdparty_ft-64xb64_in1k-384_'
            '20210928-98e8652b.pth',
            prefix='backbone')),
    neck=dict(
        type='mmgh.Bottleneck',
        in_channels=768,
        out_channels=1024,
        norm_act=True,
        dropout=0.5),
    head=dict(type='LinearClsHead', in_channels=1024, num_classes=31))
