"""How well a linear classifier tells two domains apart by their features."""
from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmgh.input_error import InputError

FOLDS = 5


def domain_error(source: np.ndarray,
                 target: np.ndarray,
                 seed: int = 0) -> float:
    """Return the cross-validated error of a domain classifier, from 0 to 1.

    It is scikit-learn's logistic regression on features that are standardised
    within each of five stratified folds.

    Args:
        source (np.ndarray): Features, shape ``(N, D)``.
        target (np.ndarray): As many of the other domain, shape ``(N, D)``.
        seed (int): Of the folds. Defaults to 0.

    Raises:
        InputError: If the domains differ in size, by which alone they could
            be told apart, or have fewer images than folds.
    """
    if len(source) != len(target):
        raise InputError('`source` and `target` should have as many images, '
                         f'but got {len(source)} and {len(target)}.')
    if len(source) < FOLDS:
        raise InputError(f'Each domain should have at least {FOLDS} images, '
                         f'but got {len(source)}.')
    features = np.concatenate([source, target])
    domains = np.repeat([0, 1], len(source))
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    accuracies = cross_val_score(classifier, features, domains, cv=folds)
    return 1 - float(accuracies.mean())


def a_distance(error: float) -> float:
    r"""Return the proxy A-distance :math:`2 (1 - 2 \epsilon)`, from 0 to 2.

    0 means that the domain classifier does not beat chance, 2 that it makes
    no error. An error above 1/2 is chance, too: the result is clipped at 0.

    Args:
        error (float): Of a domain classifier, :math:`\epsilon`.

    Source: Analysis of Representations for Domain Adaptation (NeurIPS 2006,
    printed 2007), section 4; A theory of learning from different domains
    (Machine Learning 2010), by Ben-David et al.
    """
    return max(0., 2 * (1 - 2 * error))
