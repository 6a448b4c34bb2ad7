default_scope = 'mmpretrain'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(
        type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # Only the last checkpoints are kept: choosing one by its accuracy on
    # target labels would be cheating.
    checkpoint=dict(
        type='mmgh.AtomicCheckpointHook',
        by_epoch=False,
        interval=500,
        max_keep_ckpts=2),
    # The log in memory and in checkpoints does not grow without end.
    log_length=dict(type='mmgh.LogLengthHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # The head, the training and the test data have the same classes.
    class_check=dict(type='mmgh.ClassCheckHook'),
    # A checkpoint has the weights of the model.
    weights_check=dict(type='mmgh.WeightsCheckHook'),
    # The data and the model have what the metrics need, and what waits for a
    # metric names one.
    evaluator_check=dict(type='mmgh.EvaluatorCheckHook'),
    # Loop, sampler, schedule, clipping and saving go with each other.
    training_check=dict(type='mmgh.TrainingCheckHook'),
    # A resumed run equals an uninterrupted one.
    exact_resume=dict(type='mmgh.ExactResumeHook'),
    # A training that diverges ends before it is saved.
    divergence=dict(type='mmgh.DivergenceHook'),
    # Several processes validate what they save.
    common_buffers=dict(type='mmgh.CommonBuffersHook'),
    visualization=dict(type='VisualizationHook', enable=False))
custom_hooks = []
randomness = dict(seed=0, deterministic=False)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # Seconds that processes wait for one that hangs. More, if one may be busy
    # alone for longer, as with a metric that takes its time.
    dist_cfg=dict(backend='nccl', timeout=600))
visualizer = dict(
    type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')])
# Scalars of single iterations are noisy: log their mean since the last line.
log_processor = dict(
    by_epoch=False,
    window_size=50,
    mean_pattern=r'.*(loss|time|grad_norm|domain_accuracy|conflict|cosine'
    r'|angle|norm_ratio|opposed|weight|clip).*')
log_level = 'INFO'
load_from = None
resume = False
