"""What a user does with an exported folder where mmgh is not installed.

    python predict_without_mmgh.py FOLDER IMAGES COMPAT

prints the scores of the images, and the accuracy on them, as JSON.
"""
import json
import runpy
import sys
from pathlib import Path

sys.modules['mmgh'] = None  # importing it fails
folder, images, compat = map(Path, sys.argv[1:])
# Not needed where torch and torchvision fit; beside a torch without CUDA,
# torchvision from the package index cannot be imported without a repair.
runpy.run_path(str(compat))['declare_torchvision_operators']()

from mmengine.config import Config  # noqa: E402
from mmengine.runner import Runner  # noqa: E402
from mmpretrain import ImageClassificationInferencer  # noqa: E402

config, checkpoint = folder / 'config.py', folder / 'classifier.pth'
inferencer = ImageClassificationInferencer(str(config), str(checkpoint))
files = [str(path) for path in sorted(images.rglob('*.png'))]
results = inferencer(files, batch_size=4)

cfg = Config.fromfile(config)
cfg.load_from = str(checkpoint)
cfg.work_dir = str(folder.parent / 'work_without_mmgh')
cfg.test_dataloader.dataset.data_root = str(images)
metrics = Runner.from_cfg(cfg).test()

assert not [name for name in sys.modules if name.startswith('mmgh.')]
print(
    json.dumps(
        dict(
            scores=[result['pred_scores'].tolist() for result in results],
            classes=[result['pred_class'] for result in results],
            accuracy=metrics['accuracy/top1'])))
