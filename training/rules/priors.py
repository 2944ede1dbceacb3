"""Asks by cross-validation whether two things known from other data sets help the scorer, each as one more feature:

- `prior`: the rating GAICD's judges give a crop for its place and size alone (polynomial of its edges and the photo's
  aspect, least squares on ratings less their photo's mean)
- `relation`: how usual the margins of GenCrop's human crops around their subject make a crop, the subject being the
  engine's own first one (log-density under a mixture of Gaussians)

    python training/rules/priors.py <crops.json> <feature folder> --gaicd gaicd_v1.json --gencrop <folder>

With one network and the folds of three seeds neither changed the figures beyond what another split does, so the engine has
neither. Needs numpy, torch and scikit-learn.
"""
import argparse
import dataclasses
import gzip
import json
import pathlib

import numpy as np
import torch
from sklearn.mixture import GaussianMixture

import crops as C
from fit import cross_validate

DISCARDED = -2
# GAICD's crops begin and end on these; beyond them the polynomial would be guessing.
FIRST_EDGES, LAST_EDGES = (0.04, 0.3), (0.7, 0.96)
MARGINS = ('left', 'top', 'right', 'bottom')
LEAST_LOG_DENSITY = -12


def terms(boxes, log_aspect):
    """(n, 4) edges in 0..1 and (n,) log of the photo's width over height -> (n, terms)."""
    x1, y1 = np.clip(boxes[:, :2], *FIRST_EDGES).T
    x2, y2 = np.clip(boxes[:, 2:], *LAST_EDGES).T
    left, top, right, bottom, width, height = x1, y1, 1 - x2, 1 - y2, x2 - x1, y2 - y1
    simple = [left, top, right, bottom, width * height, left - right, top - bottom]
    products = [a * b for i, a in enumerate(simple) for b in simple[i:]]
    shape = np.log(width / height)
    rest = [shape, shape**2, shape * log_aspect, width * height * log_aspect**2]
    return np.stack([np.ones(len(boxes)), *simple, *products, *(a * log_aspect for a in simple), *rest], axis=1)


def rating_prior(path):
    """Coefficients of `terms`."""
    boxes, aspects, ratings = [], [], []
    for photo in json.loads(path.read_text()).values():
        width, height = photo['size_inferred']
        mos = np.array(photo['mos'], float)
        kept = mos != DISCARDED
        boxes.append(np.array(photo['crops_xyxy'])[kept] / [width, height, width, height])
        aspects.append(np.full(kept.sum(), np.log(width / height)))
        ratings.append(mos[kept] - mos[kept].mean())
    boxes, aspects, ratings = np.concatenate(boxes), np.concatenate(aspects), np.concatenate(ratings)
    x, y = terms(np.concatenate([boxes, C.mirrored(boxes)]), np.tile(aspects, 2)), np.tile(ratings, 2)
    coefficients = np.linalg.solve(x.T @ x + 1e-2 * np.eye(x.shape[1]), x.T @ y)
    explained = 1 - ((y - x @ coefficients) ** 2).sum() / (y**2).sum()
    print(f'{len(boxes)} rated crops; place and size explain {explained:.3f} of the variance within photos')
    return coefficients


def margin_density(folder):
    """Of the subject's margins in a crop, in sides of the crop."""
    margins = []
    for path in sorted(folder.glob('*/testeval_sha256.json.gz')):
        for photo in json.loads(gzip.decompress(path.read_bytes())).values():
            x, y, width, height = photo['subject_xywh']
            crops = np.array([crop for crop in photo['crop_xywh'] if min(crop[2:]) > 0])
            near = ([x, y] - crops[:, :2]) / crops[:, 2:]
            far = (crops[:, :2] + crops[:, 2:] - [x + width, y + height]) / crops[:, 2:]
            margins.append(np.concatenate([near, far], axis=1))
    margins = np.clip(np.concatenate(margins), -1, 1)
    print(f'{len(margins)} crops around a subject')
    return GaussianMixture(8, random_state=0, reg_covar=1e-3).fit(np.concatenate([margins, margins[:, [2, 1, 0, 3]]]))


def with_columns(data, columns):
    """Further features (photo, box), none of which mirroring changes."""
    first = data.features.shape[2]
    return dataclasses.replace(
        data,
        features=np.concatenate([data.features, *(column[..., None] for column in columns)], axis=2),
        mirror_feature=np.append(data.mirror_feature, np.arange(first, first + len(columns))),
        complement=np.append(data.complement, np.zeros(len(columns), bool)),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('crops', type=pathlib.Path)
    parser.add_argument('features', type=pathlib.Path)
    parser.add_argument('--gaicd', type=pathlib.Path, required=True)
    parser.add_argument('--gencrop', type=pathlib.Path, required=True)
    parser.add_argument('--seeds', type=int, default=1)
    parser.add_argument('--epochs', type=int, default=12)
    parser.add_argument('--fold-seeds', type=int, nargs='+', default=[0, 1, 2])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = C.load(arguments.crops, arguments.features)
    coefficients, density = rating_prior(arguments.gaicd), margin_density(arguments.gencrop)
    aspects = data.features[:, :, data.names.index('photoAspect')]
    prior = np.stack([terms(data.boxes, aspect) @ coefficients for aspect in aspects]).astype(np.float32)
    seen = data.features[:, :, [data.names.index(f'subject0.{side}') for side in MARGINS]].clip(-1, 1)
    relation = np.stack([density.score_samples(margins).clip(LEAST_LOG_DENSITY) for margins in seen]).astype(np.float32)
    for fold_seed in arguments.fold_seeds:
        for label, columns in {'as it is': [], 'prior': [prior], 'relation': [relation], 'both': [prior, relation]}.items():
            scores = cross_validate(with_columns(data, columns), arguments.seeds, arguments.epochs, 0.5, 5, fold_seed)
            C.print_figures(f'folds {fold_seed}, {label}', C.choose(data, scores / 0.8), data.humans)


if __name__ == '__main__':
    main()
