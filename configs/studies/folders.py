# Does harmonization help on two folders of your own? digits.py tells what a
# study may say.
#
#     mmgh study folders --source FOLDER --target FOLDER
#
# writes one like this for your folders and classifier, and runs it. This one
# is for the folders in ../folders/dann_resnet18_folders.py.
data = '../folders/dann_resnet18_folders.py'
pairs = {'source -> target': dict(config=data)}
methods = {
    'source-only': dict(
        config='../folders/source-only_resnet18_folders.py',
        harmonizers=['none']),
    'DANN': dict(config='../folders/dann_resnet18_folders.py'),
    'CDAN+E': dict(config='../folders/cdan-e_resnet18_folders.py'),
}
harmonizers = {
    'none': dict(),
    'GH': dict(harmonizer=dict(type='mmgh.GH')),
    'GH++': dict(harmonizer=dict(type='mmgh.GHPlusPlus')),
    'RelativeClip': dict(harmonizer=dict(type='mmgh.RelativeClip')),
}
baseline = 'none'
seeds = [0, 1, 2]
