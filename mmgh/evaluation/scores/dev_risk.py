from __future__ import annotations

import numpy as np
from torch import Tensor

# Weights that vary less are constant up to the precision of their fit.
_SMALLEST_VARIANCE = 1e-8
_LARGEST_LOG_ODDS = 50


def dev_risk(source_features: Tensor, target_features: Tensor,
             losses: Tensor) -> float:
    r"""Estimate the risk on the target (deep embedded validation); lower is
    better.

    The losses :math:`\ell_i` of labelled source images are weighted by the
    ratio of the densities of their features, and a control variate reduces
    the variance:

    .. math::
        \frac{1}{N} \sum_i w_i \ell_i + \eta \frac{1}{N} \sum_i w_i - \eta,
        \quad
        w(x) = \frac{N_s}{N_t} \frac{p(\text{target} | x)}
        {p(\text{source} | x)}, \quad
        \eta = - \frac{\operatorname{Cov}(w \ell, w)}
        {\operatorname{Var}(w)}

    :math:`\eta` is 0 where the weights do not vary, and all weights are 1
    where there is a single source image.

    Where a classifier tells the domains apart with hardly an error, all
    weights are close to 0, and the risk is guessed from the few images with
    larger ones. Where even these vanish, so does the risk, although lower is
    better: do not trust it there.

    The published one fits the domain classifier, a network, to source
    training images, which are not those that it weights. Here it is a
    logistic regression on standardised features (scikit-learn's, with its
    default penalty, on which the value depends), and two halves of the
    source images take turns: each is weighted by the classifier that was
    fitted to the other half and the target.

    Args:
        source_features (Tensor): Shape ``(N, D)``; of images that the
            classifier was not trained on.
        target_features (Tensor): Shape ``(M, D)``.
        losses (Tensor): Of the source images, shape ``(N, )``.

    Returns:
        float: In the unit of the losses; it may be negative.

    Source: Towards Accurate Model Selection in Deep Unsupervised Domain
    Adaptation (ICML 2019).
    """
    weights = density_ratios(source_features.numpy(), target_features.numpy())
    weighted = weights * losses.double().numpy()
    eta = 0.
    if len(weights) > 1:
        covariance = np.cov(weighted, weights)
        if covariance[1, 1] > _SMALLEST_VARIANCE:
            eta = -covariance[0, 1] / covariance[1, 1]
    return float(weighted.mean() + eta * weights.mean() - eta)


def density_ratios(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Estimate target density over source density at source points.

    Args:
        source (np.ndarray): Shape ``(N, D)``.
        target (np.ndarray): Shape ``(M, D)``.

    Returns:
        np.ndarray: Shape ``(N, )``.
    """
    ratios = np.ones(len(source))
    if len(source) < 2:
        return ratios
    # Data sets often are sorted by class; both halves should have all.
    halves = np.array_split(np.random.RandomState(0).permutation(len(source)),
                            2)
    for weighted, fitted in (halves, halves[::-1]):
        log_odds = _log_odds(source[fitted], target, source[weighted])
        ratios[weighted] = len(fitted) / len(target) * np.exp(log_odds)
    return ratios


def _log_odds(source: np.ndarray, target: np.ndarray,
              points: np.ndarray) -> np.ndarray:
    """Return those of being a target point, by logistic regression."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise RuntimeError("The item 'dev' needs scikit-learn: "
                           'pip install scikit-learn.') from error
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(tol=1e-6, max_iter=1000))
    is_target = np.repeat([0, 1], [len(source), len(target)])
    classifier.fit(np.concatenate([source, target]), is_target)
    log_odds = classifier.decision_function(points)
    return np.clip(log_odds, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
