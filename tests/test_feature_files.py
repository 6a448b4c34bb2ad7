"""Frozen features and their network are read back as they were written."""
from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mmgh.feature_files import FeatureDomain, read_domain, write_domain
from mmgh.feature_network import (FeatureNetwork, read_digest, read_network,
                                  write_network)
from mmgh.input_error import InputError

DOMAIN = FeatureDomain('abc', ['é/1.png', 'b/2.png'], ['é', 'b'], [0, 1],
                       dict(bad='why'))


def network(**changes) -> FeatureNetwork:
    config = dict(model=dict(type='X', size=(3, 4)), views=2, seed=0)
    weights = dict(
        a=torch.arange(6.).reshape(2, 3), b=torch.tensor(7),
        c=torch.ones(2, dtype=torch.bfloat16))
    return FeatureNetwork({**config, **changes}, weights)


def write(folder, shape=(3, 2, 5)):
    np.save(folder / 'art.npy', np.zeros(shape, np.float16))
    write_domain(folder, 'art', DOMAIN)


def test_domain_is_read_as_written(tmp_path):
    write(tmp_path)
    assert read_domain(tmp_path, 'art') == DOMAIN
    assert {path.name for path in tmp_path.iterdir()} == {
        'art.npy', 'art.json'
    }


@pytest.mark.parametrize('shape', [(3, 1, 5), (2, 5)])
def test_features_of_other_images_are_refused(tmp_path, shape):
    write(tmp_path, shape)
    with pytest.raises(InputError, match=r'shape \(views, 2, D\), but has'):
        read_domain(tmp_path, 'art')


@pytest.mark.parametrize('text', ['', '[]', '{"network": "abc"}'])
def test_broken_domain_is_named(tmp_path, text):
    write(tmp_path)
    (tmp_path / 'art.json').write_text(text)
    with pytest.raises(InputError, match='art.npy and art.json should be'):
        read_domain(tmp_path, 'art')


def test_arrays_of_objects_are_refused(tmp_path):
    """They are pickles, which run code."""
    write(tmp_path)
    np.save(tmp_path / 'art.npy', np.array([[[print]]]))
    with pytest.raises(InputError, match='art.npy'):
        read_domain(tmp_path, 'art')


def test_network_is_read_as_written(tmp_path):
    assert read_digest(tmp_path) is None
    write_network(tmp_path, network(), dict(torch='2'))
    found = read_network(tmp_path)
    assert found.config == network().config
    assert found.config['model']['size'] == (3, 4)
    for name, value in network().weights.items():
        assert torch.equal(found.weights[name], value)
    assert read_digest(tmp_path) == network().digest == found.digest


def test_digest_tells_networks_apart():
    other = network()
    other.weights['a'][0, 0] = 1
    renamed = FeatureNetwork(other.config, {
        name * 2: value
        for name, value in network().weights.items()
    })
    several = [network(), other, renamed, network(views=3), network(seed=1)]
    assert len({found.digest for found in several}) == len(several)
    turned = dict(reversed(network().config.items()))
    assert network()._replace(config=turned).digest == network().digest


def test_other_weights_than_said_are_refused(tmp_path):
    write_network(tmp_path, network(), {})
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'network.pth')
    with pytest.raises(InputError, match='should have the network'):
        read_network(tmp_path)


def test_config_of_more_than_values_is_refused(tmp_path):
    with pytest.raises(InputError, match='numbers, strings, lists and dicts'):
        write_network(tmp_path, network(scale=len), {})
    assert not list(tmp_path.iterdir())


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


def test_nothing_that_is_read_runs_code(tmp_path):
    trap = tmp_path / 'trap'
    write_network(tmp_path, network(), {})
    for code in (f"open({str(trap)!r}, 'w')", f"[].append(open('{trap}'))"):
        text = json.dumps(dict(digest='1', config=code))
        (tmp_path / 'network.json').write_text(text)
        with pytest.raises(InputError, match='network'):
            read_network(tmp_path)
    write_network(tmp_path, network(), {})
    torch.save(dict(a=Trap(trap)), tmp_path / 'network.pth')
    with pytest.raises(InputError, match='network.pth'):
        read_network(tmp_path)
    assert not trap.exists()
    torch.load(tmp_path / 'network.pth', weights_only=False)
    assert trap.exists()  # it is one
